/* One HTTP/2 connection to the workspace. */
#include "daemon/upstream.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "daemon/h2_memory.h"
#include "daemon/keepalive.h"

enum { LONG_QUEUE_FRAMES = 64 };

struct upstream {
    struct list link;                     /* on the pool's list */
    const struct upstream_target *target; /* borrowed: the pool's */
    const struct upstream_events *events;
    void *pool; /* weak: owns us */

    struct connect *connect; /* while connecting */
    uv_timer_t *timer;       /* owned; until it is open, then for keepalive and idleness */
    struct h2 h2;
    bool open; /* TLS is up and the peer's SETTINGS have come */
    bool draining;
    uint64_t opened_ns; /* when our SETTINGS went out ... */
    uint64_t rtt_ns;    /* ... and how long their acknowledgement took; 0 until then */
    struct keepalive keepalive;
    char address[CONNECT_ADDRESS_SIZE];

    struct list streams;         /* attached */
    size_t open_count;           /* submitted or about to be, not closed */
    struct header_list incoming; /* the header block that is arriving */
};

static void end_with(struct upstream *upstream, enum upstream_fault_kind kind, const char *text)
{
    struct upstream_fault fault = {.kind = kind};
    memcpy(fault.address, upstream->address, sizeof fault.address);
    snprintf(fault.text, sizeof fault.text, "%s", text);
    upstream->draining = true;

    /* The session is gone for the bodies before their calls hear of it. */
    struct list streams;
    list_take_all(&streams, &upstream->streams);
    struct upstream_stream *stream;
    while ((stream = list_first(&streams, struct upstream_stream, link)) != NULL) {
        list_remove(&stream->link);
        stream->upstream = NULL;
        stream->open = false;
        struct upstream_reset reset = {
            .error_code = NGHTTP2_NO_ERROR, .fault = &fault, .did_not_run = !stream->sent};
        stream->events->on_reset(stream->call, &reset);
    }
    upstream->h2.unconsumed = 0; /* with the connection its windows are gone */
    upstream->events->on_end(upstream->pool, upstream, &fault);
}

static uint32_t first_window(const struct upstream *upstream)
{
    uint32_t most = upstream->target->stream_window_bytes;
    return most < UPSTREAM_FIRST_WINDOW_BYTES ? most : UPSTREAM_FIRST_WINDOW_BYTES;
}

/* ---- keepalive ------------------------------------------------------------------------------ */

static uint64_t now_of(const struct upstream *upstream)
{
    return uv_now(upstream->target->engine->loop);
}

static void on_keepalive(uv_timer_t *timer);

static void schedule_keepalive(struct upstream *upstream)
{
    uint64_t now = now_of(upstream);
    uint64_t due = keepalive_due_ms(&upstream->keepalive, upstream->open_count > 0);
    uv_timer_start(upstream->timer, on_keepalive, due > now ? due - now : 0, 0);
}

static void heard(struct upstream *upstream, uint8_t frame_type)
{
    bool answers = frame_type == NGHTTP2_HEADERS || frame_type == NGHTTP2_DATA;
    if (keepalive_heard(&upstream->keepalive, now_of(upstream), answers))
        schedule_keepalive(upstream);
}

static void on_keepalive(uv_timer_t *timer)
{
    struct upstream *upstream = timer->data;
    nghttp2_session *session = upstream->h2.session;
    switch (keepalive_step(&upstream->keepalive, now_of(upstream), upstream->open_count > 0)) {
    case KEEPALIVE_LOST:
        end_with(upstream, UPSTREAM_FAULT_LOST, "the workspace does not answer any more");
        return;
    case KEEPALIVE_IDLE:
        upstream->draining = true;
        nghttp2_session_terminate_session(session, NGHTTP2_NO_ERROR);
        h2_mark_dirty(&upstream->h2);
        return;
    case KEEPALIVE_PING:
        nghttp2_submit_ping(session, NGHTTP2_FLAG_NONE, NULL);
        h2_mark_dirty(&upstream->h2);
        break;
    case KEEPALIVE_WAIT: break;
    }
    schedule_keepalive(upstream);
}

/* ---- nghttp2's callbacks: they change state and mark dirty --------------------------------------
 */

static struct upstream_stream *stream_of(struct upstream *upstream, int32_t id)
{
    return h2_stream_data(&upstream->h2, id);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct upstream *upstream = user_data;
    header_list_reset(&upstream->incoming);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user_data)
{
    struct upstream *upstream = user_data;
    header_list_add(&upstream->incoming, (const char *)name, name_len, (const char *)value,
                    value_len, flags);
    return 0; /* one that is too large fails its own call, not the connection */
}

/* The peer's SETTINGS have come: only now it is known how many calls it takes. */
static void become_open(struct upstream *upstream)
{
    upstream->open = true;
    keepalive_init(&upstream->keepalive, now_of(upstream));
    schedule_keepalive(upstream);
    upstream->events->on_open(upstream->pool, upstream);
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct upstream *upstream = user_data;
    bool last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    struct upstream_stream *stream;

    heard(upstream, frame->hd.type);
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        stream = stream_of(upstream, frame->hd.stream_id);
        if (stream != NULL)
            stream->events->on_headers(stream->call, &upstream->incoming, last);
        break;
    case NGHTTP2_DATA:
        stream = stream_of(upstream, frame->hd.stream_id);
        if (stream != NULL && last)
            stream->events->on_last(stream->call);
        break;
    case NGHTTP2_SETTINGS:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0)
            upstream->rtt_ns = uv_hrtime() - upstream->opened_ns;
        else if (!upstream->open)
            become_open(upstream);
        else
            upstream->events->on_room(upstream->pool);
        break;
    case NGHTTP2_GOAWAY: upstream->draining = true; break;
    default: break;
    }
    return 0;
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                         size_t len, void *user_data)
{
    struct upstream *upstream = user_data;
    struct upstream_stream *stream = stream_of(upstream, id);
    h2_received(&upstream->h2, len);
    if (stream != NULL)
        stream->events->on_data(stream->call, bytes, len);
    else
        h2_consume(&upstream->h2, len); /* of a call that is gone */
    return 0;
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct upstream *upstream = user_data;
    if (frame->hd.type == NGHTTP2_HEADERS) {
        struct upstream_stream *stream = stream_of(upstream, frame->hd.stream_id);
        if (stream != NULL)
            stream->sent = true;
    }
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error_code,
                           void *user_data)
{
    struct upstream *upstream = user_data;
    struct upstream_stream *stream = stream_of(upstream, id);
    h2_forget_stream(&upstream->h2, id);
    upstream->open_count--;
    keepalive_restart(&upstream->keepalive, now_of(upstream));
    if (stream != NULL) {
        stream->open = false;
        /* Not sent: GOAWAY came between submitting and flushing. Above GOAWAY's last stream:
         * nghttp2 closes those as refused. */
        struct upstream_reset reset = {
            .error_code = stream->sent ? error_code : NGHTTP2_REFUSED_STREAM,
            .did_not_run = !stream->sent || error_code == NGHTTP2_REFUSED_STREAM,
        };
        stream->events->on_reset(stream->call, &reset);
    }
    upstream->events->on_room(upstream->pool);
    return 0;
}

static ssize_t on_read_request(nghttp2_session *session, int32_t id, uint8_t *buf, size_t len,
                               uint32_t *data_flags, nghttp2_data_source *source, void *user_data)
{
    struct upstream *upstream = user_data;
    struct upstream_stream *stream = stream_of(upstream, id);
    if (stream == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    return body_offer(stream->request, len, data_flags);
}

static int on_send_request(nghttp2_session *session, nghttp2_frame *frame,
                           const uint8_t *frame_header, size_t len, nghttp2_data_source *source,
                           void *user_data)
{
    struct upstream *upstream = user_data;
    struct upstream_stream *stream = stream_of(upstream, frame->hd.stream_id);
    if (stream == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    return body_send(stream->request, frame_header, len);
}

static nghttp2_session *create_session(struct upstream *upstream)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    nghttp2_session *session;
    nghttp2_mem memory = h2_memory(&upstream->target->engine->recycler);
    if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&option) != 0)
        abort(); /* out of memory: nothing else makes these fail */
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, on_send_request);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_max_send_header_block_length(option, (size_t)2 * HEADER_LIST_MAX_BYTES);
    if (nghttp2_session_client_new3(&session, callbacks, upstream, option, &memory) != 0)
        abort();
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);

    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, first_window(upstream)},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HEADER_LIST_MAX_BYTES},
    };
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings,
                            sizeof settings / sizeof settings[0]);
    nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0,
                                          H2_CONNECTION_WINDOW_BYTES);
    return session;
}

/* ---- connecting ----------------------------------------------------------------------------- */

static void on_timer_closed(uv_handle_t *timer)
{
    free(timer);
}

static void stop_timer(struct upstream *upstream)
{
    if (upstream->timer == NULL)
        return;
    uv_close((uv_handle_t *)upstream->timer, on_timer_closed);
    upstream->timer = NULL;
}

static void on_h2_open(void *owner)
{
    struct upstream *upstream = owner;
    upstream->opened_ns = uv_hrtime();
}

static void end_with_fault(struct upstream *upstream, enum tls_fault fault, const char *text)
{
    static const enum upstream_fault_kind kinds[] = {
        [TLS_FAULT_NONE] = UPSTREAM_FAULT_CONNECT,
        [TLS_FAULT_UNTRUSTED] = UPSTREAM_FAULT_UNTRUSTED,
        [TLS_FAULT_WRONG_NAME] = UPSTREAM_FAULT_WRONG_NAME,
        [TLS_FAULT_EXPIRED] = UPSTREAM_FAULT_EXPIRED,
        [TLS_FAULT_NOT_TLS] = UPSTREAM_FAULT_NOT_TLS,
        [TLS_FAULT_NO_H2] = UPSTREAM_FAULT_NO_H2,
        [TLS_FAULT_OTHER] = UPSTREAM_FAULT_TLS,
    };
    /* One that was open worked: also where TLS broke. */
    end_with(upstream, upstream->open ? UPSTREAM_FAULT_LOST : kinds[fault], text);
}

static void on_h2_end(void *owner, const struct transport_end *end)
{
    end_with_fault(owner, end->fault, end->text);
}

static void on_connected(void *owner, const struct connect_result *result)
{
    static const struct h2_events h2_events = {
        .turn = FLUSH_LAST,
        .on_open = on_h2_open,
        .on_end = on_h2_end,
    };
    struct upstream *upstream = owner;
    upstream->connect = NULL;
    memcpy(upstream->address, result->address, sizeof upstream->address);
    if (result->transport == NULL) {
        static const enum upstream_fault_kind kinds[] = {
            [CONNECT_FAILED_NAME] = UPSTREAM_FAULT_DNS,
            [CONNECT_FAILED_CONNECT] = UPSTREAM_FAULT_CONNECT,
            [CONNECT_FAILED_PROXY] = UPSTREAM_FAULT_PROXY,
        };
        end_with(upstream, kinds[result->failure], result->text);
        return;
    }
    const struct upstream_target *target = upstream->target;
    struct tls *tls = tls_create(target->tls, target->address.host, target->ticket);
    int error = h2_start(&upstream->h2, upstream->target->engine, create_session(upstream),
                         result->transport, tls, &h2_events, upstream);
    if (error < 0)
        end_with_fault(upstream, tls_fault(tls),
                       error == UV_EPROTO ? tls_fault_text(tls) : uv_strerror(error));
}

static void on_timeout(uv_timer_t *timer)
{
    struct upstream *upstream = timer->data;
    char text[96];
    snprintf(text, sizeof text, "no answer within %u ms", upstream->target->connect_timeout_ms);
    end_with(upstream, UPSTREAM_FAULT_TIMEOUT, text);
}

struct upstream *upstream_create(const struct upstream_target *target,
                                 const struct upstream_events *events, void *pool)
{
    struct upstream *upstream = xcalloc(1, sizeof *upstream);
    upstream->target = target;
    upstream->events = events;
    upstream->pool = pool;
    upstream->incoming.recycler = &target->engine->recycler;
    list_init(&upstream->link);
    list_init(&upstream->streams);
    upstream->timer = xcalloc(1, sizeof *upstream->timer);
    uv_timer_init(target->engine->loop, upstream->timer);
    upstream->timer->data = upstream;
    uv_timer_start(upstream->timer, on_timeout, target->connect_timeout_ms, 0);
    upstream->connect = connect_start(target->connector, &target->address, on_connected, upstream);
    return upstream;
}

void upstream_destroy(struct upstream *upstream)
{
    if (upstream == NULL)
        return;
    assert(list_is_empty(&upstream->streams));
    list_remove(&upstream->link);
    stop_timer(upstream);
    connect_cancel(upstream->connect);
    h2_finish(&upstream->h2);
    engine_wipe_later(upstream->target->engine); /* the credential went through its buffers */
    header_list_finish(&upstream->incoming);
    free(upstream);
}

/* ---- streams -------------------------------------------------------------------------------- */

struct list *upstream_link(struct upstream *upstream)
{
    return &upstream->link;
}

struct upstream *upstream_from_link(struct list *link)
{
    return container_of(link, struct upstream, link);
}

bool upstream_is_open(const struct upstream *upstream)
{
    return upstream->open && !upstream->draining;
}

bool upstream_is_draining(const struct upstream *upstream)
{
    return upstream->draining;
}

static uint32_t stream_limit(const struct upstream *upstream)
{
    return nghttp2_session_get_remote_settings(upstream->h2.session,
                                               NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

bool upstream_has_room(const struct upstream *upstream)
{
    return upstream_is_open(upstream) &&
           nghttp2_session_check_request_allowed(upstream->h2.session) &&
           upstream->open_count < stream_limit(upstream);
}

bool upstream_is_paused(const struct upstream *upstream)
{
    return upstream_is_open(upstream) && stream_limit(upstream) == 0;
}

bool upstream_is_nearly_full(const struct upstream *upstream)
{
    uint32_t limit = stream_limit(upstream);
    return upstream->open_count >= limit || limit - upstream->open_count < limit / 8;
}

void upstream_attach(struct upstream *upstream, struct upstream_stream *stream)
{
    list_append(&upstream->streams, &stream->link);
    stream->upstream = upstream;
}

int upstream_submit(struct upstream_stream *stream, const nghttp2_nv *fields, size_t count)
{
    struct upstream *upstream = stream->upstream;
    nghttp2_data_provider provider = {.read_callback = on_read_request};
    bool has_body = !stream->request->ended || stream->request->queue.bytes > 0;
    int32_t id = nghttp2_submit_request(upstream->h2.session, NULL, fields, count,
                                        has_body ? &provider : NULL, stream);
    if (id < 0)
        return id;
    upstream->open_count++;
    stream->id = id;
    stream->sent = false;
    stream->open = true;
    if (upstream->open_count == 1) {
        keepalive_restart(&upstream->keepalive, now_of(upstream));
        schedule_keepalive(upstream);
    }
    stream->request->to.h2 = &upstream->h2;
    stream->request->to.stream_id = id;
    h2_mark_dirty(&upstream->h2);
    if (nghttp2_session_get_outbound_queue_size(upstream->h2.session) >= LONG_QUEUE_FRAMES)
        engine_flush_after_read(upstream->target->engine);
    return 0;
}

struct body_source upstream_source(const struct upstream_stream *stream)
{
    return (struct body_source){
        .h2 = &stream->upstream->h2,
        .stream_id = stream->id,
        .window_bytes = first_window(stream->upstream),
        .max_window_bytes = stream->upstream->target->stream_window_bytes,
        .rtt_ns = &stream->upstream->rtt_ns,
    };
}

void upstream_detach(struct upstream_stream *stream)
{
    struct upstream *upstream = stream->upstream;
    list_remove(&stream->link);
    stream->upstream = NULL;
    if (upstream == NULL)
        return;
    if (stream->open) {
        h2_set_stream_data(&upstream->h2, stream->id, NULL);
        nghttp2_submit_rst_stream(upstream->h2.session, NGHTTP2_FLAG_NONE, stream->id,
                                  NGHTTP2_CANCEL);
        h2_mark_dirty(&upstream->h2);
    }
    stream->open = false;
}
