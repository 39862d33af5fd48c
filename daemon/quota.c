/* What clients use of the bridge, against the limits of the configuration. */
#include "daemon/quota.h"

#include <stdlib.h>
#include <uv.h>

#include "common/alloc.h"

struct quota_user {
    struct list link; /* the quota's list */
    struct quota *quota;
    uid_t uid;
    unsigned connections, calls;
};

void quota_init(struct quota *quota, const struct byte_pool *pool)
{
    *quota = (struct quota){.pool = pool, .unused_since_ns = uv_hrtime()};
    list_init(&quota->users);
    list_init(&quota->unused);
    list_init(&quota->idle);
    list_init(&quota->leaving);
}

static struct quota_user *find_user(struct quota *quota, uid_t uid)
{
    list_for_each(node, &quota->users)
    {
        struct quota_user *user = container_of(node, struct quota_user, link);
        if (user->uid == uid)
            return user;
    }
    return NULL;
}

static struct quota_user *add_user(struct quota *quota, uid_t uid)
{
    struct quota_user *user = xcalloc(1, sizeof *user);
    user->quota = quota;
    user->uid = uid;
    list_append(&quota->users, &user->link);
    return user;
}

/* RESOURCE_EXHAUSTED, which Spark's clients show at once and do not repeat. */
static void refuse(struct rpc_status *ret_status, const char *who, unsigned limit, const char *key)
{
    rpc_status_set(ret_status, GRPC_RESOURCE_EXHAUSTED, "TOO_MANY",
                   "sparkbridge: %s %u at once, as many as %s allows; end some, or raise it", who,
                   limit, key);
}

void quota_begin_idle(struct quota_user *user, struct quota_idle *idle)
{
    list_remove(&idle->link);
    idle->user = user;
    list_append(idle->has_called ? &user->quota->idle : &user->quota->unused, &idle->link);
}

static void add_leaving(struct quota *quota, struct quota_idle *idle)
{
    unsigned count = 0;
    list_append(&quota->leaving, &idle->link);
    list_for_each(node, &quota->leaving) count++;
    if (count > QUOTA_MAX_LEAVING) {
        struct quota_idle *oldest = list_first(&quota->leaving, struct quota_idle, link);
        oldest->on_evict(oldest);
    }
}

/* Ends an idle connection, of that user where it is not NULL; false where there is none. */
static bool evict_from(struct quota *quota, const struct list *list, const struct quota_user *of)
{
    list_for_each(node, list)
    {
        struct quota_idle *idle = container_of(node, struct quota_idle, link);
        if (of != NULL && idle->user != of)
            continue;
        list_remove(node);
        add_leaving(quota, idle); /* first: one that is ending already goes at once */
        idle->on_evict(idle);
        return true;
    }
    return false;
}

static void evict(struct quota *quota, const struct quota_user *of)
{
    if (!evict_from(quota, &quota->unused, of))
        evict_from(quota, &quota->idle, of);
}

struct quota_user *quota_connect(struct quota *quota, uid_t uid, struct rpc_status *ret_status)
{
    const struct client_limits *limits = &quota->limits;
    struct quota_user *user = find_user(quota, uid);
    if (user != NULL && user->connections >= limits->connections_per_user)
        evict(quota, user);
    else if (quota->connections >= limits->connections)
        evict(quota, NULL);
    user = find_user(quota, uid); /* its last connection may have been the idle one */
    if (quota->connections >= limits->connections) {
        refuse(ret_status, "its clients have opened connections,", limits->connections,
               "limits.connections");
        return NULL;
    }
    if (user != NULL && user->connections >= limits->connections_per_user) {
        refuse(ret_status, "this user has opened connections,", limits->connections_per_user,
               "limits.connections_per_user");
        return NULL;
    }
    if (user == NULL)
        user = add_user(quota, uid);
    user->connections++;
    quota->connections++;
    return user;
}

void quota_disconnect(struct quota_user *user)
{
    if (user == NULL)
        return;
    if (--user->quota->connections == 0)
        user->quota->unused_since_ns = uv_hrtime();
    if (--user->connections > 0)
        return;
    list_remove(&user->link);
    free(user);
}

bool quota_begin_call(struct quota_user *user, struct rpc_status *ret_status)
{
    struct quota *quota = user->quota;
    const struct client_limits *limits = &quota->limits;
    if (quota->pool->used_bytes > limits->buffer_bytes) {
        quota_overdrawn_status(quota, ret_status);
        return false;
    }
    if (quota->calls >= limits->calls) {
        refuse(ret_status, "its clients have calls running,", limits->calls, "limits.calls");
        return false;
    }
    if (user->calls >= limits->calls_per_user) {
        refuse(ret_status, "this user has calls running,", limits->calls_per_user,
               "limits.calls_per_user");
        return false;
    }
    user->calls++;
    quota->calls++;
    return true;
}

void quota_end_call(struct quota_user *user)
{
    user->calls--;
    user->quota->calls--;
}

bool quota_is_overdrawn(const struct quota *quota, size_t held_bytes)
{
    size_t budget = quota->limits.buffer_bytes;
    return quota->pool->used_bytes > budget && held_bytes > budget / (quota->calls + 1);
}

void quota_overdrawn_status(const struct quota *quota, struct rpc_status *ret_status)
{
    rpc_status_set(ret_status, GRPC_RESOURCE_EXHAUSTED, "BUFFERS_FULL",
                   "sparkbridge: clients that read slowly have it hold %zu MiB already; try again "
                   "later, or raise limits.buffer_bytes in its configuration",
                   quota->limits.buffer_bytes >> 20);
}
