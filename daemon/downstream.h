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
#include "daemon/engine.h"
#include "daemon/pool.h"
#include "daemon/transport.h"

enum {
    /* Calls at once on a connection. nghttp2 also remembers that many closed streams, at about 250
     * bytes each, to tell late frames from wrong ones. */
    DOWNSTREAM_MAX_STREAMS = 256,
};

struct downstream;

/* The clients of one listener. Owner: the listener, which embeds it. */
struct downstream_set {
    struct engine *engine; /* borrowed */
    struct list all;
    struct pool *pool; /* owned reference: where calls go that begin now */
    void (*on_ended)(struct downstream_set *set); /* one is gone; the last thing it does */
};

void downstream_set_init(struct downstream_set *set, struct engine *engine, struct pool *pool,
                         void (*on_ended)(struct downstream_set *set));

/* Calls that begin from now on, also on connections that are there, go to `pool`. */
void downstream_set_use_pool(struct downstream_set *set, struct pool *pool);

/* Takes over an accepted transport. */
void downstream_create(struct downstream_set *set, struct transport *transport);

/* Ends the connection and its calls at once. */
void downstream_destroy(struct downstream *downstream);

/* Tells all clients to open no more calls here (GOAWAY); those that run go on. */
void downstream_set_drain(struct downstream_set *set);

/* Ends the calls that still run as lost, so that their clients hear of it when the loop turns. */
void downstream_set_abort(struct downstream_set *set, const char *reason);

/* How many clients there are, and how many calls they have open. */
void downstream_set_count(const struct downstream_set *set, size_t *ret_clients, size_t *ret_calls);

/* Ends all connections and gives the pool back. */
void downstream_set_finish(struct downstream_set *set);

#endif
