/* What the service manager is told. */
#include "daemon/notify.h"

#include <inttypes.h>
#include <systemd/sd-daemon.h>
#include <time.h>

static const uint64_t stop_margin_ms = 5000; /* to end what is left after the drain */

static void on_watchdog(uv_timer_t *timer)
{
    sd_notify(0, "WATCHDOG=1");
}

void notify_init(struct notify *notify, uv_loop_t *loop)
{
    uint64_t timeout_usec;
    uv_timer_init(loop, &notify->watchdog);
    if (sd_watchdog_enabled(0, &timeout_usec) <= 0)
        return;
    /* sd_watchdog_enabled(3): "every half of the time". */
    uint64_t period_ms = timeout_usec / 2 / 1000;
    uv_timer_start(&notify->watchdog, on_watchdog, 0, period_ms > 0 ? period_ms : 1);
}

void notify_finish(struct notify *notify)
{
    uv_close((uv_handle_t *)&notify->watchdog, NULL);
}

void notify_ready(const char *status)
{
    sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void notify_reloading(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t usec = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=reloading", usec);
}

void notify_stopping(const char *status, unsigned timeout_ms)
{
    uint64_t usec = (timeout_ms + stop_margin_ms) * 1000;
    sd_notifyf(0, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRIu64 "\nSTATUS=%s", usec, status);
}
