/*
 * Answers that the bridge gives itself: grpc.health.v1.Health, and advice for what is not gRPC.
 *
 * Stateless: what there is to know about a call is in the call. Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_LOCAL_H
#define SPARKBRIDGE_DAEMON_LOCAL_H

#include "daemon/call.h"

/* More of a request has come: answers it if it is one that the bridge answers itself and enough of
 * it is there. */
void local_on_request(struct call *call);

/* The connection is to end: so does a call that watches the health, and would never end itself.
 * `reason` is for its client. */
void local_stop(struct call *call, const char *reason);

#endif
