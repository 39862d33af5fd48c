/*
 * One thing that a listener grants: to a user, or to all of its users, with one profile, a binding
 * and its pool - or the sentence that says why there is none.
 *
 * Owner: the access whose list it is on; grant_destroy(). Resolving reads files, no network.
 */
#ifndef SPARKBRIDGE_DAEMON_GRANT_H
#define SPARKBRIDGE_DAEMON_GRANT_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/list.h"
#include "conf/binding.h"
#include "conf/config.h"
#include "conf/diag.h"
#include "daemon/grant_request.h"
#include "daemon/pool.h"

struct grant_key {
    bool of_user; /* else the listener's, for everybody */
    uid_t uid;    /* where of_user */
    int profile;  /* index among those that clients may choose, or GRANT_OWN_PROFILE */
};

struct grant {
    struct list link;
    struct grant_key key;
    char *user_name;         /* owned; NULL where it is not known */
    struct binding *binding; /* owned reference, or NULL */
    char *fault;             /* owned: a sentence, where there is no binding */
    struct pool *pool;       /* owned reference, or NULL */
};

/* Where a listener's own binding comes from, all borrowed. */
struct grant_source {
    const struct listener_config *listener;
    const char *prefix; /* of diagnostics; may be empty */
    char *const *environment;
};

bool grant_key_equal(const struct grant_key *a, const struct grant_key *b);

/* The listener's own binding, or with one of the profiles that clients may choose. Warnings and the
 * fault go to `diags`, unless that is NULL. */
struct grant *grant_resolve_plain(const struct grant_source *source, int profile,
                                  struct diag_list *diags);

/* By the user's row, which there has to be. */
struct grant *grant_resolve_row(const struct peer_policy *policy, const struct grant_user *user,
                                int profile);

/* Takes itself off its list. */
void grant_destroy(struct grant *grant);

#endif
