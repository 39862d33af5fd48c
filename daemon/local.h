/*
 * Answers that the bridge gives itself: grpc.health.v1.Health, and advice for what is not gRPC.
 *
 * Stateless: what there is to know about a call is in the call. Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_LOCAL_H
#define SPARKBRIDGE_DAEMON_LOCAL_H

#include "daemon/call.h"

/* A request is complete: answers it if it is one that the bridge answers itself. */
void local_on_request_complete(struct call *call);

/* The bridge is about to stop: ends a call that watches the health, and would never end itself. */
void local_stop(struct call *call);

#endif
