/* What the client of a call gets: the workspace's answer, or the bridge's own end of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/call_parts.h"
#include "daemon/failure.h"
#include "daemon/policy.h"
#include "daemon/status_fields.h"

/* The source is the session, and the call is found by its stream; this only marks the way. */
static ssize_t on_read_response(nghttp2_session *session, int32_t id, uint8_t *buf, size_t len,
                                uint32_t *data_flags, nghttp2_data_source *source, void *user_data)
{
    struct call *call = h2_stream_data(source->ptr, id);
    if (call == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    return call_read_response(call, len, data_flags);
}

void call_submit_response(struct call *call, const nghttp2_nv *fields, size_t count, bool last)
{
    nghttp2_data_provider provider = {.source.ptr = call->downstream,
                                      .read_callback = on_read_response};
    nghttp2_submit_response(call->downstream->session, call->stream_id, fields, count,
                            last ? NULL : &provider);
    call->response = last ? CALL_RESPONSE_LAST : CALL_RESPONSE_OPEN;
    h2_mark_dirty(call->downstream);
}

void call_reset(struct call *call, uint32_t error_code)
{
    body_drop(&call->response_body, 0);
    nghttp2_submit_rst_stream(call->downstream->session, NGHTTP2_FLAG_NONE, call->stream_id,
                              error_code);
    call->response = CALL_RESPONSE_LAST;
    h2_mark_dirty(call->downstream);
}

void call_settle_request(struct call *call)
{
    header_list_finish(&call->request);
    if (call->peek != NULL)
        session_peek_finish(call->peek);
    free(call->peek);
    call->peek = NULL;
    body_settle(&call->request_body);
}

void call_detach_upstream(struct call *call)
{
    pool_release(&call->upstream);
    call_settle_request(call);
    body_drop(&call->request_body, 0);
    body_forget_destination(&call->request_body);
    body_forget_source(&call->response_body);
}

static void end_by_ourselves(struct call *call, const struct rpc_status *status)
{
    call_detach_upstream(call);
    call->response_complete = true;
    call->status = (int)status->code;
    call->status_is_ours = true;
}

/* Before any answer the client gets a Trailers-Only status. After that what has arrived in whole
 * messages is still delivered and the status follows as trailers; where the client has part of a
 * message already, only REFUSED_STREAM is left: both make Spark's clients re-attach, while
 * INTERNAL_ERROR or CANCEL would fail the query and an invented OK would lose rows in silence. */
void call_finish(struct call *call, const struct rpc_status *status)
{
    if (call->response == CALL_RESPONSE_LAST)
        return;
    end_by_ourselves(call, status);
    if (call->response == CALL_RESPONSE_NONE) {
        struct header_list headers = {0};
        status_fields_add_answer(&headers, status);
        nghttp2_nv fields[8];
        call_submit_response(call, fields,
                             policy_response_fields(access_policy(call->access), &headers, fields),
                             true);
        header_list_finish(&headers);
        return;
    }
    if (call->framing.boundary < call->response_body.moved_bytes) {
        call_reset(call, NGHTTP2_REFUSED_STREAM);
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
    call_settle_request(call);
    call_submit_response(
        call, fields, policy_response_fields(access_policy(call->access), headers, fields), false);
}

void call_abandon(struct call *call)
{
    call_detach_upstream(call);
    body_drop(&call->response_body, 0);
    call->response_complete = true;
    call->response = CALL_RESPONSE_LAST;
}

void call_lose(struct call *call, const struct upstream_fault *fault)
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
    call_lose(call, &fault);
}

bool call_is_shed(struct call *call, const struct body *body)
{
    if (!quota_is_overdrawn(call->quota, body->queue.bytes))
        return false;
    struct rpc_status status;
    quota_overdrawn_status(call->quota, &status);
    if (call->response == CALL_RESPONSE_NONE) {
        call_finish(call, &status);
        return true;
    }
    end_by_ourselves(call, &status);
    call_reset(call, NGHTTP2_REFUSED_STREAM);
    return true;
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
