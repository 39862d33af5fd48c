/*
 * Deadlines of calls: whoever outlives its own is told once, by one timer for all of them.
 *
 * A client ends its call by itself when its time is over. What is left some seconds later, because
 * the client is gone or stuck, is only to be freed, so that deadlines are rounded up to whole
 * seconds and share their wake-ups. Nothing wakes while there are none.
 *
 * Owner: a set belongs to the struct that embeds it, here a pool, and outlives its deadlines; a
 * deadline to its call, which removes it. Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_DEADLINE_H
#define SPARKBRIDGE_DAEMON_DEADLINE_H

#include <stdint.h>
#include <uv.h>

#include "common/list.h"

struct deadline {
    struct list link; /* the set's, or alone; list_init() it before anything else */
    uint64_t at_ms;   /* of the loop's clock */
    void (*on_passed)(struct deadline *deadline);
};

struct deadline_set {
    uv_timer_t *timer; /* owned */
    struct list all;
};

void deadline_set_init(struct deadline_set *set, uv_loop_t *loop);
/* There must be none left in it. */
void deadline_set_finish(struct deadline_set *set);

/* on_passed comes in `in_ms` or up to a second later, unless the deadline is removed before. It may
 * remove other deadlines, but not finish the set. */
void deadline_add(struct deadline_set *set, struct deadline *deadline, uint64_t in_ms);

/* Accepts one that is in no set. */
void deadline_remove(struct deadline *deadline);

#endif
