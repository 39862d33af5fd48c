/*
 * What the parts of daemon/call.h share among themselves: call.c (life, and the client's side),
 * call_upstream.c (what the workspace does) and call_answer.c (what the client gets).
 */
#ifndef SPARKBRIDGE_DAEMON_CALL_PARTS_H
#define SPARKBRIDGE_DAEMON_CALL_PARTS_H

#include "daemon/call.h"

extern const struct upstream_stream_events call_upstream_events;

/* Sends the headers of an answer; with `last` they end it. */
void call_submit_response(struct call *call, const nghttp2_nv *fields, size_t count, bool last);

/* Ends the client's stream by RST_STREAM; what is left of the answer is dropped. */
void call_reset(struct call *call, uint32_t error_code);

/* The request will not be sent again: what was kept for that goes. */
void call_settle_request(struct call *call);

/* Nothing of the call reaches its upstream any more, which may end before the call does. */
void call_detach_upstream(struct call *call);

/* Ends a call whose upstream is lost or was never there. */
void call_lose(struct call *call, const struct upstream_fault *fault);

/* Bytes have come for a body: it takes them, for as long as the read lasts without a copy. */
void call_take(struct call *call, struct body *body, const uint8_t *bytes, size_t len);

/* More has come for a body while all that may be buffered is: does that end the call? What it holds
 * is dropped at once; clients that can re-attach fetch a result later. */
bool call_is_shed(struct call *call, const struct body *body);

#endif
