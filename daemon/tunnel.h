/*
 * A way through a proxy, by libcurl's multi interface on the loop: HTTP CONNECT and SOCKS with all
 * their ways of authentication, and the hosts that go without the proxy. libcurl then hands the
 * connected socket over. Proxies that are themselves reached over TLS are refused in the
 * configuration, because such a socket cannot be handed over.
 *
 * Owner: a struct tunnels is one for the process; a tunnel ends by calling back once, or silently
 * by tunnel_cancel(). libcurl is loaded for the first of them, also when the sandbox is closed by
 * then; where that fails the tunnel does, with CONNECT_FAILED_PROXY, and the next tries again.
 * There is no limit of time: the caller cancels. Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_TUNNEL_H
#define SPARKBRIDGE_DAEMON_TUNNEL_H

#include <uv.h>

#include "daemon/connect_way.h"

struct tunnels;
struct tunnel;

struct tunnels *tunnels_create(uv_loop_t *loop);

/* All tunnels have ended. The loop must run once more for its handles to close. */
void tunnels_destroy(struct tunnels *tunnels);

/* Starts, to a target that has a proxy. The callback never comes before this returns. */
struct tunnel *tunnel_start(struct tunnels *tunnels, const struct connect_target *target,
                            connect_end_callback callback, void *owner);

/* The callback will not be called; accepts NULL. */
void tunnel_cancel(struct tunnel *tunnel);

#endif
