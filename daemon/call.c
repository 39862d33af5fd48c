/* One RPC. */
#include "daemon/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/log.h"
#include "daemon/failure.h"
#include "daemon/policy.h"
#include "daemon/scrub.h"
#include "daemon/status_fields.h"
#include "proto/grpc_timeout.h"

/* ---- the end of a call, as the client sees it --------------------------------------------------
 */

/* The downstream session's callbacks find the call by its stream; this only marks the way. */
static ssize_t on_read_response(nghttp2_session *session, int32_t id, uint8_t *buf, size_t len,
                                uint32_t *data_flags, nghttp2_data_source *source, void *user_data)
{
    struct call *call = nghttp2_session_get_stream_user_data(session, id);
    if (call == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    return call_read_response(call, len, data_flags);
}

static void submit_response(struct call *call, const nghttp2_nv *fields, size_t count, bool last)
{
    nghttp2_data_provider provider = {.read_callback = on_read_response};
    nghttp2_submit_response(call->downstream->session, call->stream_id, fields, count,
                            last ? NULL : &provider);
    call->response = last ? CALL_RESPONSE_LAST : CALL_RESPONSE_OPEN;
    h2_mark_dirty(call->downstream);
}

static void reset_downstream(struct call *call, uint32_t error_code)
{
    body_drop(&call->response_body, 0);
    nghttp2_submit_rst_stream(call->downstream->session, NGHTTP2_FLAG_NONE, call->stream_id,
                              error_code);
    call->response = CALL_RESPONSE_LAST;
    h2_mark_dirty(call->downstream);
}

/* The request will not be sent again. */
static void settle_request(struct call *call)
{
    header_list_finish(&call->request);
    if (call->peek != NULL)
        session_peek_finish(call->peek);
    free(call->peek);
    call->peek = NULL;
    body_settle(&call->request_body);
}

/* Nothing of the call reaches its upstream any more, which may end before the call does. */
static void detach_upstream(struct call *call)
{
    pool_release(&call->upstream, NGHTTP2_CANCEL);
    settle_request(call);
    body_drop(&call->request_body, 0);
    body_forget_destination(&call->request_body);
    body_forget_source(&call->response_body);
}

/* Before any answer the client gets a
 * Trailers-Only status. After that what has arrived in whole messages is still delivered and the
 * status follows as trailers; where the client has part of a message already, only REFUSED_STREAM
 * is left: both make Spark's clients re-attach, while INTERNAL_ERROR or CANCEL would fail the query
 * and an invented OK would lose rows in silence. */
void call_finish(struct call *call, const struct rpc_status *status)
{
    if (call->response == CALL_RESPONSE_LAST)
        return;
    detach_upstream(call);
    call->response_complete = true;
    call->status = (int)status->code;
    call->status_is_ours = true;

    if (call->response == CALL_RESPONSE_NONE) {
        struct header_list headers = {0};
        status_fields_add_answer(&headers, status);
        nghttp2_nv fields[8];
        submit_response(call, fields,
                        policy_response_fields(access_policy(call->access), &headers, fields),
                        true);
        header_list_finish(&headers);
        return;
    }
    if (call->framing.boundary < call->response_body.moved_bytes) {
        reset_downstream(call, NGHTTP2_REFUSED_STREAM);
        return;
    }
    body_drop(&call->response_body,
              (size_t)(call->framing.boundary - call->response_body.moved_bytes));
    header_list_finish(&call->trailers);
    status_fields_add(&call->trailers, status);
    body_end(&call->response_body);
}

void call_answer(struct call *call, const struct header_list *headers)
{
    nghttp2_nv fields[8];
    settle_request(call);
    submit_response(call, fields,
                    policy_response_fields(access_policy(call->access), headers, fields), false);
}

static void finish_lost(struct call *call, const struct upstream_fault *fault)
{
    struct rpc_status status;
    bool resumes = strcmp(call->method, "ReattachExecute") == 0;
    if (call->pool == NULL) /* it has no upstream */
        rpc_status_set(&status, GRPC_UNAVAILABLE, "STOPPING", "%s", fault->text);
    else
        failure_from_fault(pool_binding(call->pool), fault, resumes, &status);
    call_finish(call, &status);
}

void call_abort(struct call *call, const char *reason)
{
    struct upstream_fault fault = {.kind = UPSTREAM_FAULT_LOST};
    snprintf(fault.text, sizeof fault.text, "%s", reason);
    finish_lost(call, &fault);
}

/* ---- the upstream's events ---------------------------------------------------------------------
 */

static void on_ready(void *owner)
{
    struct call *call = owner;
    const struct binding *binding = pool_binding(call->pool);
    char authority[300];
    policy_authority(binding, authority, sizeof authority);
    nghttp2_nv fields[POLICY_MAX_FIELDS];
    const struct policy_request request = {
        .headers = &call->request,
        .binding = binding,
        .authority = authority,
        .session_id = call->peek != NULL ? call->peek->session_id : NULL,
    };
    size_t count = policy_request_fields(&request, fields);
    int error = upstream_submit(&call->upstream, fields, count);
    if (error < 0) {
        struct rpc_status status;
        rpc_status_set(&status, GRPC_UNAVAILABLE, "UPSTREAM_LOST",
                       "sparkbridge: the call could not be sent (%s)", nghttp2_strerror(error));
        call_finish(call, &status);
        return;
    }
    call->response_body.from = upstream_source(&call->upstream);
}

static void on_refused(void *owner, const struct upstream_fault *fault)
{
    finish_lost(owner, fault);
}

/* A status code in a header of the upstream's: at most three digits, -1 for anything else. */
static int read_code(const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);
    return end == text || *end != '\0' || number < 0 || number > 999 ? -1 : (int)number;
}

static void on_response_headers(struct call *call, struct header_list *headers, int http_status,
                                bool last)
{
    const struct binding *binding = pool_binding(call->pool);
    settle_request(call);
    const char *grpc_status = header_list_find(headers, "grpc-status");
    const char *type = header_list_find(headers, "content-type");
    bool is_grpc = http_status == 200 && policy_is_grpc_type(type);
    struct rpc_status ours;

    if (http_status == 401 || (!is_grpc && !(last && grpc_status != NULL))) {
        failure_from_http(binding, http_status, headers, &ours);
        call_finish(call, &ours);
        return;
    }
    if (last && grpc_status == NULL) {
        rpc_status_set(&ours, GRPC_INTERNAL, "UPSTREAM_NO_STATUS",
                       "sparkbridge: the workspace ended the call without a status");
        call_finish(call, &ours);
        return;
    }
    if (last && failure_improve_refusal(binding, headers, &ours)) {
        call_finish(call, &ours);
        return;
    }
    if (last)
        call->status = read_code(grpc_status);
    nghttp2_nv fields[HEADER_LIST_MAX_FIELDS];
    submit_response(call, fields,
                    policy_response_fields(access_policy(call->access), headers, fields), last);
    call->response_complete = last;
}

/* An end without a status is none that gRPC knows: nothing says that all of it came. */
static void finish_unknown(struct call *call)
{
    call_abort(call, "it ended the answer without a status");
}

static void on_trailers(struct call *call, struct header_list *headers)
{
    struct header_list none = {0};
    if (header_list_find(headers, "grpc-status") == NULL) {
        finish_unknown(call);
        return;
    }
    call->trailers = *headers; /* taken over; the upstream goes on with an empty list */
    *headers = none;
    call->status = read_code(header_list_find(&call->trailers, "grpc-status"));
    call->response_complete = true;
    body_end(&call->response_body);
}

/* What did not fit is gone, and so nothing can be passed on. */
static void finish_too_large(struct call *call)
{
    struct rpc_status status;
    rpc_status_set(&status, GRPC_RESOURCE_EXHAUSTED, "HEADERS_TOO_LARGE",
                   "sparkbridge: the workspace's metadata is larger than %d bytes or %d fields",
                   HEADER_LIST_MAX_BYTES, HEADER_LIST_MAX_FIELDS);
    call_finish(call, &status);
}

static void on_headers(void *owner, struct header_list *headers, bool last)
{
    struct call *call = owner;
    if (scrub_headers(headers, pool_binding(call->pool)))
        log_warn("the workspace's answer to %s held the credential, which was taken out",
                 call->method);
    const char *http_status = header_list_find(headers, ":status");
    if (headers->too_large) {
        if (!call->response_complete)
            finish_too_large(call);
        return;
    }
    if (http_status == NULL) {
        if (call->response == CALL_RESPONSE_OPEN && !call->response_complete)
            on_trailers(call, headers);
        return;
    }
    /* Interim answers (1xx) mean nothing to gRPC. */
    if (http_status[0] != '1' && call->response == CALL_RESPONSE_NONE)
        on_response_headers(call, headers, read_code(http_status), last);
}

/* More has come for a body while all that may be buffered is: does that end the call? What it holds
 * is dropped at once; clients that can re-attach fetch a result later. */
static bool is_shed(struct call *call, const struct body *body)
{
    if (!quota_is_overdrawn(call->quota, body->queue.bytes))
        return false;
    struct rpc_status status;
    quota_overdrawn_status(call->quota, &status);
    if (call->response == CALL_RESPONSE_NONE) {
        call_finish(call, &status);
        return true;
    }
    detach_upstream(call);
    call->response_complete = true;
    call->status = (int)status.code;
    call->status_is_ours = true;
    reset_downstream(call, NGHTTP2_REFUSED_STREAM);
    return true;
}

static void on_data(void *owner, const uint8_t *bytes, size_t len)
{
    struct call *call = owner;
    if (call->response != CALL_RESPONSE_OPEN || call->response_complete) {
        h2_consume(call->response_body.from.h2, len);
        return;
    }
    struct h2 *from = call->response_body.from.h2;
    if (is_shed(call, &call->response_body)) {
        h2_consume(from, len);
        return;
    }
    grpc_framing_feed(&call->framing, bytes, len);
    body_push(&call->response_body, bytes, len);
}

/* END_STREAM without trailers. */
static void on_last(void *owner)
{
    struct call *call = owner;
    if (!call->response_complete)
        finish_unknown(call);
}

/* Sends a request again that provably did not run; false where that is not possible. */
static bool replay(struct call *call)
{
    if (call->response != CALL_RESPONSE_NONE || call->response_complete ||
        !call->request_body.keeps || call->replays == CALL_MAX_REPLAYS)
        return false;
    call->replays++;
    pool_release(&call->upstream, NGHTTP2_CANCEL);
    call->upstream.id = 0;
    body_forget_destination(&call->request_body);
    body_rewind(&call->request_body);
    pool_acquire(call->pool, &call->upstream);
    return true;
}

static void on_reset(void *owner, const struct upstream_reset *reset)
{
    struct call *call = owner;
    if (reset->did_not_run && replay(call))
        return;
    body_drop(&call->request_body, 0);
    body_forget_destination(&call->request_body);
    if (reset->fault != NULL)
        call->response_body.from.h2 = NULL; /* with the connection its windows are gone */
    if (call->response_complete)
        return;
    if (reset->fault != NULL) {
        finish_lost(call, reset->fault);
    } else if (reset->error_code == NGHTTP2_CANCEL) {
        /* The server's own decision, passed on as it is: where it stands for a deadline that has
         * passed, the client's clock says so, and it reads DEADLINE_EXCEEDED. */
        call->response_complete = true;
        call->status = GRPC_CANCELLED;
        reset_downstream(call, NGHTTP2_CANCEL);
    } else {
        struct rpc_status status;
        failure_from_reset(pool_binding(call->pool), reset->error_code, &status);
        if (call->response == CALL_RESPONSE_OPEN)
            status.code = GRPC_UNAVAILABLE; /* a lost result stream: clients re-attach */
        call_finish(call, &status);
    }
}

/* ---- the downstream's events -------------------------------------------------------------------
 */

static const struct upstream_stream_events upstream_events = {
    .on_ready = on_ready,
    .on_refused = on_refused,
    .on_headers = on_headers,
    .on_data = on_data,
    .on_last = on_last,
    .on_reset = on_reset,
};

struct call *call_create(struct h2 *downstream, int32_t stream_id, struct access *access,
                         const struct peer *peer, const struct quota *quota)
{
    struct call *call = xcalloc(1, sizeof *call);
    list_init(&call->link);
    downstream->engine->live_calls++;
    list_init(&call->deadline.link);
    call->downstream = downstream;
    call->stream_id = stream_id;
    call->access = access_ref(access);
    call->peer = peer;
    call->quota = quota;
    call->request.max_bytes = quota->limits.header_bytes;
    call->started_ms = uv_now(downstream->engine->loop);
    call->status = -1;
    body_init(&call->request_body, &downstream->engine->byte_pool);
    call->request_body.keeps = true;
    call->request_body.from = (struct body_source){
        .h2 = downstream,
        .stream_id = stream_id,
        .window_bytes = CALL_REQUEST_WINDOW_BYTES,
        .max_window_bytes = CALL_REQUEST_WINDOW_BYTES,
    };
    body_init(&call->response_body, &downstream->engine->byte_pool);
    call->response_body.to = (struct body_destination){.h2 = downstream, .stream_id = stream_id};
    list_init(&call->upstream.link);
    call->upstream.request = &call->request_body;
    call->upstream.events = &upstream_events;
    call->upstream.call = call;
    return call;
}

static void log_call(const struct call *call, uint32_t error_code)
{
    bool odd = call->status_is_ours || (call->status < 0 && error_code != NGHTTP2_CANCEL);
    enum log_level level = odd ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
    if (!log_enabled(level))
        return;
    char up[24], down[24], ms[24];
    snprintf(up, sizeof up, "%llu", (unsigned long long)call->request_body.moved_bytes);
    snprintf(down, sizeof down, "%llu", (unsigned long long)call->response_body.moved_bytes);
    snprintf(ms, sizeof ms, "%llu",
             (unsigned long long)(uv_now(call->downstream->engine->loop) - call->started_ms));
    log_fields(level, "call ended", {"rpc", call->method[0] != '\0' ? call->method : "other"},
               {"grpc_status", call->status < 0 ? "none" : grpc_code_name(call->status)},
               {"origin", call->status_is_ours ? "bridge" : "upstream"}, {"bytes_up", up},
               {"bytes_down", down}, {"duration_ms", ms});
}

void call_destroy(struct call *call, uint32_t error_code)
{
    log_call(call, error_code);
    list_remove(&call->link);
    deadline_remove(&call->deadline);
    body_drop(&call->response_body, 0);
    detach_upstream(call);
    pool_unref(call->pool);
    access_unref(call->access);
    header_list_finish(&call->trailers);
    call->downstream->engine->live_calls--;
    free(call);
}

/* Serverless compute wants the session id as a header, and it stands in the first message. */
static void on_peek(struct call *call, enum session_peek_result result)
{
    struct rpc_status status;
    switch (result) {
    case SESSION_PEEK_MORE: return;
    case SESSION_PEEK_FOUND: pool_acquire(call->pool, &call->upstream); return;
    case SESSION_PEEK_ABSENT:
        rpc_status_set(&status, GRPC_INVALID_ARGUMENT, "NO_SESSION_ID",
                       "sparkbridge: the request has no session_id, which serverless compute "
                       "needs");
        break;
    case SESSION_PEEK_UNREADABLE:
        rpc_status_set(&status, GRPC_INVALID_ARGUMENT, "UNREADABLE_REQUEST",
                       "sparkbridge: the request's session_id, which serverless compute needs, "
                       "cannot be read (grpc-encoding %s)",
                       call->peek->encoding);
        break;
    }
    call_finish(call, &status);
}

static void begin_peek(struct call *call, bool last)
{
    call->peek = xcalloc(1, sizeof *call->peek);
    session_peek_init(call->peek, header_list_find(&call->request, "grpc-encoding"));
    if (last)
        on_peek(call, SESSION_PEEK_ABSENT);
}

/* The client has not ended the call, though its time is over: it is gone or stuck, and would not
 * understand a status. (PySpark takes DEADLINE_EXCEEDED for a reason to try again at once.) */
static void on_deadline_passed(struct deadline *deadline)
{
    struct call *call = container_of(deadline, struct call, deadline);
    detach_upstream(call);
    call->response_complete = true;
    reset_downstream(call, NGHTTP2_CANCEL);
}

static void begin_deadline(struct call *call)
{
    const char *timeout = header_list_find(&call->request, "grpc-timeout");
    uint64_t timeout_ms;
    call->deadline.on_passed = on_deadline_passed;
    if (timeout != NULL && grpc_timeout_parse(timeout, &timeout_ms))
        deadline_add(pool_deadlines(call->pool), &call->deadline,
                     timeout_ms + CALL_DEADLINE_GRACE_MS);
}

void call_on_request(struct call *call, bool last)
{
    struct rpc_status status;
    call->request_complete = call->request_body.ended = last;
    enum policy_way way = transport_is_unix_socket(call->downstream->transport)
                              ? POLICY_BY_UNIX_SOCKET
                              : POLICY_BY_TCP;
    switch (policy_check(access_policy(call->access), &call->request, way, &status)) {
    case POLICY_REFUSE: call_finish(call, &status); return;
    case POLICY_NOT_GRPC: call->kind = CALL_NOT_GRPC; break;
    case POLICY_HEALTH_CHECK: call->kind = CALL_HEALTH_CHECK; break;
    case POLICY_HEALTH_WATCH: call->kind = CALL_HEALTH_WATCH; break;
    case POLICY_FORWARD: call->kind = CALL_FORWARDED; break;
    }
    if (call->kind != CALL_FORWARDED)
        return;
    snprintf(call->method, sizeof call->method, "%s", policy_method(&call->request));
    struct pool *pool = access_route(call->access, call->peer, &call->request, &status);
    if (pool == NULL) {
        call_finish(call, &status);
        return;
    }
    call->pool = pool_ref(pool);
    policy_filter_request(access_policy(call->access), &call->request);
    begin_deadline(call);
    if (pool_binding(call->pool)->compute == COMPUTE_SERVERLESS)
        begin_peek(call, last);
    else
        pool_acquire(call->pool, &call->upstream);
}

void call_on_request_data(struct call *call, const uint8_t *bytes, size_t len)
{
    bool wanted = call->response != CALL_RESPONSE_LAST && call->kind != CALL_NOT_GRPC &&
                  (call->upstream.open || call->upstream.id == 0);
    if (!wanted || is_shed(call, &call->request_body)) {
        h2_consume(call->downstream, len);
        return;
    }
    body_push(&call->request_body, bytes, len);
    if (call->peek != NULL && call->peek->result == SESSION_PEEK_MORE)
        on_peek(call, session_peek_feed(call->peek, bytes, len));
}

void call_on_request_last(struct call *call)
{
    call->request_complete = true;
    body_end(&call->request_body);
    if (call->peek != NULL && call->peek->result == SESSION_PEEK_MORE)
        on_peek(call, SESSION_PEEK_ABSENT);
}

ssize_t call_read_response(struct call *call, size_t max, uint32_t *data_flags)
{
    ssize_t n = body_offer(&call->response_body, max, data_flags);
    if (n < 0 || (*data_flags & NGHTTP2_DATA_FLAG_EOF) == 0)
        return n;
    call->response = CALL_RESPONSE_LAST;
    if (call->trailers.count == 0)
        return n; /* an answer of ours that is not gRPC */
    /* The trailers end the stream, and must be submitted here: earlier they would overtake DATA. */
    *data_flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    nghttp2_nv fields[HEADER_LIST_MAX_FIELDS];
    nghttp2_submit_trailer(
        call->downstream->session, call->stream_id, fields,
        policy_response_fields(access_policy(call->access), &call->trailers, fields));
    return n;
}

int call_send_response(struct call *call, const uint8_t *frame_header, size_t len)
{
    return body_send(&call->response_body, frame_header, len);
}
