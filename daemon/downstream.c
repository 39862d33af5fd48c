/* One client's connection. */
#include "daemon/downstream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/log.h"
#include "common/log_events.h"
#include "daemon/call.h"
#include "daemon/h2.h"
#include "daemon/h2_memory.h"
#include "daemon/local.h"
#include "daemon/preface.h"

struct downstream {
    struct list link; /* the set's list */
    struct downstream_set *set;
    struct client client;
    struct abuse abuse;
    uv_timer_t *timer;                /* owned; runs while the client is to finish something */
    enum abuse_unfinished unfinished; /* what the timer runs for ... */
    unsigned block;                   /* ... and, of header blocks, for which */
    bool cut;                         /* the timer ends it, where it does not end by itself */
    struct h2 h2;
    struct list calls;
    struct quota_idle idle;
    enum { DRAIN_NO, DRAIN_GREETING, DRAIN_NOTICE, DRAIN_DONE } drain;
};

/* The PING that follows a GOAWAY notice: its answer shows that the client has read the notice. */
static const uint8_t drain_ping[8] = {'d', 'r', 'a', 'i', 'n', 'i', 'n', 'g'};

static struct call *call_of(struct downstream *downstream, int32_t id)
{
    return h2_stream_data(&downstream->h2, id);
}

static uint64_t now_of(const struct downstream *downstream)
{
    return uv_now(downstream->set->engine->loop);
}

static const char *drain_reason(const struct downstream *downstream)
{
    return downstream->set->stopped ? "sparkbridge has stopped listening here"
                                    : "who may connect here has changed: connect again";
}

static void end_call(struct downstream *downstream, struct call *call, uint32_t error_code)
{
    if (call->counted)
        quota_end_call(downstream->client.account);
    call_destroy(call, error_code, &downstream->set->odd_calls);
    if (list_is_empty(&downstream->calls))
        quota_begin_idle(downstream->client.account, &downstream->idle);
}

/* ---- abuse: the connection ends, and its client is told why ---------------------------------- */

static void on_timer(uv_timer_t *timer);

static void log_abuse(struct downstream *downstream, enum abuse_kind kind)
{
    unsigned left_out;
    struct throttle *throttle = &downstream->set->cuts[kind];
    if (!throttle_pass(throttle, now_of(downstream), 1, &left_out))
        return;
    char more[16];
    snprintf(more, sizeof more, "%u", left_out);
    log_fields(LOG_LEVEL_WARN, "client connection cut: too many", LOG_EVENT_CLIENT_CUT,
               {"kind", abuse_name(kind)}, {"also_cut_before", more});
}

/* What nghttp2 reads from now on it ignores. */
static void cut(struct downstream *downstream, enum abuse_kind kind)
{
    nghttp2_session *session = downstream->h2.session;
    char text[80];
    if (downstream->cut)
        return;
    downstream->cut = true;
    log_abuse(downstream, kind);
    list_for_each(node, &downstream->calls) call_abandon(container_of(node, struct call, link));
    int len = snprintf(text, sizeof text, "sparkbridge: too many %s", abuse_name(kind));
    nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(session),
                          NGHTTP2_ENHANCE_YOUR_CALM, (const uint8_t *)text, (size_t)len);
    nghttp2_session_terminate_session(session, NGHTTP2_ENHANCE_YOUR_CALM);
    uv_timer_start(downstream->timer, on_timer, DOWNSTREAM_CUT_MS, 0);
    h2_mark_dirty(&downstream->h2);
}

static void on_timer(uv_timer_t *timer)
{
    struct downstream *downstream = timer->data;
    if (downstream->cut || downstream->drain == DRAIN_GREETING)
        downstream_destroy(downstream);
    else
        cut(downstream, downstream->unfinished == ABUSE_UNFINISHED_PREFACE ? ABUSE_SLOW_PREFACE
                                                                           : ABUSE_SLOW_HEADERS);
}

/* Times what the client has begun, from where that began. */
static void time_unfinished(struct downstream *downstream)
{
    const struct client_limits *limits = &downstream->set->quota->limits;
    enum abuse_unfinished unfinished = abuse_unfinished(&downstream->abuse);
    bool same =
        unfinished == downstream->unfinished && downstream->abuse.blocks == downstream->block;
    if (same || downstream->cut)
        return;
    downstream->unfinished = unfinished;
    downstream->block = downstream->abuse.blocks;
    if (unfinished == ABUSE_UNFINISHED_NONE)
        uv_timer_stop(downstream->timer);
    else
        uv_timer_start(
            downstream->timer, on_timer,
            unfinished == ABUSE_UNFINISHED_PREFACE ? limits->preface_ms : limits->headers_ms, 0);
}

static void begin_drain(struct downstream *downstream)
{
    nghttp2_submit_shutdown_notice(downstream->h2.session);
    nghttp2_submit_ping(downstream->h2.session, NGHTTP2_FLAG_NONE, drain_ping);
    downstream->drain = DRAIN_NOTICE;
    h2_mark_dirty(&downstream->h2);
}

static void on_h2_fed(void *owner, const uint8_t *bytes, size_t len)
{
    struct downstream *downstream = owner;
    if (downstream->cut)
        return;
    if (downstream->drain == DRAIN_GREETING) {
        uv_timer_stop(downstream->timer); /* what it has begun is timed from here */
        downstream->unfinished = ABUSE_UNFINISHED_NONE;
        begin_drain(downstream);
    }
    enum abuse_kind kind = abuse_feed(&downstream->abuse, bytes, len, now_of(downstream));
    if (kind == ABUSE_BROKEN)
        nghttp2_session_terminate_session(downstream->h2.session, downstream->abuse.error_code);
    else if (kind != ABUSE_NONE)
        cut(downstream, kind);
    else if (nghttp2_session_get_outbound_queue_size(downstream->h2.session) >
             ABUSE_MAX_BACKLOG_FRAMES)
        cut(downstream, ABUSE_BACKLOG);
    else
        time_unfinished(downstream);
}

/* ---- nghttp2's callbacks: they change state and mark dirty ----------------------------------- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct downstream *downstream = user_data;
    abuse_on_block(&downstream->abuse);
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct call *call = call_create(&downstream->h2, frame->hd.stream_id, downstream->set->access,
                                    &downstream->client.peer, downstream->set->quota);
    list_append(&downstream->calls, &call->link);
    list_remove(&downstream->idle.link);
    downstream->idle.has_called = true;
    h2_set_stream_data(&downstream->h2, frame->hd.stream_id, call);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user_data)
{
    struct downstream *downstream = user_data;
    if (!abuse_on_field(&downstream->abuse, name_len, value_len,
                        downstream->set->quota->limits.header_bytes)) {
        cut(downstream, ABUSE_HEADERS);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    struct call *call = call_of(downstream, frame->hd.stream_id);
    if (call != NULL && frame->hd.type == NGHTTP2_HEADERS &&
        frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        header_list_add(&call->request, (const char *)name, name_len, (const char *)value,
                        value_len, flags);
    return 0;
}

/* The request's headers are complete. */
static void begin_call(struct downstream *downstream, struct call *call, bool last)
{
    struct rpc_status status;
    call->request_body.ended = last;
    if (!quota_begin_call(downstream->client.account, &status)) {
        call_finish(call, &status);
    } else {
        call->counted = true;
        call_on_request(call);
    }
}

/* A field that HTTP/2 forbids makes the request malformed (RFC 9113, 8.1.1): nghttp2 would only
 * leave it out. The stream is reset with PROTOCOL_ERROR. */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame,
                             const uint8_t *name, size_t name_len, const uint8_t *value,
                             size_t value_len, uint8_t flags, void *user_data)
{
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* The client has read the GOAWAY notice: what it opens from now on is not ours. */
static void finish_drain(struct downstream *downstream)
{
    nghttp2_session *session = downstream->h2.session;
    nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(session), NGHTTP2_NO_ERROR, NULL,
                          0);
    downstream->drain = DRAIN_DONE;
    h2_mark_dirty(&downstream->h2);
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct downstream *downstream = user_data;
    struct call *call;
    bool last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;

    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
        call = call_of(downstream, frame->hd.stream_id);
        if (call == NULL)
            break;
        if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
            begin_call(downstream, call, last);
        else if (last) /* with DATA, or with request trailers, which gRPC does not have */
            call_on_request_last(call);
        local_on_request(call);
        if (downstream->drain != DRAIN_NO)
            local_stop(call, drain_reason(downstream));
        break;
    case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0 && downstream->drain == DRAIN_NOTICE &&
            memcmp(frame->ping.opaque_data, drain_ping, sizeof drain_ping) == 0)
            finish_drain(downstream);
        break;
    default: break;
    }
    return 0;
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                         size_t len, void *user_data)
{
    struct downstream *downstream = user_data;
    struct call *call = call_of(downstream, id);
    h2_received(&downstream->h2, len);
    if (call != NULL)
        call_on_request_data(call, bytes, len);
    else
        h2_consume(&downstream->h2, len);
    return 0;
}

static int on_send_response(nghttp2_session *session, nghttp2_frame *frame,
                            const uint8_t *frame_header, size_t len, nghttp2_data_source *source,
                            void *user_data)
{
    struct downstream *downstream = user_data;
    struct call *call = call_of(downstream, frame->hd.stream_id);
    if (call == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    abuse_on_data_sent(&downstream->abuse, len);
    return call_send_response(call, frame_header, len);
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct downstream *downstream = user_data;
    struct call *call = call_of(downstream, frame->hd.stream_id);
    if (frame->hd.type == NGHTTP2_RST_STREAM &&
        abuse_is_made_reset(frame->rst_stream.error_code, call != NULL) &&
        !abuse_on_made_reset(&downstream->abuse, now_of(downstream)))
        cut(downstream, ABUSE_MADE_RESET);
    if (frame->hd.type != NGHTTP2_HEADERS || call == NULL)
        return 0;
    call->answered = true;
    /* An answer that is complete while the client still sends: it need not (RFC 9113, 8.1). */
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 && !call->request_body.ended)
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                  NGHTTP2_NO_ERROR);
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error_code,
                           void *user_data)
{
    struct downstream *downstream = user_data;
    struct call *call = call_of(downstream, id);
    if (call == NULL)
        return 0;
    if (call->answered)
        abuse_on_answered(&downstream->abuse);
    h2_set_stream_data(&downstream->h2, id, NULL);
    end_call(downstream, call, error_code);
    return 0;
}

static nghttp2_session *create_session(struct downstream *downstream)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    nghttp2_session *session;
    nghttp2_mem memory = h2_memory(&downstream->set->engine->recycler);
    if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&option) != 0)
        abort(); /* out of memory: nothing else makes these fail */
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, on_send_response);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1); /* see stream_ids.h */
    nghttp2_option_set_max_send_header_block_length(option, (size_t)2 * HEADER_LIST_MAX_BYTES);
    abuse_set_options(option);
    if (nghttp2_session_server_new3(&session, callbacks, downstream, option, &memory) != 0)
        abort();
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);

    const struct client_limits *limits = &downstream->set->quota->limits;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits->calls_per_connection},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, CALL_REQUEST_WINDOW_BYTES},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)limits->header_bytes},
    };
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings,
                            sizeof settings / sizeof settings[0]);
    nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0,
                                          H2_CONNECTION_WINDOW_BYTES);
    return session;
}

/* ---- life ----------------------------------------------------------------------------------- */

/* Its client opens another connection when it has a call. */
static void on_evict(struct quota_idle *idle)
{
    struct downstream *downstream = container_of(idle, struct downstream, idle);
    if (downstream->cut) {
        downstream_destroy(downstream);
        return;
    }
    quota_disconnect(downstream->client.account);
    downstream->client.account = NULL;
    downstream->cut = true;
    nghttp2_session_terminate_session(downstream->h2.session, NGHTTP2_NO_ERROR);
    uv_timer_start(downstream->timer, on_timer, DOWNSTREAM_CUT_MS, 0);
    h2_mark_dirty(&downstream->h2);
}

static void on_h2_end(void *owner, const struct transport_end *end)
{
    struct downstream *downstream = owner;
    log_debug("client connection ended: %s", end->text);
    downstream_destroy(downstream);
}

static void on_bad_preface(void *owner, const uint8_t *bytes, size_t len)
{
    struct downstream *downstream = owner;
    struct preface_answer answer = preface_answer(bytes, len);
    preface_log(&answer, &downstream->set->not_http2, now_of(downstream));
    if (answer.bytes != NULL && transport_is_writable(downstream->h2.transport))
        transport_write(downstream->h2.transport,
                        &(uv_buf_t){.base = (char *)answer.bytes, .len = answer.len}, 1);
}

void downstream_set_init(struct downstream_set *set, struct engine *engine, struct quota *quota,
                         void (*on_ended)(struct downstream_set *set))
{
    *set = (struct downstream_set){.engine = engine, .quota = quota, .on_ended = on_ended};
    list_init(&set->all);
}

void downstream_set_use(struct downstream_set *set, struct access *access)
{
    access_ref(access);
    access_unref(set->access);
    set->access = access;
}

void downstream_create(struct downstream_set *set, struct transport *transport,
                       struct client *client)
{
    static const struct h2_events events = {
        .turn = FLUSH_FIRST,
        .on_end = on_h2_end,
        .on_bad_preface = on_bad_preface,
        .on_fed = on_h2_fed,
    };
    struct downstream *downstream = xcalloc(1, sizeof *downstream);
    downstream->set = set;
    downstream->client = *client;
    list_init(&downstream->calls);
    list_init(&downstream->idle.link);
    downstream->idle.on_evict = on_evict;
    quota_begin_idle(downstream->client.account, &downstream->idle);
    list_append(&set->all, &downstream->link);
    abuse_init(&downstream->abuse, now_of(downstream));
    downstream->timer = xcalloc(1, sizeof *downstream->timer);
    uv_timer_init(set->engine->loop, downstream->timer);
    downstream->timer->data = downstream;
    downstream->drain = set->stopped ? DRAIN_GREETING : DRAIN_NO;
    uv_timer_start(downstream->timer, on_timer,
                   set->stopped ? DOWNSTREAM_GREETING_MS : set->quota->limits.preface_ms, 0);
    downstream->unfinished = ABUSE_UNFINISHED_PREFACE;
    int error = h2_start(&downstream->h2, downstream->set->engine, create_session(downstream),
                         transport, NULL, &events, downstream);
    if (error < 0) {
        log_warn("client connection could not be started: %s", uv_strerror(error));
        downstream_destroy(downstream);
    }
}

static void on_timer_closed(uv_handle_t *timer)
{
    free(timer);
}

void downstream_destroy(struct downstream *downstream)
{
    struct downstream_set *set = downstream->set;
    struct call *call;
    while ((call = list_first(&downstream->calls, struct call, link)) != NULL)
        end_call(downstream, call, NGHTTP2_CANCEL);
    list_remove(&downstream->idle.link);
    h2_finish(&downstream->h2);
    list_remove(&downstream->link);
    uv_close((uv_handle_t *)downstream->timer, on_timer_closed);
    client_finish(&downstream->client);
    free(downstream);
    set->on_ended(set);
}

void downstream_set_drain(struct downstream_set *set)
{
    list_for_each(node, &set->all)
    {
        struct downstream *downstream = container_of(node, struct downstream, link);
        if (!downstream->h2.fed) { /* it has said nothing yet; its greeting may be under way */
            downstream->drain = DRAIN_GREETING;
            uv_timer_start(downstream->timer, on_timer, DOWNSTREAM_GREETING_MS, 0);
            continue;
        }
        list_for_each(call_node, &downstream->calls)
            local_stop(container_of(call_node, struct call, link), drain_reason(downstream));
        if (downstream->drain == DRAIN_NO)
            begin_drain(downstream);
    }
}

void downstream_set_abort(struct downstream_set *set, const char *reason)
{
    list_for_each(node, &set->all)
    {
        struct downstream *downstream = container_of(node, struct downstream, link);
        list_for_each(call_node, &downstream->calls)
            call_abort(container_of(call_node, struct call, link), reason);
        h2_mark_dirty(&downstream->h2);
    }
}

void downstream_set_finish(struct downstream_set *set)
{
    list_for_each(node, &set->all) downstream_destroy(container_of(node, struct downstream, link));
    access_unref(set->access);
    set->access = NULL;
}

void downstream_set_count(const struct downstream_set *set, size_t *ret_clients, size_t *ret_calls)
{
    *ret_clients = *ret_calls = 0;
    list_for_each(node, &set->all)
    {
        const struct downstream *downstream = container_of(node, struct downstream, link);
        *ret_clients += 1;
        list_for_each(call, &downstream->calls) *ret_calls += 1;
    }
}
