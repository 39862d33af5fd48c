/* One thing that a listener grants. */
#include "daemon/grant.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "conf/resolve.h"

bool grant_key_equal(const struct grant_key *a, const struct grant_key *b)
{
    return a->of_user == b->of_user && a->profile == b->profile &&
           (!a->of_user || a->uid == b->uid);
}

void grant_destroy(struct grant *grant)
{
    list_remove(&grant->link);
    pool_unref(grant->pool);
    binding_unref(grant->binding);
    free(grant->fault);
    free(grant->user_name);
    free(grant);
}

static struct grant *create(struct grant_key key)
{
    struct grant *grant = xcalloc(1, sizeof *grant);
    list_init(&grant->link);
    grant->key = key;
    return grant;
}

static void report(const struct resolve_result *result, const char *prefix, struct diag_list *diags)
{
    for (size_t i = 0; i < result->warnings_count; i++)
        diag_warning(diags, "%s%s", prefix, result->warnings[i]);
    if (result->binding == NULL)
        diag_error(diags, result->err.exit_code, "%s%s", prefix, result->err.message);
}

struct grant *grant_resolve_plain(const struct grant_source *source, int profile,
                                  struct diag_list *diags)
{
    struct grant *grant = create((struct grant_key){.profile = profile});
    const struct listener_config *listener = source->listener;
    struct grant_request request;
    struct resolve_result result = {0};
    struct err err = {0};
    if (grant_request_plain(listener, source->environment, &request, &err)) {
        grant_request_choose(&request, listener->peers, profile);
        resolve(&request.request, &result);
        if (diags != NULL)
            report(&result, source->prefix, diags);
        err = result.err;
    } else if (diags != NULL) {
        diag_error(diags, err.exit_code, "%s%s", source->prefix, err.message);
    }
    if (result.binding != NULL)
        grant->binding = binding_ref(result.binding);
    else if (profile == GRANT_OWN_PROFILE)
        grant->fault = xasprintf("choose a profile by %s: without one, %s",
                                 listener->peers->client_header, err.message);
    else
        grant->fault = xasprintf("profile %s cannot be used: %s",
                                 listener->peers->client_profiles[profile], err.message);
    resolve_result_finish(&result);
    grant_request_finish(&request);
    return grant;
}

struct grant *grant_resolve_row(const struct peer_policy *policy, const struct grant_user *user,
                                int profile)
{
    struct grant *grant =
        create((struct grant_key){.of_user = true, .uid = user->uid, .profile = profile});
    const struct peer_row *row = peer_policy_row(policy, user->uid);
    struct resolve_result result = {0};
    struct err err = {0};
    struct grant_request request;
    if (grant_request_row(row, user, &request, &err)) {
        grant_request_choose(&request, policy, profile);
        resolve(&request.request, &result);
        err = result.err;
    }
    if (result.binding != NULL)
        grant->binding = binding_ref(result.binding);
    else
        grant->fault = xasprintf("the profile for the user with uid %u (row %s, %s) cannot be "
                                 "used: %s",
                                 (unsigned)user->uid, row->user, row->place, err.message);
    grant->user_name = user->name != NULL ? xstrdup(user->name) : NULL;
    grant_request_finish(&request);
    resolve_result_finish(&result);
    return grant;
}
