/*
 * What clients use of the bridge, in total and per user, against the limits of the configuration:
 * connections, calls, and bytes that wait on one side of a call to leave on the other.
 *
 * Owner: whoever serves, one for the process; it outlives all connections. A user's account is
 * there while the user has connections. Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_QUOTA_H
#define SPARKBRIDGE_DAEMON_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/byte_queue.h"
#include "common/list.h"
#include "conf/limits.h"
#include "proto/rpc_status.h"

enum { QUOTA_MAX_LEAVING = 64 };

/* The account of those whose user is not known. */
#define QUOTA_UNKNOWN_USER ((uid_t)-1)

struct quota {
    struct client_limits limits;  /* may be replaced at any time: they count for what begins then */
    const struct byte_pool *pool; /* borrowed: where bodies are buffered */
    unsigned connections, calls;
    uint64_t unused_since_ns; /* uv_hrtime() when the last connection ended */
    struct list users;
    struct list unused;  /* connections that never had a call, the oldest first */
    struct list idle;    /* that have none now, the longest so first */
    struct list leaving; /* that were evicted and are not gone, the oldest first */
};

/* One user's account. */
struct quota_user;

/* A connection that carries no call. Where there are as many as are allowed one of these makes
 * place for the next, so that clients which keep theirs shut out nobody: the oldest that never had
 * a call, so that a flood of connections ends its own, else the one that has been idle for longest.
 * Owner: the connection, which embeds it; list_init() its link first, and list_remove() it when a
 * call begins and at the end. */
struct quota_idle {
    struct list link;
    const struct quota_user *user;
    bool has_called; /* for the owner to say */
    /* The connection has to end, and to give its account back at once; it may stay for a moment to
     * tell its client, or be gone when this returns. Where too many stay, this comes again: then it
     * has to be gone. */
    void (*on_evict)(struct quota_idle *idle);
};

void quota_init(struct quota *quota, const struct byte_pool *pool);

/* Counts a connection, in the place of an idle one where need be; NULL, with the status that its
 * calls deserve, where there are too many. */
struct quota_user *quota_connect(struct quota *quota, uid_t uid, struct rpc_status *ret_status);
void quota_disconnect(struct quota_user *user); /* accepts NULL */

/* The connection carries no call from now on. */
void quota_begin_idle(struct quota_user *user, struct quota_idle *idle);

/* Counts a call; false, with the status it deserves, where there are too many. */
bool quota_begin_call(struct quota_user *user, struct rpc_status *ret_status);
void quota_end_call(struct quota_user *user);

/* Are more bytes buffered than there may be, and is a body that holds so many of them one of those
 * that cause it? A body that holds less than its share never is, so that the slow do not end the
 * calls of the quick. All together hold at most twice the limit. */
bool quota_is_overdrawn(const struct quota *quota, size_t held_bytes);

/* The status of a call that is ended for it. */
void quota_overdrawn_status(const struct quota *quota, struct rpc_status *ret_status);

#endif
