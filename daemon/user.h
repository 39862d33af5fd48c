/*
 * What the system's user database says of a user: name and groups.
 *
 * The database may be a directory service that takes seconds to answer, or never does, so it is
 * asked in a thread; the loop goes on, and ends without it. Nothing is kept: name services have
 * caches of their own, and an answer that is asked for with each connection is never out of date.
 */
#ifndef SPARKBRIDGE_DAEMON_USER_H
#define SPARKBRIDGE_DAEMON_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "daemon/workers.h"

enum {
    USER_MAX_GROUPS = 4096, /* further ones do not count */
    USER_MAX_THREADS = 8,   /* of the workers that ask */
};

/* Owner: whoever it is given to; user_destroy(). Does not change. */
struct user {
    char *name;    /* owned; NULL: the database has no such user */
    gid_t *groups; /* owned; primary and supplementary */
    size_t group_count;
};

void user_destroy(struct user *user); /* accepts NULL */

/* A question that is on its way. */
struct user_lookup;

/* Asks; `on_found` comes later, once, with an answer that is the callee's. NULL: there was no
 * thread to ask in. */
struct user_lookup *user_lookup_start(struct workers *workers, uid_t uid,
                                      void (*on_found)(void *owner, struct user *user),
                                      void *owner);

/* The answer is not wanted any more; `on_found` will not come. */
void user_lookup_forget(struct user_lookup *lookup);

#endif
