/*
 * One client's connection: an HTTP/2 server session and the calls on it.
 *
 * Owner: its listener's set; it ends by itself when the client goes, or by downstream_destroy(),
 * not to be called from one of nghttp2's callbacks. Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_DOWNSTREAM_H
#define SPARKBRIDGE_DAEMON_DOWNSTREAM_H

#include <stdbool.h>

#include "common/list.h"
#include "daemon/abuse.h"
#include "daemon/engine.h"
#include "daemon/policy.h"
#include "daemon/pool.h"
#include "daemon/quota.h"
#include "daemon/throttle.h"
#include "daemon/transport.h"

enum {
    DOWNSTREAM_MAX_REFUSED = 32, /* connections at once that are only there to be told why */
    DOWNSTREAM_REFUSED_MS = 2000,
    DOWNSTREAM_CUT_MS = 300, /* for a GOAWAY to be read */
};

struct downstream;

/* The clients of one listener. Owner: the listener, which embeds it. */
struct downstream_set {
    struct engine *engine; /* borrowed */
    struct quota *quota;   /* borrowed: that of all sets */
    struct list all;
    unsigned refused; /* of them, those that downstream_refuse() made */
    struct throttle cuts[ABUSE_NONE], refusals;
    struct pool *pool;     /* owned reference: where calls go that begin now */
    struct policy *policy; /* owned reference: what they may be */
    void (*on_ended)(struct downstream_set *set); /* one is gone; the last thing it does */
};

void downstream_set_init(struct downstream_set *set, struct engine *engine, struct quota *quota,
                         struct pool *pool, struct policy *policy,
                         void (*on_ended)(struct downstream_set *set));

/* Calls that begin from now on, also on connections that are there, go to `pool`, or are judged
 * by `policy`. */
void downstream_set_use_pool(struct downstream_set *set, struct pool *pool);
void downstream_set_use_policy(struct downstream_set *set, struct policy *policy);

/* Takes over an accepted transport of a client whose connection is counted in `user`, which it
 * takes over too. */
void downstream_create(struct downstream_set *set, struct transport *transport,
                       struct quota_user *user);

/* Takes over an accepted transport only to end every call on it with that status, and the
 * connection soon. Where there are too many such connections, ends it at once. */
void downstream_refuse(struct downstream_set *set, struct transport *transport,
                       const struct rpc_status *status);

/* Ends the connection and its calls at once. */
void downstream_destroy(struct downstream *downstream);

/* Tells all clients to open no more calls here (GOAWAY); those that run go on. */
void downstream_set_drain(struct downstream_set *set);

/* Ends the calls that still run as lost, so that their clients hear of it when the loop turns. */
void downstream_set_abort(struct downstream_set *set, const char *reason);

/* Ends all connections and gives the pool back. */
void downstream_set_finish(struct downstream_set *set);

#endif
