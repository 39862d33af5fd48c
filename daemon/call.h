/*
 * One RPC: a stream of a downstream session and a stream of an upstream one, the two bodies
 * between them, and the one place that decides how the call ends for the client.
 *
 * Owner: the downstream session, which creates it with the request's first header and destroys it
 * when its stream closes. The upstream side is weak: when it ends, the call decides what the
 * client sees, and everything here tolerates that it is gone. Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_CALL_H
#define SPARKBRIDGE_DAEMON_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/list.h"
#include "daemon/access.h"
#include "daemon/body.h"
#include "daemon/deadline.h"
#include "daemon/h2.h"
#include "daemon/header_list.h"
#include "daemon/peer_throttle.h"
#include "daemon/policy.h"
#include "daemon/pool.h"
#include "daemon/quota.h"
#include "daemon/upstream.h"
#include "proto/grpc_framing.h"
#include "proto/rpc_status.h"
#include "proto/session_peek.h"

/* How far the answer has come on its way to the client. */
enum call_response {
    CALL_RESPONSE_NONE, /* nothing submitted */
    CALL_RESPONSE_OPEN, /* headers submitted; body and trailers follow */
    CALL_RESPONSE_LAST, /* the trailers are submitted, or the whole answer was headers */
};

/* Who answers. */
enum call_kind {
    CALL_FORWARDED,
    CALL_NOT_GRPC, /* the bridge itself: local.h */
    CALL_HEALTH_CHECK,
    CALL_HEALTH_WATCH,
};

enum {
    CALL_MAX_REPLAYS = 3,
    CALL_ODD_LINES = 20, /* a minute and user, of the log; the rest is for debugging */
    CALL_REQUEST_WINDOW_BYTES = 1024 * 1024, /* what a client may have under way */
    /* After its deadline a call is the client's to end; what is left then is freed. */
    CALL_DEADLINE_GRACE_MS = 2000,
};

struct call {
    struct list link;      /* the downstream's list */
    struct h2 *downstream; /* weak: its owner owns us */
    int32_t stream_id;
    struct access *access;   /* owned reference: what the listener grants */
    const struct peer *peer; /* the downstream's */
    struct pool *pool;       /* owned reference, from when the call is forwarded; else NULL */
    const struct quota *quota;
    struct upstream_stream upstream;
    uint64_t started_ms;
    struct deadline deadline; /* the client's, and some time */

    struct borrower borrower;   /* of what bodies hold without a copy */
    struct header_list request; /* until an answer begins: it may have to be sent again */
    struct session_peek *peek;  /* owned; for serverless, as long as the request's headers */
    unsigned replays;           /* how often it has been sent again */
    struct body request_body;   /* downstream -> upstream */
    struct body response_body;  /* upstream -> downstream */
    struct header_list trailers;
    struct grpc_framing framing; /* of the response's received bytes */
    enum call_response response;
    enum call_kind kind;
    bool counted;           /* by the downstream, in its user's quota */
    bool answered;          /* the headers of an answer have been sent */
    bool response_complete; /* the upstream's END_STREAM has come */
    int status;             /* grpc-status as sent to the client, -1 while unknown */
    bool status_is_ours;
    char method[32]; /* for the log */
};

struct call *call_create(struct h2 *downstream, int32_t stream_id, struct access *access,
                         const struct peer *peer, const struct quota *quota);

/* Gives back all credit, cancels the upstream stream if it is open, frees. `error_code` is the one
 * the downstream stream closed with, for the log, in which `odd` counts calls that did not end as
 * they should. */
void call_destroy(struct call *call, uint32_t error_code, struct peer_throttle *odd);

/* The request's header block is complete in call->request. Whether END_STREAM came with it is in
 * call->request_body.ended. */
void call_on_request(struct call *call);
void call_on_request_data(struct call *call, const uint8_t *bytes, size_t len);
void call_on_request_last(struct call *call);

/* The downstream session's data provider for responses. */
ssize_t call_read_response(struct call *call, size_t max, uint32_t *data_flags);
int call_send_response(struct call *call, const uint8_t *frame_header, size_t len);

/* The one place where the bridge ends a call by itself: what the client sees depends on how far the
 * answer has come. Nothing happens where it is complete. */
void call_finish(struct call *call, const struct rpc_status *status);

/* Begins an answer of the bridge's own; body and trailers follow in the call's fields. */
void call_answer(struct call *call, const struct header_list *headers);

/* The client's connection is cut: nothing goes to the workspace any more, and nothing comes. */
void call_abandon(struct call *call);

/* The bridge is stopping: ends the call as if its upstream were lost. */
void call_abort(struct call *call, const char *reason);

#endif
