/*
 * Which users of the machine may use a listener: `peer_users`.
 *
 * Names become ids when the configuration is read, so that a name that does not exist is found
 * before anybody connects, and no name service is asked later. Which groups a user is in is not
 * known here; whoever has a user to judge brings that along.
 *
 * Owner: whoever embeds it; peer_users_finish(). A list has at most PEER_USERS_MAX entries.
 */
#ifndef SPARKBRIDGE_CONF_PEER_USERS_H
#define SPARKBRIDGE_CONF_PEER_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/strbuf.h"

enum { PEER_USERS_MAX = 64 };

enum peer_user_kind {
    PEER_USER_ID,    /* a user name, "#1001" or "self", the daemon's own effective user */
    PEER_USER_GROUP, /* "@analysts": those whose primary or supplementary group it is */
    PEER_USER_ANY,   /* "any": everybody, also whoever cannot be told */
};

struct peer_user {
    enum peer_user_kind kind;
    uid_t uid;
    gid_t gid;
    char *text; /* owned; as written */
};

struct peer_users {
    struct peer_user *items; /* owned */
    size_t count;
};

/* Reads one entry. On failure `err` has a sentence that quotes it and says that one of `forms`
 * would be right. Asks the system's user database, which may be a network service. The caller frees
 * the text. */
bool peer_user_parse(const char *text, const char *forms, struct peer_user *ret_user,
                     struct err *err);

/* Reads one and adds it. */
bool peer_users_add(struct peer_users *users, const char *text, struct err *err);

/* Everybody may, and nobody is asked who he is. */
bool peer_users_any(const struct peer_users *users);
bool peer_users_have(const struct peer_users *users, uid_t uid);
bool peer_users_have_group(const struct peer_users *users, gid_t gid);
/* Can being in a group make a difference? */
bool peer_users_name_groups(const struct peer_users *users);

/* "alice, #1001, @analysts", for a sentence. */
void peer_users_describe(const struct peer_users *users, struct strbuf *out);

bool peer_users_equal(const struct peer_users *a, const struct peer_users *b);
void peer_users_finish(struct peer_users *users);

#endif
