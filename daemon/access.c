/* What a listener grants. */
#include "daemon/access.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/strbuf.h"
#include "daemon/admission.h"
#include "daemon/grant.h"

struct access {
    unsigned refs;
    struct peer_policy *peers; /* owned reference */
    struct policy *policy;     /* owned */
    struct list grants;        /* of the listener and of rows that name a user */
    struct list users;         /* of the default row, least recently used first */
    size_t user_count;         /* grants in `users` */
    bool same;                 /* all pools were taken over from the one before */

    /* What pools are made of; owned, but for engine and connector. */
    struct pool_config pool;
    struct secret proxy; /* may hold a password */
    char *no_proxy, *via;
};

static void add(struct list *list, struct grant *grant)
{
    list_append(list, &grant->link);
}

static struct grant *find_in(const struct list *list, const struct grant_key *key)
{
    list_for_each(node, list)
    {
        struct grant *grant = container_of(node, struct grant, link);
        if (grant_key_equal(&grant->key, key))
            return grant;
    }
    return NULL;
}

static struct grant *find(const struct access *access, const struct grant_key *key)
{
    struct grant *grant = find_in(&access->grants, key);
    return grant != NULL ? grant : find_in(&access->users, key);
}

/* ---- resolving --------------------------------------------------------------------------------
 */

static void destroy_list(struct list *list)
{
    list_for_each(node, list) grant_destroy(container_of(node, struct grant, link));
}

static void warn(const struct grant *grant, const char *prefix, struct diag_list *diags)
{
    if (grant->binding == NULL)
        diag_warning(diags, "%s%s", prefix, grant->fault);
}

/* The listener's own, with each profile that clients may choose. */
static bool load_plain(struct access *access, const struct grant_source *source,
                       struct diag_list *diags)
{
    bool must = access->peers->client_profile_count == 0;
    struct grant *own = grant_resolve_plain(source, GRANT_OWN_PROFILE, must ? diags : NULL);
    add(&access->grants, own);
    if (own->binding == NULL && must)
        return false;
    for (size_t i = 0; i < access->peers->client_profile_count; i++) {
        struct grant *grant = grant_resolve_plain(source, (int)i, NULL);
        add(&access->grants, grant);
        warn(grant, source->prefix, diags);
    }
    return true;
}

static void load_rows(struct access *access, const char *prefix, struct diag_list *diags)
{
    for (size_t i = 0; i < access->peers->row_count; i++) {
        const struct peer_row *row = &access->peers->rows[i];
        /* A name has to be looked up, and the default row's users are not known. */
        if (row->is_default || strstr(row->config_file, "%u") != NULL)
            continue;
        for (int profile = GRANT_OWN_PROFILE; profile < (int)access->peers->client_profile_count;
             profile++) {
            struct grant *grant =
                grant_resolve_row(access->peers, &(struct grant_user){.uid = row->uid}, profile);
            add(&access->grants, grant);
            warn(grant, prefix, diags);
        }
    }
}

static bool load_policy(struct access *access, const struct grant_source *source,
                        struct diag_list *diags)
{
    struct secret secret = {0};
    struct err err = {0};
    if (!listener_config_client_secret(source->listener, &secret, &err))
        return diag_error(diags, err.exit_code, "%s%s", source->prefix, err.message);
    access->policy = policy_create(source->listener, &secret);
    return true;
}

struct access *access_load(const struct listener_config *listener, const char *prefix,
                           char *const *environment, struct diag_list *diags)
{
    struct access *access = xcalloc(1, sizeof *access);
    const struct grant_source source = {listener, prefix, environment};
    access->refs = 1;
    access->peers = peer_policy_ref(listener->peers);
    list_init(&access->grants);
    list_init(&access->users);
    bool ok = load_policy(access, &source, diags);
    if (access->peers->row_count > 0)
        load_rows(access, prefix, diags);
    else
        ok = load_plain(access, &source, diags) && ok;
    if (ok)
        return access;
    access_unref(access);
    return NULL;
}

struct access *access_ref(struct access *access)
{
    access->refs++;
    return access;
}

void access_unref(struct access *access)
{
    if (access == NULL || --access->refs > 0)
        return;
    destroy_list(&access->grants);
    destroy_list(&access->users);
    peer_policy_unref(access->peers);
    policy_destroy(access->policy);
    tls_context_unref(access->pool.tls);
    secret_finish(&access->proxy);
    free(access->no_proxy);
    free(access->via);
    free(access);
}

/* ---- pools ------------------------------------------------------------------------------------
 */

/* Gives the grant a pool, that of the old one where it would do the same. */
static bool open_grant(const struct access *access, struct grant *grant, const struct grant *old)
{
    struct pool_config config = access->pool;
    if (grant->binding == NULL)
        return old != NULL && old->binding == NULL;
    config.binding = grant->binding;
    bool same = old != NULL && old->pool != NULL && pool_matches(old->pool, &config);
    grant->pool = same ? pool_ref(old->pool) : pool_create(&config);
    return same;
}

/* Users of the default row that the old one had resolved: once more, from the files as they are. */
static bool take_over_users(struct access *access, const struct access *old)
{
    bool same = true;
    list_for_each(node, &old->users)
    {
        const struct grant *before = container_of(node, struct grant, link);
        const struct peer_row *row = peer_policy_row(access->peers, before->key.uid);
        if (row == NULL || find(access, &before->key) != NULL ||
            before->key.profile >= (int)access->peers->client_profile_count)
            continue;
        const struct grant_user user = {before->key.uid, before->user_name};
        struct grant *grant = grant_resolve_row(access->peers, &user, before->key.profile);
        same = open_grant(access, grant, before) && same;
        add(&access->users, grant);
        access->user_count++;
    }
    return same;
}

void access_open(struct access *access, const struct pool_config *config, struct access *old)
{
    if (config->proxy != NULL)
        secret_set(&access->proxy, config->proxy, strlen(config->proxy));
    access->no_proxy = config->no_proxy != NULL ? xstrdup(config->no_proxy) : NULL;
    access->via = config->via != NULL ? xstrdup(config->via) : NULL;
    access->pool = *config;
    access->pool.via = access->via;
    access->pool.proxy = access->proxy.bytes;
    access->pool.no_proxy = access->no_proxy;
    access->pool.tls = tls_context_ref(config->tls);
    access->same = true;
    list_for_each(node, &access->grants)
    {
        struct grant *grant = container_of(node, struct grant, link);
        const struct grant *before = old != NULL ? find(old, &grant->key) : NULL;
        access->same = open_grant(access, grant, before) && access->same;
    }
    if (old != NULL)
        access->same = take_over_users(access, old) && access->same;
}

bool access_is_same(const struct access *access)
{
    return access->same;
}

struct peer_policy *access_peers(const struct access *access)
{
    return access->peers;
}

struct policy *access_policy(const struct access *access)
{
    return access->policy;
}

const struct binding *access_binding(const struct access *access)
{
    const struct grant_key key = {.profile = GRANT_OWN_PROFILE};
    const struct grant *grant = find_in(&access->grants, &key);
    return grant != NULL ? grant->binding : NULL;
}

void access_each(const struct access *access, void (*visit)(void *arg, const struct grant *grant),
                 void *arg)
{
    list_for_each(node, &access->grants) visit(arg, container_of(node, struct grant, link));
    list_for_each(node, &access->users) visit(arg, container_of(node, struct grant, link));
}

/* ---- a call -----------------------------------------------------------------------------------
 */

static void list_profiles(const struct peer_policy *policy, struct strbuf *out)
{
    for (size_t i = 0; i < policy->client_profile_count; i++)
        strbuf_append_format(out, "%s%s", i > 0 ? ", " : "", policy->client_profiles[i]);
}

static bool refuse_profile(const struct peer_policy *policy, const char *what,
                           struct rpc_status *ret_status)
{
    struct strbuf names = {.limit = 300};
    list_profiles(policy, &names);
    if (policy->client_profile_count == 0)
        strbuf_append_text(&names, "left out: this port lets no client choose");
    rpc_status_set(ret_status, GRPC_INVALID_ARGUMENT, "PROFILE_NOT_ALLOWED",
                   "sparkbridge: %s; %s may be %s%s", what, policy->client_header,
                   strbuf_text(&names), names.cut ? "..." : "");
    strbuf_finish(&names);
    return false;
}

/* Which profile the client chose, and the request without that header. */
static bool take_profile(const struct peer_policy *policy, struct header_list *request,
                         int *ret_profile, struct rpc_status *ret_status)
{
    *ret_profile = GRANT_OWN_PROFILE;
    const char *chosen =
        policy->client_header != NULL ? header_list_find(request, policy->client_header) : NULL;
    if (chosen == NULL)
        return true;
    *ret_profile = peer_policy_client_profile(policy, chosen);
    if (*ret_profile == GRANT_OWN_PROFILE)
        return refuse_profile(policy, "the client chose a profile that it may not use", ret_status);
    if (header_list_remove_all(request, policy->client_header) > 1)
        return refuse_profile(policy, "the client chose a profile more than once", ret_status);
    return true;
}

/* Resolves the user's grant by the default row, in place of the one that was not used for longest.
 * One with a fault is not kept, so that it is over when the file is mended. */
static struct grant *resolve_user(struct access *access, const struct grant_key *key,
                                  const struct peer *peer)
{
    const char *name = peer->user != NULL ? peer->user->name : NULL;
    const struct grant_user user = {key->uid, name};
    struct grant *grant = grant_resolve_row(access->peers, &user, key->profile);
    open_grant(access, grant, NULL);
    if (access->user_count == ACCESS_MAX_USERS) {
        grant_destroy(list_first(&access->users, struct grant, link));
        access->user_count--;
    }
    add(&access->users, grant);
    access->user_count++;
    return grant;
}

static struct grant *grant_for(struct access *access, const struct peer *peer, int profile)
{
    struct grant_key key = {.profile = profile};
    if (access->peers->row_count > 0) {
        key.of_user = true;
        key.uid = peer->uid;
    }
    struct grant *grant = find_in(&access->grants, &key);
    if (grant != NULL || !key.of_user)
        return grant;
    grant = find_in(&access->users, &key);
    if (grant != NULL && grant->binding == NULL) {
        grant_destroy(grant);
        access->user_count--;
        grant = NULL;
    }
    if (grant == NULL)
        return resolve_user(access, &key, peer);
    list_remove(&grant->link);
    add(&access->users, grant);
    return grant;
}

struct pool *access_route(struct access *access, const struct peer *peer,
                          struct header_list *request, struct rpc_status *ret_status)
{
    int profile;
    if (admission_needs_user(access->peers, peer)) {
        rpc_status_set(ret_status, GRPC_UNAVAILABLE, "CONNECT_AGAIN",
                       "sparkbridge: the configuration has changed; connect again");
        return NULL;
    }
    if (!admission_check(access->peers, peer, ret_status) ||
        !take_profile(access->peers, request, &profile, ret_status))
        return NULL;
    struct grant *grant = grant_for(access, peer, profile);
    if (grant->pool == NULL)
        rpc_status_set(ret_status, GRPC_FAILED_PRECONDITION, "PROFILE_UNUSABLE", "sparkbridge: %s",
                       grant->fault);
    return grant->pool;
}
