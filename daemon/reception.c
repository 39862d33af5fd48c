/* Between accept() and a client. */
#include "daemon/reception.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "common/alloc.h"
#include "common/log.h"
#include "common/log_events.h"
#include "daemon/admission.h"

enum {
    /* Of the last descriptors: for connections to workspaces and files; before, to say no by. */
    RESERVED_DESCRIPTORS = 32,
    REFUSING_DESCRIPTORS = 32,
};

/* A connection that waits for the user database. */
struct waiting {
    struct list link;
    struct reception *reception;
    struct transport *transport; /* owned */
    struct peer peer;            /* owned */
    struct user_lookup *lookup;
};

static uint64_t now_of(const struct reception *reception)
{
    return uv_now(reception->config.engine->loop);
}

/* The lowest free number is what a new descriptor gets: how many are left is seen by it. */
static rlim_t descriptors_left(uv_os_fd_t fd)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return RLIM_INFINITY;
    return limit.rlim_cur > (rlim_t)fd ? limit.rlim_cur - (rlim_t)fd : 0;
}

/* A client that tries again and again does not drown the rest: one line a minute for each user. */
static void log_refused(struct reception *reception, const struct peer *peer)
{
    unsigned left_out;
    char program[PEER_PROGRAM_SIZE], uid[16] = "unknown", pid[16], repeats[16];
    if (!peer_throttle_pass(&reception->refused, peer, now_of(reception), 1, &left_out))
        return;
    peer_program(peer->pid, program);
    if (peer->known)
        snprintf(uid, sizeof uid, "%u", (unsigned)peer->uid);
    snprintf(pid, sizeof pid, "%d", (int)peer->pid);
    snprintf(repeats, sizeof repeats, "%u", left_out);
    log_fields(LOG_LEVEL_WARN, "connection refused", LOG_EVENT_REFUSED,
               {"listener", reception->config.name}, {"uid", uid},
               {"pid", peer->pid > 0 ? pid : NULL},
               {"program", program[0] != '\0' ? program : NULL},
               {"reason", peer->known ? NULL : peer->unknown},
               {"not_logged_before", left_out > 0 ? repeats : NULL});
}

/* Takes both over. */
static void refuse(struct reception *reception, struct transport *transport, struct peer *peer,
                   const struct rpc_status *status)
{
    log_refused(reception, peer);
    refusal_create(&reception->refusals, transport, status);
    peer_finish(peer);
}

/* Refuses whom it would serve, were there not so many already. Takes the transport over. */
static void turn_away(struct reception *reception, struct transport *transport,
                      const struct rpc_status *status)
{
    unsigned left_out;
    if (throttle_pass(&reception->full, now_of(reception), 1, &left_out))
        log_warn("listener %s: a connection is refused (and %u before): %s", reception->config.name,
                 left_out, status->message);
    refusal_create(&reception->refusals, transport, status);
}

/* Lets it in, or refuses it. Takes both over. */
static void judge(struct reception *reception, struct transport *transport, struct peer *peer)
{
    struct rpc_status status;
    if (!admission_check(reception->policy, peer, &status)) {
        refuse(reception, transport, peer, &status);
        return;
    }
    struct client client = {.peer = *peer};
    client.account = quota_connect(reception->config.quota,
                                   peer->known ? peer->uid : QUOTA_UNKNOWN_USER, &status);
    if (client.account != NULL) {
        reception->on_admitted(reception, transport, &client);
        return;
    }
    turn_away(reception, transport, &status);
    client_finish(&client);
}

static void stop_waiting(struct waiting *waiting)
{
    list_remove(&waiting->link);
    waiting->reception->waiting_count--;
    free(waiting);
}

/* Takes both over. */
static void turn_away_unasked(struct reception *reception, struct transport *transport,
                              struct peer *peer)
{
    struct rpc_status status;
    rpc_status_set(&status, GRPC_RESOURCE_EXHAUSTED, "NO_THREADS",
                   "sparkbridge: no thread could be started to ask the system's user database in; "
                   "try again, and have the administrator raise the limit of its threads (ulimit "
                   "-u, TasksMax=)");
    turn_away(reception, transport, &status);
    peer_finish(peer);
}

static void on_user_found(void *owner, struct user *user)
{
    struct waiting *waiting = owner;
    struct reception *reception = waiting->reception;
    struct transport *transport = waiting->transport;
    struct peer peer = waiting->peer;
    peer.user = user;
    if (user == NULL)
        turn_away_unasked(reception, transport, &peer);
    else
        judge(reception, transport, &peer);
    stop_waiting(waiting); /* until now it kept a listener that is stopped */
    reception->on_waited(reception);
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
    waiting->lookup = user_lookup_start(reception->config.users, peer->uid, on_user_found, waiting);
}

void reception_receive(struct reception *reception, struct transport *transport)
{
    struct rpc_status status;
    uv_os_fd_t fd;
    if (uv_fileno((const uv_handle_t *)transport_stream(transport), &fd) < 0) {
        transport_close(transport); /* it has ended already */
        return;
    }
    rlim_t left = descriptors_left(fd);
    if (left <= RESERVED_DESCRIPTORS) {
        transport_close(transport);
        return;
    }
    if (left <= RESERVED_DESCRIPTORS + REFUSING_DESCRIPTORS) {
        rpc_status_set(&status, GRPC_RESOURCE_EXHAUSTED, "NO_DESCRIPTORS",
                       "sparkbridge: nearly all of its file descriptors are in use; close "
                       "connections, or raise its limit (ulimit -n, LimitNOFILE=)");
        turn_away(reception, transport, &status);
        return;
    }
    struct peer peer = peer_identify(reception->config.finder, fd);
    if (admission_needs_user(reception->policy, &peer))
        wait_for_user(reception, transport, &peer);
    else
        judge(reception, transport, &peer);
}

void reception_init(struct reception *reception, const struct reception_config *config)
{
    *reception = (struct reception){.config = *config};
    reception->policy = peer_policy_create();
    list_init(&reception->waiting);
    refusal_set_init(&reception->refusals, config->engine);
}

void reception_use_policy(struct reception *reception, struct peer_policy *policy)
{
    peer_policy_ref(policy);
    peer_policy_unref(reception->policy);
    reception->policy = policy;
}

void reception_stop(struct reception *reception)
{
    refusal_set_finish(&reception->refusals);
}

bool reception_is_idle(const struct reception *reception)
{
    return list_is_empty(&reception->waiting);
}

void reception_finish(struct reception *reception)
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
    peer_policy_unref(reception->policy);
    reception->policy = NULL;
}
