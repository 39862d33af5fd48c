/* What the workspace does with a call. */
#include <string.h>

#include "common/log.h"
#include "daemon/call_parts.h"
#include "daemon/failure.h"
#include "daemon/policy.h"
#include "daemon/scrub.h"

static void on_ready(void *owner)
{
    struct call *call = owner;
    const struct binding *binding = pool_binding(call->pool);
    nghttp2_nv fields[POLICY_MAX_FIELDS];
    const struct policy_request request = {
        .headers = &call->request,
        .binding = binding,
        .authority = pool_authority(call->pool),
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
    call_lose(owner, fault);
}

/* A status code in a header of the upstream's: at most three digits, -1 for anything else. */
static int read_code(const char *text)
{
    int number = 0;
    size_t len = strspn(text, "0123456789");
    if (len == 0 || len > 3 || text[len] != '\0')
        return -1;
    for (size_t i = 0; i < len; i++)
        number = number * 10 + (text[i] - '0');
    return number;
}

static void on_response_headers(struct call *call, struct header_list *headers, int http_status,
                                bool last)
{
    const struct binding *binding = pool_binding(call->pool);
    call_settle_request(call);
    const char *grpc_status = header_list_get(headers, KNOWN_GRPC_STATUS);
    const char *type = header_list_get(headers, KNOWN_CONTENT_TYPE);
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
    call_submit_response(
        call, fields, policy_response_fields(access_policy(call->access), headers, fields), last);
    call->response_complete = last;
}

/* An end without a status is none that gRPC knows: nothing says that all of it came. */
static void finish_unknown(struct call *call)
{
    call_abort(call, "it ended the answer without a status");
}

static void on_trailers(struct call *call, struct header_list *headers)
{
    struct header_list none = {.recycler = headers->recycler};
    if (header_list_get(headers, KNOWN_GRPC_STATUS) == NULL) {
        finish_unknown(call);
        return;
    }
    call->trailers = *headers; /* taken over; the upstream goes on with an empty list */
    *headers = none;
    call->status = read_code(header_list_get(&call->trailers, KNOWN_GRPC_STATUS));
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
    const char *http_status = header_list_get(headers, KNOWN_STATUS);
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

static void on_data(void *owner, const uint8_t *bytes, size_t len)
{
    struct call *call = owner;
    if (call->response != CALL_RESPONSE_OPEN || call->response_complete) {
        h2_consume(call->response_body.from.h2, len);
        return;
    }
    struct h2 *from = call->response_body.from.h2;
    if (call_is_shed(call, &call->response_body)) {
        h2_consume(from, len);
        return;
    }
    grpc_framing_feed(&call->framing, bytes, len);
    call_take(call, &call->response_body, bytes, len);
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
    pool_release(&call->upstream);
    call->upstream.id = 0;
    call->response_body.from.h2 = NULL; /* of the session that may go while the call waits */
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
        call_lose(call, reset->fault);
    } else if (reset->error_code == NGHTTP2_CANCEL) {
        /* The server's own decision, passed on as it is: where it stands for a deadline that has
         * passed, the client's clock says so, and it reads DEADLINE_EXCEEDED. */
        call->response_complete = true;
        call->status = GRPC_CANCELLED;
        call_reset(call, NGHTTP2_CANCEL);
    } else {
        struct rpc_status status;
        failure_from_reset(pool_binding(call->pool), reset->error_code, &status);
        if (call->response == CALL_RESPONSE_OPEN)
            status.code = GRPC_UNAVAILABLE; /* a lost result stream: clients re-attach */
        call_finish(call, &status);
    }
}

const struct upstream_stream_events call_upstream_events = {
    .on_ready = on_ready,
    .on_refused = on_refused,
    .on_headers = on_headers,
    .on_data = on_data,
    .on_last = on_last,
    .on_reset = on_reset,
};
