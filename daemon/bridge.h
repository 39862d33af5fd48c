/*
 * The running daemon: listeners, their bindings and pools, signals, reload, and the way it stops.
 *
 * SIGTERM and SIGINT drain: no new connections, running calls may finish within the drain timeout;
 * a second one ends at once. SIGHUP reads everything anew.
 * Owner: bridge_run() owns everything for as long as it runs.
 */
#ifndef SPARKBRIDGE_DAEMON_BRIDGE_H
#define SPARKBRIDGE_DAEMON_BRIDGE_H

#include "common/err.h"
#include "daemon/setup.h"

/* Serves `setup`, which it takes over, until asked to stop; `source` is where a reload reads from.
 * Returns the exit status: 0 after a complete drain, EX_TEMPFAIL where calls had to be cut, or the
 * code in `err`, which is then filled. */
int bridge_run(struct setup *setup, const struct setup_source *source, struct err *err);

#endif
