/*
 * A listener: the sockets of one entry of the configuration, whose clients' calls go to one pool.
 *
 * Owner: the bridge. listener_stop() closes the sockets; the struct may be freed once libuv has
 * closed their handles, which listener_destroy() sees to. Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_LISTENER_H
#define SPARKBRIDGE_DAEMON_LISTENER_H

#include <stdbool.h>

#include "common/err.h"
#include "common/list.h"
#include "conf/config.h"
#include "daemon/downstream.h"
#include "daemon/pool.h"

struct listener;

/* Accepted connections go to `set`, their calls to `pool`, of which it keeps a reference. */
struct listener *listener_create(struct downstream_set *set, struct pool *pool);

/* Binds one address of the configuration and begins to accept. "localhost" binds both families or
 * fails. EX_CANTCREAT, with the remedy, on failure. */
bool listener_open(struct listener *listener, const struct listen_address *address,
                   unsigned socket_mode, struct err *err);

/* The calls of connections accepted from now on go to `pool`. */
void listener_set_pool(struct listener *listener, struct pool *pool);

/* Stops accepting, removes Unix sockets, and frees itself when libuv lets go. Accepts NULL. */
void listener_destroy(struct listener *listener);

#endif
