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
#include "daemon/access.h"
#include "daemon/client.h"
#include "daemon/engine.h"
#include "daemon/peer_throttle.h"
#include "daemon/quota.h"
#include "daemon/throttle.h"
#include "daemon/transport.h"

enum {
    DOWNSTREAM_CUT_MS = 300,      /* for a GOAWAY to be read */
    DOWNSTREAM_GREETING_MS = 500, /* while draining, for a new client's first bytes */
};

struct downstream;

/* The clients of one listener. Owner: the listener, which embeds it. */
struct downstream_set {
    struct engine *engine; /* borrowed */
    struct quota *quota;   /* borrowed: that of all sets */
    struct list all;
    struct throttle cuts[ABUSE_NONE], not_http2;
    struct peer_throttle odd_calls; /* the log of calls that a user has end oddly */
    struct access *access;          /* owned reference: what calls get that begin now */
    bool stopped;                   /* who comes now is heard, and told to go elsewhere */
    void (*on_ended)(struct downstream_set *set); /* one is gone; the last thing it does */
};

void downstream_set_init(struct downstream_set *set, struct engine *engine, struct quota *quota,
                         void (*on_ended)(struct downstream_set *set));

/* Calls that begin from now on, also on connections that are there, get what `access` grants. To be
 * said before the first client comes. */
void downstream_set_use(struct downstream_set *set, struct access *access);

/* Takes over an accepted transport and who is at its other end. */
void downstream_create(struct downstream_set *set, struct transport *transport,
                       struct client *client);

/* Ends the connection and its calls at once. */
void downstream_destroy(struct downstream *downstream);

/* Tells all clients to open no more calls here (GOAWAY); those that run go on. */
void downstream_set_drain(struct downstream_set *set);

/* Ends the calls that still run as lost, so that their clients hear of it when the loop turns. */
void downstream_set_abort(struct downstream_set *set, const char *reason);

/* How many clients there are, and how many calls they have open. */
void downstream_set_count(const struct downstream_set *set, size_t *ret_clients, size_t *ret_calls);

/* Ends all connections and gives the access back. */
void downstream_set_finish(struct downstream_set *set);

#endif
