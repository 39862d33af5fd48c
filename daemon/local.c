/* Answers that the bridge gives itself. */
#include "daemon/local.h"

#include <string.h>

#include "proto/health.h"

static void answer_not_grpc(struct call *call)
{
    static const char sentence[] =
        "This port is sparkbridge. It serves Spark Connect (gRPC) only: use sc://HOST:PORT in a "
        "Spark Connect client.\n";
    const char *method = header_list_get(&call->request, KNOWN_METHOD);
    bool head = method != NULL && strcmp(method, "HEAD") == 0; /* wants the headers alone */
    struct header_list headers = {0};
    header_list_add_text(&headers, ":status", "415");
    header_list_add_text(&headers, "content-type", "text/plain; charset=utf-8");
    call_answer(call, &headers);
    header_list_finish(&headers);
    if (!head)
        body_push(&call->response_body, (const uint8_t *)sentence, sizeof sentence - 1);
    body_end(&call->response_body);
}

static void send_health(struct call *call, enum health_status status)
{
    uint8_t bytes[HEALTH_MESSAGE_BYTES];
    size_t len = health_response(status, bytes);
    if (call->response == CALL_RESPONSE_NONE) {
        struct header_list headers = {0};
        header_list_add_text(&headers, ":status", "200");
        header_list_add_text(&headers, "content-type", "application/grpc");
        call_answer(call, &headers);
        header_list_finish(&headers);
    }
    grpc_framing_feed(&call->framing, bytes, len);
    body_push(&call->response_body, bytes, len);
}

static void end_ok(struct call *call)
{
    call->status = GRPC_OK;
    header_list_add_text(&call->trailers, "grpc-status", "0");
    body_end(&call->response_body);
}

static void answer_health(struct call *call)
{
    uint8_t request[HEALTH_REQUEST_MAX_BYTES];
    bool readable = false, known = false;
    size_t len = call->request_body.queue.bytes;
    if (len <= sizeof request) {
        byte_queue_copy(&call->request_body.queue, 0, request, len);
        known = health_knows(request, len, &readable);
    }
    body_drop(&call->request_body, 0);

    struct rpc_status status;
    if (!readable) {
        rpc_status_set(&status, GRPC_INVALID_ARGUMENT, "UNREADABLE_REQUEST",
                       "sparkbridge: this is no HealthCheckRequest");
        call_finish(call, &status);
    } else if (call->kind == CALL_HEALTH_WATCH) {
        send_health(call, known ? HEALTH_SERVING : HEALTH_SERVICE_UNKNOWN);
    } else if (known) {
        send_health(call, HEALTH_SERVING);
        end_ok(call);
    } else {
        rpc_status_set(&status, GRPC_NOT_FOUND, "UNKNOWN_SERVICE",
                       "sparkbridge: only spark.connect.SparkConnectService is served here");
        call_finish(call, &status);
    }
}

void local_on_request(struct call *call)
{
    const struct body *body = &call->request_body;
    if (call->kind == CALL_FORWARDED || call->response != CALL_RESPONSE_NONE)
        return;
    if (call->kind == CALL_NOT_GRPC)
        answer_not_grpc(call); /* whatever its body is: that is not taken, and so may never end */
    else if (body->ended || body->queue.bytes > HEALTH_REQUEST_MAX_BYTES)
        answer_health(call);
}

void local_stop(struct call *call, const char *reason)
{
    if (call->kind != CALL_HEALTH_WATCH || call->response == CALL_RESPONSE_LAST ||
        call->response_body.ended)
        return;
    struct rpc_status status;
    send_health(call, HEALTH_NOT_SERVING);
    rpc_status_set(&status, GRPC_UNAVAILABLE, "STOPPING", "%s", reason);
    call_finish(call, &status);
}
