/*
 * Refused connections: each gets an answer that its user sees, and no way to anything else.
 *
 * A session of its own answers the first call with the refusal, says GOAWAY and ends. It knows
 * neither pools nor bindings, so that nothing of a refused client can be forwarded. It lives
 * REFUSAL_MAX_MS at most, and of REFUSAL_MAX at once any further one is closed without an answer.
 *
 * Owner of the set: whoever embeds it; refusal_set_finish(). Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_REFUSAL_H
#define SPARKBRIDGE_DAEMON_REFUSAL_H

#include <stddef.h>

#include "common/list.h"
#include "daemon/engine.h"
#include "daemon/transport.h"
#include "proto/rpc_status.h"

enum { REFUSAL_MAX = 64, REFUSAL_MAX_MS = 5000 };

struct refusal_set {
    struct engine *engine; /* borrowed */
    struct list all;
    size_t count;
};

void refusal_set_init(struct refusal_set *set, struct engine *engine);

/* Takes over an accepted transport that was not started; copies the status. */
void refusal_create(struct refusal_set *set, struct transport *transport,
                    const struct rpc_status *status);

/* Ends all of them at once. */
void refusal_set_finish(struct refusal_set *set);

#endif
