/*
 * What a listener grants: which calls it lets pass, and for each user and each profile a client may
 * choose, the workspace that they go to.
 *
 * Made in two steps: access_load() resolves what the configuration names, and access_open() gives
 * each result a pool. Those of the default row of profile_by_peer are resolved when the first call
 * of a user comes; of more than ACCESS_MAX_USERS the one longest unused is forgotten. A user's
 * calls, pools and credentials are his own: two users never share a pool, even where their profiles
 * are the same. Owner: reference counted by a setup, a listener's clients and their calls. Loop
 * thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_ACCESS_H
#define SPARKBRIDGE_DAEMON_ACCESS_H

#include <stdbool.h>

#include "conf/binding.h"
#include "conf/config.h"
#include "conf/diag.h"
#include "daemon/grant.h"
#include "daemon/header_list.h"
#include "daemon/peer.h"
#include "daemon/policy.h"
#include "daemon/pool.h"
#include "proto/rpc_status.h"

enum { ACCESS_MAX_USERS = 256 };

struct access;

/* Resolves a listener. A fault of the listener's own binding or of its client secret is an error,
 * and then NULL comes; one
 * of a user's row, or of a profile that clients may choose, concerns only their calls, and is a
 * warning. `prefix` goes in front of what is said. */
struct access *access_load(const struct listener_config *listener, const char *prefix,
                           char *const *environment, struct diag_list *diags);
struct access *access_ref(struct access *access);
void access_unref(struct access *access); /* accepts NULL */

/* Makes the pools, by `config` without its binding. Pools of `old` (or NULL) that would do the same
 * for the same user are taken over. */
void access_open(struct access *access, const struct pool_config *config, struct access *old);

/* Could access_open() take over all of the old one's pools? */
bool access_is_same(const struct access *access);

struct peer_policy *access_peers(const struct access *access); /* who may use it */
struct policy *access_policy(const struct access *access);     /* what calls may be */

/* The listener's own binding; NULL where users have rows, or clients have to choose. */
const struct binding *access_binding(const struct access *access);

/* Everything that is granted now. */
void access_each(const struct access *access, void (*visit)(void *arg, const struct grant *grant),
                 void *arg);

/* The pool for a call, borrowed, or NULL and why not. The header by which clients choose is taken
 * out of the request. */
struct pool *access_route(struct access *access, const struct peer *peer,
                          struct header_list *request, struct rpc_status *ret_status);

#endif
