/*
 * Ends a daemon that nobody uses, where the service manager starts it again (`timeouts.idle_exit`).
 *
 * The timer asks the quota, which counts all connections, so that nothing has to be told of each.
 * Owner: the bridge. Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_IDLE_EXIT_H
#define SPARKBRIDGE_DAEMON_IDLE_EXIT_H

#include <uv.h>

#include "daemon/quota.h"

struct idle_exit {
    uv_timer_t timer;
    const struct quota *quota; /* borrowed */
    unsigned timeout_ms;       /* 0: never */
    void (*on_unused)(struct idle_exit *idle_exit);
};

/* `on_unused` is told when there was no connection for the time of idle_exit_use(). */
void idle_exit_init(struct idle_exit *idle_exit, uv_loop_t *loop, const struct quota *quota,
                    void (*on_unused)(struct idle_exit *idle_exit));
void idle_exit_use(struct idle_exit *idle_exit, unsigned timeout_ms);

/* Closes the handle; the loop must be run until it is closed. */
void idle_exit_finish(struct idle_exit *idle_exit);

#endif
