/* May this peer use the listener? */
#include "daemon/admission.h"

#include <stdio.h>
#include <string.h>

#include "common/strbuf.h"

enum { LISTED_BYTES = 300 }; /* of those who may, in a sentence */

bool admission_needs_user(const struct peer_policy *policy, const struct peer *peer)
{
    return peer->known && peer->user == NULL && peer_policy_needs_lookup(policy, peer->uid);
}

void admission_name(const struct peer *peer, char ret_text[ADMISSION_NAME_SIZE])
{
    if (!peer->known)
        snprintf(ret_text, ADMISSION_NAME_SIZE, "an unknown user");
    else if (peer->user != NULL && peer->user->name != NULL)
        snprintf(ret_text, ADMISSION_NAME_SIZE, "user %.64s (uid %u)", peer->user->name,
                 (unsigned)peer->uid);
    else
        snprintf(ret_text, ADMISSION_NAME_SIZE, "the user with uid %u", (unsigned)peer->uid);
}

static bool is_in_group(const struct peer_users *users, const struct user *user)
{
    for (size_t i = 0; user != NULL && i < user->group_count; i++)
        if (peer_users_have_group(users, user->groups[i]))
            return true;
    return false;
}

static bool is_listed(const struct peer_users *users, const struct peer *peer)
{
    return peer->known && (peer_users_have(users, peer->uid) || is_in_group(users, peer->user));
}

static bool refuse_unknown(const struct peer *peer, struct rpc_status *ret_status)
{
    rpc_status_set(ret_status, GRPC_PERMISSION_DENIED, "PEER_UNKNOWN",
                   "sparkbridge: this port is for certain local users, and it cannot be told which "
                   "user connects: %s",
                   peer->unknown);
    return false;
}

static bool refuse_unlisted(const struct peer_users *users, const struct peer *peer,
                            struct rpc_status *ret_status)
{
    char name[ADMISSION_NAME_SIZE];
    struct strbuf listed = {.limit = LISTED_BYTES};
    admission_name(peer, name);
    peer_users_describe(users, &listed);
    rpc_status_set(ret_status, GRPC_PERMISSION_DENIED, "PEER_REFUSED",
                   "sparkbridge: %s may not use this port, which is for %s%s: run a sparkbridge of "
                   "your own, or have its owner add you to peer_users",
                   name, strbuf_text(&listed), listed.cut ? "..." : "");
    strbuf_finish(&listed);
    return false;
}

static bool refuse_rowless(const struct peer *peer, struct rpc_status *ret_status)
{
    char name[ADMISSION_NAME_SIZE];
    admission_name(peer, name);
    rpc_status_set(ret_status, GRPC_PERMISSION_DENIED, "PEER_HAS_NO_PROFILE",
                   "sparkbridge: %s has no profile here: have the administrator add a row to "
                   "profile_by_peer",
                   name);
    return false;
}

bool admission_check(const struct peer_policy *policy, const struct peer *peer,
                     struct rpc_status *ret_status)
{
    const struct peer_users *users = &policy->users;
    /* Without peer_users the rows say who may. */
    bool listed =
        users->count == 0 ? policy->row_count > 0 : peer_users_any(users) || is_listed(users, peer);
    if (!peer->known && (!listed || policy->row_count > 0))
        return refuse_unknown(peer, ret_status);
    if (!listed)
        return refuse_unlisted(users, peer, ret_status);
    if (policy->row_count > 0 && peer_policy_row(policy, peer->uid) == NULL)
        return refuse_rowless(peer, ret_status);
    return true;
}
