/* One RPC: its life, and what its client does. */
#include "daemon/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/log.h"
#include "daemon/call_parts.h"
#include "daemon/policy.h"
#include "proto/grpc_timeout.h"

static void keep(struct borrower *borrower)
{
    struct call *call = container_of(borrower, struct call, borrower);
    body_keep(&call->request_body);
    body_keep(&call->response_body);
}

void call_take(struct call *call, struct body *body, const uint8_t *bytes, size_t len)
{
    if (body_lend(body, bytes, len))
        engine_borrow(call->downstream->engine, &call->borrower,
                      body == &call->response_body ? FLUSH_FIRST : FLUSH_LAST);
    else
        body_push(body, bytes, len);
}

struct call *call_create(struct h2 *downstream, int32_t stream_id, struct access *access,
                         const struct peer *peer, const struct quota *quota)
{
    struct recycler *recycler = &downstream->engine->recycler;
    struct call *call = recycler_take(recycler, sizeof *call);
    *call = (struct call){.request.recycler = recycler, .trailers.recycler = recycler};
    list_init(&call->link);
    downstream->engine->live_calls++;
    list_init(&call->deadline.link);
    list_init(&call->borrower.link);
    call->borrower.keep = keep;
    call->downstream = downstream;
    call->stream_id = stream_id;
    call->access = access_ref(access);
    call->peer = peer;
    call->quota = quota;
    call->request.max_bytes = (uint32_t)quota->limits.header_bytes;
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
    call->upstream.events = &call_upstream_events;
    call->upstream.call = call;
    return call;
}

/* Odd is a call that the bridge ended, or the client by breaking HTTP/2: a client can do so as
 * often as it likes. */
static void log_call(const struct call *call, uint32_t error_code, struct peer_throttle *odd)
{
    bool is_odd = call->status_is_ours || (call->status < 0 && error_code != NGHTTP2_CANCEL);
    uint64_t now_ms = uv_now(call->downstream->engine->loop);
    unsigned left_out = 0;
    bool shown = is_odd && peer_throttle_pass(odd, call->peer, now_ms, CALL_ODD_LINES, &left_out);
    enum log_level level = shown ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
    if (!log_enabled(level))
        return;
    char up[24], down[24], ms[24], repeats[16];
    snprintf(up, sizeof up, "%llu", (unsigned long long)call->request_body.moved_bytes);
    snprintf(down, sizeof down, "%llu", (unsigned long long)call->response_body.moved_bytes);
    snprintf(ms, sizeof ms, "%llu", (unsigned long long)(now_ms - call->started_ms));
    snprintf(repeats, sizeof repeats, "%u", left_out);
    log_fields(level, "call ended", {"rpc", call->method[0] != '\0' ? call->method : "other"},
               {"grpc_status", call->status < 0 ? "none" : grpc_code_name(call->status)},
               {"origin", call->status_is_ours ? "bridge" : "upstream"}, {"bytes_up", up},
               {"bytes_down", down}, {"duration_ms", ms},
               {"not_logged_before", left_out > 0 ? repeats : NULL});
}

void call_destroy(struct call *call, uint32_t error_code, struct peer_throttle *odd)
{
    log_call(call, error_code, odd);
    list_remove(&call->link);
    deadline_remove(&call->deadline);
    list_remove(&call->borrower.link);
    body_drop(&call->response_body, 0);
    call_detach_upstream(call);
    pool_unref(call->pool);
    access_unref(call->access);
    header_list_finish(&call->trailers);
    struct engine *engine = call->downstream->engine;
    engine->live_calls--;
    recycler_give(&engine->recycler, call);
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

static void begin_peek(struct call *call)
{
    call->peek = xcalloc(1, sizeof *call->peek);
    session_peek_init(call->peek, header_list_get(&call->request, KNOWN_GRPC_ENCODING));
    if (call->request_body.ended)
        on_peek(call, SESSION_PEEK_ABSENT);
}

/* The client has not ended the call, though its time is over: it is gone or stuck, and would not
 * understand a status. (PySpark takes DEADLINE_EXCEEDED for a reason to try again at once.) */
static void on_deadline_passed(struct deadline *deadline)
{
    struct call *call = container_of(deadline, struct call, deadline);
    call_detach_upstream(call);
    call->response_complete = true;
    call_reset(call, NGHTTP2_CANCEL);
}

static void begin_deadline(struct call *call)
{
    const char *timeout = header_list_get(&call->request, KNOWN_GRPC_TIMEOUT);
    uint64_t timeout_ms;
    call->deadline.on_passed = on_deadline_passed;
    if (timeout != NULL && grpc_timeout_parse(timeout, &timeout_ms))
        deadline_add(pool_deadlines(call->pool), &call->deadline,
                     timeout_ms + CALL_DEADLINE_GRACE_MS);
}

/* What is longer is cut. */
static void keep_method(struct call *call)
{
    const char *method = policy_method(&call->request);
    size_t len = strnlen(method, sizeof call->method - 1);
    memcpy(call->method, method, len);
    call->method[len] = '\0';
}

void call_on_request(struct call *call)
{
    struct rpc_status status;
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
    keep_method(call);
    struct pool *pool = access_route(call->access, call->peer, &call->request, &status);
    if (pool == NULL) {
        call_finish(call, &status);
        return;
    }
    call->pool = pool_ref(pool);
    policy_filter_request(access_policy(call->access), &call->request);
    header_list_fit(&call->request); /* it may wait for hours */
    begin_deadline(call);
    if (pool_binding(call->pool)->compute == COMPUTE_SERVERLESS)
        begin_peek(call);
    else
        pool_acquire(call->pool, &call->upstream);
}

void call_on_request_data(struct call *call, const uint8_t *bytes, size_t len)
{
    bool wanted = call->response != CALL_RESPONSE_LAST && call->kind != CALL_NOT_GRPC &&
                  (call->upstream.open || call->upstream.id == 0);
    if (!wanted || call_is_shed(call, &call->request_body)) {
        h2_consume(call->downstream, len);
        return;
    }
    call_take(call, &call->request_body, bytes, len);
    if (call->peek != NULL && call->peek->result == SESSION_PEEK_MORE)
        on_peek(call, session_peek_feed(call->peek, bytes, len));
}

void call_on_request_last(struct call *call)
{
    body_end(&call->request_body);
    if (call->peek != NULL && call->peek->result == SESSION_PEEK_MORE)
        on_peek(call, SESSION_PEEK_ABSENT);
}
