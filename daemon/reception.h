/*
 * Between accept() and a client: finds out who connects, counts it, and lets in or refuses.
 *
 * The kernel is asked at once. Where the user database has to be asked too, for groups or a name,
 * the connection waits unread until the answer comes; at most RECEPTION_MAX_WAITING do, and any
 * further one is refused.
 *
 * Owner: the listener, which embeds it; reception_finish(). Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_RECEPTION_H
#define SPARKBRIDGE_DAEMON_RECEPTION_H

#include <stddef.h>

#include "common/list.h"
#include "conf/peer_policy.h"
#include "daemon/client.h"
#include "daemon/engine.h"
#include "daemon/peer.h"
#include "daemon/peer_throttle.h"
#include "daemon/quota.h"
#include "daemon/refusal.h"
#include "daemon/throttle.h"
#include "daemon/transport.h"
#include "daemon/workers.h"

enum { RECEPTION_MAX_WAITING = 64 };

/* All borrowed. */
struct reception_config {
    struct engine *engine;
    struct peer_finder *finder;
    struct workers *users; /* who ask the user database */
    struct quota *quota;   /* of all clients */
    const char *name;      /* the listener's, for the log */
};

struct reception {
    struct reception_config config;
    struct peer_policy *policy; /* owned reference */
    struct list waiting;
    size_t waiting_count;
    struct refusal_set refusals;
    struct peer_throttle refused; /* the log of refusals of a user */
    struct throttle full;         /* the log of refusals because of a limit */
    /* Lets it in: takes transport and client over. */
    void (*on_admitted)(struct reception *reception, struct transport *transport,
                        struct client *client);
    /* One that had to wait waits no more, whether it was let in or not. */
    void (*on_waited)(struct reception *reception);
};

void reception_init(struct reception *reception, const struct reception_config *config);

/* Judges by `policy` from now on, also those that wait. */
void reception_use_policy(struct reception *reception, struct peer_policy *policy);

/* Takes over a transport that has just been accepted and not been started. */
void reception_receive(struct reception *reception, struct transport *transport);

/* Ends what is being refused. What waits goes on. */
void reception_stop(struct reception *reception);
bool reception_is_idle(const struct reception *reception);
void reception_finish(struct reception *reception);

#endif
