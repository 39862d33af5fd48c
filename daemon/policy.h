/*
 * What may pass: which requests are Spark Connect calls, and which of their headers go on.
 *
 * The bridge adds a credential, so it is no open relay: only Spark Connect's service is forwarded,
 * and what the bridge sets itself never comes from a client, however it is spelt. Stateless.
 */
#ifndef SPARKBRIDGE_DAEMON_POLICY_H
#define SPARKBRIDGE_DAEMON_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/binding.h"
#include "daemon/header_list.h"
#include "proto/rpc_status.h"

enum { POLICY_MAX_FIELDS = HEADER_LIST_MAX_FIELDS + METADATA_MAX_ENTRIES + 8 };

enum policy_verdict {
    POLICY_FORWARD,
    POLICY_REFUSE,   /* a gRPC call that is not forwarded: ret_status says why */
    POLICY_NOT_GRPC, /* advice instead of an answer */
    POLICY_HEALTH_CHECK,
    POLICY_HEALTH_WATCH,
};

enum policy_verdict policy_check(const struct header_list *request, struct rpc_status *ret_status);

/* The method of a forwarded request: "ExecutePlan". Points into the list. */
const char *policy_method(const struct header_list *request);

/* What a request's fields are made of, all borrowed. */
struct policy_request {
    const struct header_list *headers; /* the client's */
    const struct binding *binding;
    const char *authority;  /* policy_authority() */
    const char *session_id; /* for serverless, else NULL */
};

/* The fields to send upstream: pseudo-headers of the binding's target, the client's headers
 * without those the bridge sets, then ours, each exactly once. They point into what the request
 * points to. Returns their count, at most POLICY_MAX_FIELDS. */
size_t policy_request_fields(const struct policy_request *request, nghttp2_nv *ret_fields);

/* host[:port] for :authority, the port left out where it is 443. */
void policy_authority(const struct binding *binding, char *ret_text, size_t size);

/* The fields of a response to send downstream; the same for trailers. */
size_t policy_response_fields(const struct header_list *response, nghttp2_nv *ret_fields);

#endif
