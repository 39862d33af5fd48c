/*
 * One client's connection: an HTTP/2 server session and the calls on it.
 *
 * Owner: its listener's list; it ends by itself when the client goes, or by downstream_destroy(),
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
    DOWNSTREAM_MAX_STREAMS = 1000,
    DOWNSTREAM_STREAM_WINDOW_BYTES = 1024 * 1024, /* what a client may have under way a call */
};

struct downstream;

/* Where downstreams are kept and who hears that one has ended. */
struct downstream_set {
    struct engine *engine; /* borrowed */
    struct list all;
    void (*on_ended)(struct downstream_set *set); /* one has been destroyed */
};

/* Takes over an accepted transport. Calls go to `pool`. */
void downstream_create(struct downstream_set *set, struct transport *transport, struct pool *pool);

/* Ends the connection and its calls at once. */
void downstream_destroy(struct downstream *downstream);

/* Tells all clients to open no more calls here (GOAWAY); those that run go on. */
void downstream_set_drain(struct downstream_set *set);

/* Ends the calls that still run as lost, so that their clients hear of it; flush, then destroy. */
void downstream_set_abort(struct downstream_set *set, const char *reason);
void downstream_set_destroy(struct downstream_set *set);

#endif
