/*
 * The running daemon: listeners, their bindings and pools, signals, and the way it stops.
 *
 * Owner: bridge_run() owns everything for as long as it runs.
 */
#ifndef SPARKBRIDGE_DAEMON_BRIDGE_H
#define SPARKBRIDGE_DAEMON_BRIDGE_H

#include "common/err.h"
#include "conf/binding.h"
#include "conf/config.h"

/* A listener of the configuration and what it was resolved to. */
struct bridge_listener {
    const struct listener_config *config; /* borrowed */
    struct binding *binding;              /* borrowed */
};

/* Serves until asked to stop. Returns the exit status: 0 after a complete drain, EX_TEMPFAIL where
 * calls had to be cut, or the code in `err`, which is then filled. */
int bridge_run(const struct config *config, const struct bridge_listener *listeners,
               struct err *err);

#endif
