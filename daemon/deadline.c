/* Deadlines of calls. */
#include "daemon/deadline.h"

#include <assert.h>
#include <stdlib.h>

#include "common/alloc.h"

enum { STEP_MS = 1000 };

static void on_timer(uv_timer_t *timer);

static void wake_at(struct deadline_set *set, uint64_t at_ms)
{
    uint64_t now = uv_now(set->timer->loop);
    uv_timer_start(set->timer, on_timer, at_ms > now ? at_ms - now : 0, 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct deadline_set *set = timer->data;
    uint64_t now = uv_now(timer->loop);
    uint64_t next_ms = UINT64_MAX;
    struct list passed;
    list_init(&passed);
    list_for_each(node, &set->all)
    {
        struct deadline *deadline = container_of(node, struct deadline, link);
        if (deadline->at_ms > now) {
            next_ms = deadline->at_ms < next_ms ? deadline->at_ms : next_ms;
        } else {
            list_remove(node);
            list_append(&passed, node);
        }
    }
    if (next_ms != UINT64_MAX)
        wake_at(set, next_ms);
    struct deadline *deadline;
    while ((deadline = list_first(&passed, struct deadline, link)) != NULL) {
        list_remove(&deadline->link);
        deadline->on_passed(deadline);
    }
}

void deadline_set_init(struct deadline_set *set, uv_loop_t *loop)
{
    list_init(&set->all);
    set->timer = xcalloc(1, sizeof *set->timer);
    uv_timer_init(loop, set->timer);
    set->timer->data = set;
}

static void on_closed(uv_handle_t *timer)
{
    free(timer);
}

void deadline_set_finish(struct deadline_set *set)
{
    assert(list_is_empty(&set->all));
    uv_close((uv_handle_t *)set->timer, on_closed);
}

void deadline_add(struct deadline_set *set, struct deadline *deadline, uint64_t in_ms)
{
    uint64_t at_ms = uv_now(set->timer->loop) + in_ms + STEP_MS - 1;
    deadline->at_ms = at_ms - at_ms % STEP_MS;
    list_append(&set->all, &deadline->link);
    bool armed = uv_is_active((uv_handle_t *)set->timer);
    if (!armed || uv_timer_get_due_in(set->timer) > deadline->at_ms - uv_now(set->timer->loop))
        wake_at(set, deadline->at_ms);
}

void deadline_remove(struct deadline *deadline)
{
    list_remove(&deadline->link);
}
