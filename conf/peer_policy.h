/*
 * What a listener grants to whom: the users that may connect (`peer_users`), whose profile file and
 * profile each of them gets (`profile_by_peer`), and which profiles a client may choose
 * (`profile_from_client`).
 *
 * Owner: reference counted, because connections keep the policy they were judged by when the
 * configuration is read anew. It does not change once the configuration is loaded.
 */
#ifndef SPARKBRIDGE_CONF_PEER_POLICY_H
#define SPARKBRIDGE_CONF_PEER_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/err.h"
#include "conf/peer_users.h"

enum { PEER_ROWS_MAX = 256, CLIENT_PROFILES_MAX = 16, CLIENT_HEADER_MAX_BYTES = 64 };

/* One row of profile_by_peer. */
struct peer_row {
    bool is_default;      /* for every user without a row of his own */
    uid_t uid;            /* unless is_default */
    char *user;           /* owned; as written */
    char *place;          /* owned; "sparkbridge.yaml:9:7" */
    char *config_file;    /* owned; may have %u (user name), %U (user id) and %% in it */
    char *profile;        /* owned; NULL: the file's default profile */
    char *profile_source; /* owned; NULL where it was not said */
};

struct peer_policy {
    unsigned refs;
    struct peer_users users;
    struct peer_row *rows; /* owned */
    size_t row_count;
    char *client_header;    /* owned; lower case */
    char **client_profiles; /* owned */
    size_t client_profile_count;
};

/* One reference and nothing in it. */
struct peer_policy *peer_policy_create(void);
struct peer_policy *peer_policy_ref(struct peer_policy *policy);
void peer_policy_unref(struct peer_policy *policy); /* accepts NULL */

/* Would everybody get the same answers? Places do not matter. */
bool peer_policy_equal(const struct peer_policy *a, const struct peer_policy *b);

/* Begins a row for a user name, "#UID", "self" or "default", also where the text is at fault: what
 * follows in the file belongs to it. `err` quotes the text. */
bool peer_policy_add_row(struct peer_policy *policy, const char *user, const char *place,
                         struct err *err);
bool peer_policy_add_client_profile(struct peer_policy *policy, const char *name, struct err *err);
bool peer_policy_set_client_header(struct peer_policy *policy, const char *name, struct err *err);

/* The user's own row, else the default row, else NULL. */
const struct peer_row *peer_policy_row(const struct peer_policy *policy, uid_t uid);

/* Has the user to be looked up, for a name or groups, before he can be judged? */
bool peer_policy_needs_lookup(const struct peer_policy *policy, uid_t uid);

/* The index of a profile that clients may choose, or -1. */
int peer_policy_client_profile(const struct peer_policy *policy, const char *name);

/* The row's file for a user; `name` may be NULL where it is not known. NULL, with a sentence, where
 * the name cannot stand in a path. The caller frees it. */
char *peer_row_path(const struct peer_row *row, uid_t uid, const char *name, struct err *err);

/* Is it another file for each user? */
bool peer_row_names_user(const struct peer_row *row);

/* Fails, with a sentence, where the path of any known user's file is inside the home of a user who
 * is neither root nor the daemon's own: whoever owns a directory decides what the names in it lead
 * to. Reads the user database. */
bool peer_row_check_homes(const struct peer_row *row, struct err *err);

#endif
