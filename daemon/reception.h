/*
 * Between accept() and a client: finds out who connects, and lets in or refuses.
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
#include "daemon/engine.h"
#include "daemon/peer.h"
#include "daemon/refusal.h"
#include "daemon/refusal_log.h"
#include "daemon/transport.h"

enum { RECEPTION_MAX_WAITING = 64 };

struct reception {
    struct engine *engine;      /* borrowed */
    struct peer_finder *finder; /* borrowed */
    const char *name;           /* borrowed; the listener's, for the log */
    struct peer_policy *policy; /* owned reference */
    struct list waiting;
    size_t waiting_count;
    struct refusal_set refusals;
    struct refusal_log log;
    /* Lets it in: takes transport and peer over. */
    void (*on_admitted)(struct reception *reception, struct transport *transport,
                        struct peer *peer);
};

void reception_init(struct reception *reception, struct engine *engine, struct peer_finder *finder,
                    const char *name);

/* Judges by `policy` from now on, also those that wait. */
void reception_use_policy(struct reception *reception, struct peer_policy *policy);

/* Takes over a transport that has just been accepted and not been started. */
void reception_receive(struct reception *reception, struct transport *transport);

/* Ends what waits or is being refused. It may be used again. */
void reception_clear(struct reception *reception);
void reception_finish(struct reception *reception);

#endif
