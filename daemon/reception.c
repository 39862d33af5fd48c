/* Between accept() and a client. */
#include "daemon/reception.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "daemon/admission.h"

/* A connection that waits for the user database. */
struct waiting {
    struct list link;
    struct reception *reception;
    struct transport *transport; /* owned */
    struct peer peer;            /* owned */
    struct user_lookup *lookup;
};

/* Takes both over. */
static void refuse(struct reception *reception, struct transport *transport, struct peer *peer,
                   const struct rpc_status *status)
{
    refusal_log_write(&reception->log, reception->name, peer, uv_now(reception->engine->loop));
    refusal_create(&reception->refusals, transport, status);
    peer_finish(peer);
}

static void judge(struct reception *reception, struct transport *transport, struct peer *peer)
{
    struct rpc_status status;
    if (admission_check(reception->policy, peer, &status))
        reception->on_admitted(reception, transport, peer);
    else
        refuse(reception, transport, peer, &status);
}

static void stop_waiting(struct waiting *waiting)
{
    list_remove(&waiting->link);
    waiting->reception->waiting_count--;
    free(waiting);
}

static void on_user_found(void *owner, struct user *user)
{
    struct waiting *waiting = owner;
    struct reception *reception = waiting->reception;
    struct transport *transport = waiting->transport;
    struct peer peer = waiting->peer;
    peer.user = user;
    stop_waiting(waiting);
    judge(reception, transport, &peer);
}

static void wait_for_user(struct reception *reception, struct transport *transport,
                          struct peer *peer)
{
    if (reception->waiting_count == RECEPTION_MAX_WAITING) {
        struct rpc_status status;
        rpc_status_set(&status, GRPC_RESOURCE_EXHAUSTED, "USER_DATABASE_SLOW",
                       "sparkbridge: too many connections wait for the system's user database; try "
                       "again, and have the administrator look at it");
        refuse(reception, transport, peer, &status);
        return;
    }
    struct waiting *waiting = xcalloc(1, sizeof *waiting);
    waiting->reception = reception;
    waiting->transport = transport;
    waiting->peer = *peer;
    list_append(&reception->waiting, &waiting->link);
    reception->waiting_count++;
    waiting->lookup = user_lookup_start(reception->engine->loop, peer->uid, on_user_found, waiting);
}

void reception_receive(struct reception *reception, struct transport *transport)
{
    struct peer peer = {.unknown = "the connection has no descriptor"};
    uv_os_fd_t fd;
    if (uv_fileno((const uv_handle_t *)transport_stream(transport), &fd) == 0)
        peer = peer_identify(reception->finder, fd);
    if (admission_needs_user(reception->policy, &peer))
        wait_for_user(reception, transport, &peer);
    else
        judge(reception, transport, &peer);
}

void reception_init(struct reception *reception, struct engine *engine, struct peer_finder *finder,
                    const char *name)
{
    *reception = (struct reception){.engine = engine, .finder = finder, .name = name};
    reception->policy = peer_policy_create();
    list_init(&reception->waiting);
    refusal_set_init(&reception->refusals, engine);
}

void reception_use_policy(struct reception *reception, struct peer_policy *policy)
{
    peer_policy_ref(policy);
    peer_policy_unref(reception->policy);
    reception->policy = policy;
}

void reception_clear(struct reception *reception)
{
    list_for_each(node, &reception->waiting)
    {
        struct waiting *waiting = container_of(node, struct waiting, link);
        user_lookup_forget(waiting->lookup);
        transport_close(waiting->transport);
        peer_finish(&waiting->peer);
        stop_waiting(waiting);
    }
    refusal_set_finish(&reception->refusals);
}

void reception_finish(struct reception *reception)
{
    reception_clear(reception);
    peer_policy_unref(reception->policy);
    reception->policy = NULL;
}
