/* Ends a daemon that nobody uses. */
#include "daemon/idle_exit.h"

static void on_timer(uv_timer_t *timer)
{
    struct idle_exit *idle_exit = timer->data;
    uint64_t unused_ms = 0;
    if (idle_exit->quota->connections == 0)
        unused_ms = (uv_hrtime() - idle_exit->quota->unused_since_ns) / 1000000;
    if (unused_ms >= idle_exit->timeout_ms)
        idle_exit->on_unused(idle_exit);
    else
        uv_timer_start(timer, on_timer, idle_exit->timeout_ms - unused_ms, 0);
}

void idle_exit_init(struct idle_exit *idle_exit, uv_loop_t *loop, const struct quota *quota,
                    void (*on_unused)(struct idle_exit *idle_exit))
{
    *idle_exit = (struct idle_exit){.quota = quota, .on_unused = on_unused};
    uv_timer_init(loop, &idle_exit->timer);
    idle_exit->timer.data = idle_exit;
}

void idle_exit_use(struct idle_exit *idle_exit, unsigned timeout_ms)
{
    idle_exit->timeout_ms = timeout_ms;
    if (timeout_ms > 0)
        uv_timer_start(&idle_exit->timer, on_timer, timeout_ms, 0);
    else
        uv_timer_stop(&idle_exit->timer);
}

void idle_exit_finish(struct idle_exit *idle_exit)
{
    uv_close((uv_handle_t *)&idle_exit->timer, NULL);
}
