/* The upstream connections of one binding. */
#include "daemon/pool.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/log.h"
#include "common/log_events.h"
#include "daemon/policy.h"

struct pool {
    unsigned refs;
    struct engine *engine;
    struct binding *binding; /* owned reference: nghttp2 may still point into its secret */
    char authority[POOL_AUTHORITY_BYTES];
    struct upstream_target target; /* its TLS context is an owned reference */
    struct secret proxy;           /* the target's; may hold a password */
    char *no_proxy, *via;          /* owned; the target's */
    struct tls_ticket ticket;      /* likewise */
    struct list upstreams;
    size_t upstream_count;
    struct list waiting;           /* struct upstream_stream, oldest first */
    uv_timer_t *retry;             /* owned */
    unsigned retry_ms;             /* the next delay */
    bool worked;                   /* a connection has been open before */
    struct upstream_fault silence; /* the last one, if it ended by timeout ... */
    uint64_t silent_until_ms;      /* ... and how long it counts */
    struct deadline_set deadlines;
};

static void serve_waiting(struct pool *pool);
static void dial(struct pool *pool);

static struct upstream *find_room(struct pool *pool)
{
    list_for_each(node, &pool->upstreams)
    {
        struct upstream *upstream = upstream_from_link(node);
        if (upstream_has_room(upstream))
            return upstream;
    }
    return NULL;
}

static bool is_dialing(struct pool *pool)
{
    list_for_each(node, &pool->upstreams)
    {
        struct upstream *upstream = upstream_from_link(node);
        if (!upstream_is_open(upstream) && !upstream_is_draining(upstream))
            return true;
    }
    return false;
}

static void refuse_waiting(struct pool *pool, const struct upstream_fault *fault,
                           unsigned patience_ms)
{
    uint64_t now = uv_now(pool->engine->loop);
    list_for_each(node, &pool->waiting)
    {
        struct upstream_stream *stream = container_of(node, struct upstream_stream, link);
        if (now - stream->waiting_since_ms < patience_ms)
            continue;
        list_remove(&stream->link);
        stream->events->on_refused(stream->call, fault);
    }
}

/* A fault that time may cure by itself, unlike a certificate that is not trusted. */
static bool may_pass(const struct upstream_fault *fault)
{
    return fault->kind == UPSTREAM_FAULT_CONNECT || fault->kind == UPSTREAM_FAULT_PROXY ||
           fault->kind == UPSTREAM_FAULT_LOST || fault->kind == UPSTREAM_FAULT_TIMEOUT ||
           fault->kind == UPSTREAM_FAULT_DNS;
}

static void log_end(const struct pool *pool, const struct upstream_fault *fault)
{
    if (fault->kind == UPSTREAM_FAULT_LOST)
        log_fields(LOG_LEVEL_INFO, "upstream connection ended", {"host", pool->binding->host},
                   {"address", fault->address}, {"reason", fault->text});
    else
        log_fields(LOG_LEVEL_WARN, "upstream connection failed", LOG_EVENT_UPSTREAM_FAILED,
                   {"host", pool->binding->host}, {"address", fault->address},
                   {"reason", fault->text});
}

static void on_retry(uv_timer_t *timer)
{
    struct pool *pool = timer->data;
    if (!list_is_empty(&pool->waiting) && find_room(pool) == NULL && !is_dialing(pool))
        dial(pool);
}

/* Between half of the delay and all of it, so that many bridges that lost one workspace do not come
 * back in step. */
static void retry_later(struct pool *pool)
{
    uint16_t random = 0;
    uv_random(NULL, NULL, &random, sizeof random, 0, NULL);
    uint64_t delay_ms = pool->retry_ms / 2 + pool->retry_ms / 2 * (uint64_t)random / UINT16_MAX;
    uv_timer_start(pool->retry, on_retry, delay_ms, 0);
    pool->retry_ms =
        pool->retry_ms * 2 < POOL_RETRY_MAX_MS ? pool->retry_ms * 2 : POOL_RETRY_MAX_MS;
}

static void on_upstream_open(void *owner, struct upstream *upstream)
{
    struct pool *pool = owner;
    pool->worked = true;
    pool->retry_ms = POOL_RETRY_FIRST_MS;
    log_debug("upstream connection to %s is open", pool->binding->host);
    serve_waiting(pool);
}

static void on_upstream_room(void *owner)
{
    serve_waiting(owner);
}

static void on_upstream_end(void *owner, struct upstream *upstream,
                            const struct upstream_fault *fault)
{
    struct pool *pool = owner;
    log_end(pool, fault);
    struct upstream_fault last = *fault; /* it may live in what is freed now */
    if (last.kind == UPSTREAM_FAULT_TIMEOUT) {
        pool->silence = last;
        pool->silent_until_ms = uv_now(pool->engine->loop) + POOL_SILENT_MS;
    }
    pool->upstream_count--;
    upstream_destroy(upstream);
    if (list_is_empty(&pool->waiting) || find_room(pool) != NULL || is_dialing(pool))
        return;
    refuse_waiting(pool, &last, pool->worked && may_pass(&last) ? POOL_PATIENCE_MS : 0);
    if (!list_is_empty(&pool->waiting))
        retry_later(pool);
}

static void dial(struct pool *pool)
{
    static const struct upstream_events events = {
        .on_open = on_upstream_open,
        .on_room = on_upstream_room,
        .on_end = on_upstream_end,
    };
    if (pool->upstream_count >= POOL_MAX_UPSTREAMS)
        return; /* on_room or on_end serves those that wait */
    struct upstream *upstream = upstream_create(&pool->target, &events, pool);
    list_append(&pool->upstreams, upstream_link(upstream));
    pool->upstream_count++;
}

/* A new connection takes several round trips, so it is begun before the last stream is taken. */
static bool is_nearly_full(struct pool *pool)
{
    list_for_each(node, &pool->upstreams)
    {
        struct upstream *upstream = upstream_from_link(node);
        if (upstream_has_room(upstream) && !upstream_is_nearly_full(upstream))
            return false;
    }
    return true;
}

/* SETTINGS_MAX_CONCURRENT_STREAMS of 0: another connection would be told the same. */
static bool is_paused(struct pool *pool)
{
    list_for_each(node,
                  &pool->upstreams) if (upstream_is_paused(upstream_from_link(node))) return true;
    return false;
}

static void serve_waiting(struct pool *pool)
{
    bool served = false;
    struct upstream *upstream;
    while (!list_is_empty(&pool->waiting) && (upstream = find_room(pool)) != NULL) {
        struct upstream_stream *stream = list_first(&pool->waiting, struct upstream_stream, link);
        list_remove(&stream->link);
        upstream_attach(upstream, stream);
        stream->events->on_ready(stream->call);
        served = true;
    }
    bool wanted = !list_is_empty(&pool->waiting) || (served && is_nearly_full(pool));
    if (wanted && !is_dialing(pool) && !is_paused(pool) &&
        !uv_is_active((uv_handle_t *)pool->retry))
        dial(pool);
}

/* A client makes several calls one after the other before it shows a fault: each would wait for the
 * whole of the connect timeout. */
static bool is_silent(struct pool *pool)
{
    return uv_now(pool->engine->loop) < pool->silent_until_ms && find_room(pool) == NULL &&
           !is_dialing(pool);
}

void pool_acquire(struct pool *pool, struct upstream_stream *stream)
{
    if (is_silent(pool)) {
        stream->events->on_refused(stream->call, &pool->silence);
        return;
    }
    stream->waiting_since_ms = uv_now(pool->engine->loop);
    list_append(&pool->waiting, &stream->link);
    serve_waiting(pool);
}

void pool_release(struct upstream_stream *stream)
{
    upstream_detach(stream); /* also takes it off the list of those that wait */
}

struct pool *pool_create(const struct pool_config *config)
{
    struct pool *pool = xcalloc(1, sizeof *pool);
    pool->refs = 1;
    pool->engine = config->engine;
    pool->binding = binding_ref(config->binding);
    policy_authority(pool->binding, pool->authority, sizeof pool->authority);
    if (config->proxy != NULL)
        secret_set(&pool->proxy, config->proxy, strlen(config->proxy));
    pool->no_proxy = config->no_proxy != NULL ? xstrdup(config->no_proxy) : NULL;
    pool->via = config->via != NULL ? xstrdup(config->via) : NULL;
    pool->target = (struct upstream_target){
        .engine = config->engine,
        .connector = config->connector,
        .tls = tls_context_ref(config->tls),
        .address =
            {
                .host = config->binding->host,
                .port = config->binding->port,
                .proxy = pool->proxy.bytes,
                .no_proxy = pool->no_proxy,
                .via = pool->via,
                .timeout_ms = config->connect_timeout_ms,
            },
        .ticket = &pool->ticket,
        .connect_timeout_ms = config->connect_timeout_ms,
        .stream_window_bytes = config->stream_window_bytes,
    };
    list_init(&pool->upstreams);
    list_init(&pool->waiting);
    pool->retry_ms = POOL_RETRY_FIRST_MS;
    pool->retry = xcalloc(1, sizeof *pool->retry);
    uv_timer_init(config->engine->loop, pool->retry);
    pool->retry->data = pool;
    deadline_set_init(&pool->deadlines, config->engine->loop);
    return pool;
}

struct pool *pool_ref(struct pool *pool)
{
    pool->refs++;
    return pool;
}

static void on_retry_closed(uv_handle_t *timer)
{
    free(timer);
}

/* Nobody waits any more, and nothing is attached: calls hold references. */
void pool_unref(struct pool *pool)
{
    if (pool == NULL || --pool->refs > 0)
        return;
    while (!list_is_empty(&pool->upstreams))
        upstream_destroy(upstream_from_link(pool->upstreams.next));
    uv_close((uv_handle_t *)pool->retry, on_retry_closed);
    deadline_set_finish(&pool->deadlines);
    tls_context_unref(pool->target.tls);
    binding_unref(pool->binding);
    secret_finish(&pool->proxy);
    free(pool->no_proxy);
    free(pool->via);
    tls_ticket_finish(&pool->ticket);
    free(pool);
}

static bool text_equal(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool pool_matches(const struct pool *pool, const struct pool_config *config)
{
    return pool->target.tls == config->tls && binding_equal(pool->binding, config->binding) &&
           pool->target.connect_timeout_ms == config->connect_timeout_ms &&
           pool->target.stream_window_bytes == config->stream_window_bytes &&
           text_equal(pool->proxy.bytes, config->proxy) &&
           text_equal(pool->no_proxy, config->no_proxy) && text_equal(pool->via, config->via);
}

const struct binding *pool_binding(const struct pool *pool)
{
    return pool->binding;
}

const char *pool_authority(const struct pool *pool)
{
    return pool->authority;
}

struct deadline_set *pool_deadlines(struct pool *pool)
{
    return &pool->deadlines;
}

void pool_count(const struct pool *pool, size_t *ret_connections, size_t *ret_waiting)
{
    *ret_connections = pool->upstream_count;
    *ret_waiting = 0;
    list_for_each(node, &pool->waiting) *ret_waiting += 1;
}
