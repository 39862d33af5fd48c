/*
 * A gRPC status as header fields: what ends a call, in trailers or in a Trailers-Only answer.
 */
#ifndef SPARKBRIDGE_DAEMON_STATUS_FIELDS_H
#define SPARKBRIDGE_DAEMON_STATUS_FIELDS_H

#include "daemon/header_list.h"
#include "proto/rpc_status.h"

/* grpc-status, grpc-message and grpc-status-details-bin. */
void status_fields_add(struct header_list *list, const struct rpc_status *status);

/* A whole Trailers-Only answer. */
void status_fields_add_answer(struct header_list *list, const struct rpc_status *status);

#endif
