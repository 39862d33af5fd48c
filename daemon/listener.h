/*
 * A listener: the sockets of one entry of the configuration, and the clients that came by them.
 *
 * Owner: the bridge. listener_stop() ends accepting and lets clients finish; on_idle comes when the
 * last has gone. listener_destroy() ends everything at once; the memory goes when libuv has let go
 * of the handles. Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_LISTENER_H
#define SPARKBRIDGE_DAEMON_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "conf/address.h"
#include "daemon/access.h"
#include "daemon/engine.h"
#include "daemon/reception.h"

struct listener;

/* What `config` names outlives it. `on_idle` is told, with `owner`, each time the last client of a
 * stopped listener has gone; it may destroy the listener. */
struct listener *listener_create(const struct reception_config *config,
                                 void (*on_idle)(void *owner), void *owner);

/* Clients that come, and calls that begin, from now on get what `access` grants; where others may
 * use it than before, clients that are there are told to connect again (GOAWAY). To be said before
 * the first listener_open(). */
void listener_use(struct listener *listener, struct access *access);

/* Binds one address of the configuration and begins to accept. "localhost" binds both families or
 * fails. EX_CANTCREAT, with the remedy, on failure. */
bool listener_open(struct listener *listener, const struct listen_address *address,
                   unsigned socket_mode, struct err *err);

/* Does it have sockets for that address, as written? */
bool listener_has(const struct listener *listener, const char *address_text);

/* Moves the sockets of an address, as written, from another listener. */
void listener_take(struct listener *listener, struct listener *from, const char *address_text);

/* Closes the sockets for which `keep` says no. Their clients stay. */
void listener_close_sockets(struct listener *listener,
                            bool (*keep)(const void *arg, const char *address_text),
                            const void *arg);

/* What `status` shows: each address as it was bound, with the port that the kernel chose. */
void listener_each_address(const struct listener *listener,
                           void (*visit)(void *arg, const char *address), void *arg);
void listener_count(const struct listener *listener, size_t *ret_clients, size_t *ret_calls);

/* Stops accepting, removes Unix sockets, tells clients by GOAWAY. */
void listener_stop(struct listener *listener);
bool listener_is_idle(const struct listener *listener);

/* Ends the calls that still run as lost, so that their clients hear of it when the loop turns. */
void listener_abort_calls(struct listener *listener, const char *reason);

void listener_destroy(struct listener *listener); /* accepts NULL */

#endif
