/*
 * What is being served: each listener of a setup with what it grants, opened together
 * and changed together by a reload, all or nothing.
 *
 * Owner: the bridge. Listeners that a reload removed stay until their clients have gone.
 * Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_SERVING_H
#define SPARKBRIDGE_DAEMON_SERVING_H

#include <stdbool.h>

#include "common/err.h"
#include "common/list.h"
#include "daemon/engine.h"
#include "daemon/listener.h"
#include "daemon/peer.h"
#include "daemon/quota.h"
#include "daemon/setup.h"
#include "daemon/workers.h"

struct serving {
    struct engine *engine;       /* borrowed */
    struct connector *connector; /* owned */
    struct peer_finder finder;
    struct workers *users; /* owned: who ask the user database */
    struct quota quota;    /* of all clients */
    struct setup setup;    /* owned: what is served now */
    struct list entries;   /* one a listener, also those that only wait for their clients */
    void (*on_idle)(struct serving *serving); /* after serving_stop(): all clients have gone */
    bool stopped;
};

void serving_init(struct serving *serving, struct engine *engine,
                  void (*on_idle)(struct serving *serving));

/* Serves `next`, which it takes over on success, instead of what is served now (nothing, at first).
 * What is the same is not touched; new sockets are opened before anything changes, and on failure
 * everything is as before. Says in the log what changed. */
bool serving_change(struct serving *serving, struct setup *next, struct err *err);

/* Each listener that is served, and those that only wait for their clients (`removed`). */
struct serving_visitor {
    void (*visit)(void *arg, const char *name, const struct listener *listener,
                  const struct access *access, bool removed);
    void *arg;
};
void serving_each(const struct serving *serving, const struct serving_visitor *visitor);

/* Accepts no more and lets clients finish; on_idle comes, or serving_is_idle() is true at once. */
void serving_stop(struct serving *serving);
bool serving_is_idle(const struct serving *serving);

/* Ends the calls that still run; their clients hear of it when the loop turns. */
void serving_abort_calls(struct serving *serving, const char *reason);

/* Ends everything at once. */
void serving_finish(struct serving *serving);

#endif
