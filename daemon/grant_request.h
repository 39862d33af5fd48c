/*
 * What one grant of a listener is resolved from: its own part of the configuration, or a user's row
 * of profile_by_peer. `run` and `check` resolve it to be used, `explain` to be shown.
 *
 * Owner: the caller; grant_request_finish(). `request` borrows from it, from the configuration and
 * from the environment.
 */
#ifndef SPARKBRIDGE_DAEMON_GRANT_REQUEST_H
#define SPARKBRIDGE_DAEMON_GRANT_REQUEST_H

#include <stdbool.h>
#include <sys/types.h>

#include "conf/config.h"
#include "conf/resolve.h"

enum { GRANT_OWN_PROFILE = -1 }; /* the client has not chosen any */

struct grant_user {
    uid_t uid;
    const char *name; /* borrowed; NULL where it is not known */
};

struct grant_request {
    struct resolve_request request;
    struct secret token; /* of the listener's token file */
    char *path;          /* owned; the row's profile file for this user, NULL without a row */
};

/* By the listener's own part, which has no rows. Fails where the token file cannot be used; then
 * there is nothing to finish, as with the next one. */
bool grant_request_plain(const struct listener_config *listener, char *const *environment,
                         struct grant_request *ret_request, struct err *err);

/* By a row, for one of its users. The daemon's environment is no source of it, and its file one
 * that nobody else can have put there. Fails where there is no path for this user. */
bool grant_request_row(const struct peer_row *row, const struct grant_user *user,
                       struct grant_request *ret_request, struct err *err);

/* What the client chose, by its index or GRANT_OWN_PROFILE, takes the place of the profile. */
void grant_request_choose(struct grant_request *request, const struct peer_policy *policy,
                          int profile);

void grant_request_finish(struct grant_request *request); /* accepts a zeroed one */

#endif
