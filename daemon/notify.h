/*
 * What the service manager is told, sd_notify(3): READY, RELOADING, STOPPING, a line of status, and
 * signs of life. Where there is no service manager (no $NOTIFY_SOCKET) all of it does nothing.
 *
 * The watchdog is fed by a timer of the loop, so only while the loop turns: a callback that does
 * not return starves it, and the service manager starts the daemon anew.
 * Owner: the bridge. Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_NOTIFY_H
#define SPARKBRIDGE_DAEMON_NOTIFY_H

#include <uv.h>

struct notify {
    uv_timer_t watchdog;
};

/* Feeds the watchdog from now on, where the unit has one (WatchdogSec=). */
void notify_init(struct notify *notify, uv_loop_t *loop);

/* Closes the handle; the loop must be run until it is closed. */
void notify_finish(struct notify *notify);

/* Serving, at first or again after notify_reloading(); `status` is one line for people. */
void notify_ready(const char *status);
void notify_reloading(void);

/* Stopping, which may take up to `timeout_ms` from now. */
void notify_stopping(const char *status, unsigned timeout_ms);

#endif
