/*
 * The upstream connections of one binding, and the calls that wait for room on one.
 *
 * Connections are opened on demand; a call goes to the first with room for a stream, and before the
 * last is full another is opened. One that got GOAWAY finishes what it carries while new calls open
 * another. Where a workspace that was reachable before is not, calls wait a moment for it to come
 * back; one that never was fails at once. Owner: reference counted by listeners and calls; with the
 * last reference its connections end, which must not happen inside one of their callbacks. Knows
 * HTTP/2 and TLS, not Spark. Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_POOL_H
#define SPARKBRIDGE_DAEMON_POOL_H

#include "conf/binding.h"
#include "daemon/deadline.h"
#include "daemon/engine.h"
#include "daemon/upstream.h"

enum {
    POOL_MAX_UPSTREAMS = 64,
    /* How long calls wait for a workspace that was reachable before; clients show an error to
     * their user after that, so it is short. */
    POOL_PATIENCE_MS = 2000,
    POOL_RETRY_FIRST_MS = 100, /* of these delays a random part is waited, half of it at least */
    POOL_RETRY_MAX_MS = 1000,
    POOL_SILENT_MS = 1000,      /* for so long a workspace that did not answer is not asked again */
    POOL_AUTHORITY_BYTES = 300, /* a host name has 253 at most */
};

struct pool;

/* What a pool is made of. It keeps references or copies of all but the first two, which outlive
 * it. */
struct pool_config {
    struct engine *engine;
    struct connector *connector;
    struct binding *binding;
    struct tls_context *tls;
    const char *proxy, *no_proxy, *via;               /* as in struct connect_target */
    unsigned connect_timeout_ms, stream_window_bytes; /* as in struct upstream_target */
};

/* A pool with one reference. */
struct pool *pool_create(const struct pool_config *config);

/* Would a pool made of `config` do the same? */
bool pool_matches(const struct pool *pool, const struct pool_config *config);

struct pool *pool_ref(struct pool *pool);
void pool_unref(struct pool *pool); /* accepts NULL */

/* What the pool's connections lead to. Borrowed. */
const struct binding *pool_binding(const struct pool *pool);

/* Its host, and its port where that is not 443, for :authority. Borrowed. */
const char *pool_authority(const struct pool *pool);

/* For the deadlines of its calls. Borrowed. */
struct deadline_set *pool_deadlines(struct pool *pool);
/* How many connections there are, those being made too, and how many calls wait for one. */
void pool_count(const struct pool *pool, size_t *ret_connections, size_t *ret_waiting);

/* Finds room for the stream: on_ready comes now or later, or on_refused. */
void pool_acquire(struct pool *pool, struct upstream_stream *stream);

/* Ends the stream's part in the pool, waiting or attached, resetting what is open. */
void pool_release(struct upstream_stream *stream);

#endif
