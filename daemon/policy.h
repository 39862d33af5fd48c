/*
 * What may pass: which requests are Spark Connect calls of a client that is welcome, and which
 * headers go on, in both directions.
 *
 * The bridge adds a credential, so it is no open relay: only Spark Connect's service is forwarded,
 * headers pass by an allow-list, and what the bridge sets itself never comes from a client, however
 * it is spelt. Owner: a listener's access, which calls keep that began with it. Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_POLICY_H
#define SPARKBRIDGE_DAEMON_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/secret.h"
#include "conf/binding.h"
#include "conf/config.h"
#include "daemon/header_list.h"
#include "proto/rpc_status.h"

enum {
    POLICY_MAX_FIELDS = HEADER_LIST_MAX_FIELDS + METADATA_MAX_ENTRIES + 8,
    POLICY_MAX_REPORTS = 16, /* names of dropped headers that the log is told of */
};

struct policy {
    char *listener;                      /* owned; its name, for the log */
    struct config_words authorities;     /* owned copies, as in struct listener_config */
    struct config_words forward_headers; /* likewise */
    struct secret client_secret;        /* the header value, "Bearer " and the secret, or not set */
    char good_authority[64];            /* the last one that was found good, or "" */
    char *reported[POLICY_MAX_REPORTS]; /* owned */
    size_t reported_count;
};

/* A policy with one reference. Takes the secret over, which may be one that is not set. */
struct policy *policy_create(const struct listener_config *listener, struct secret *client_secret);
void policy_destroy(struct policy *policy); /* accepts NULL */

enum policy_verdict {
    POLICY_FORWARD,
    POLICY_REFUSE,   /* a gRPC call that is not forwarded: ret_status says why */
    POLICY_NOT_GRPC, /* advice instead of an answer */
    POLICY_HEALTH_CHECK,
    POLICY_HEALTH_WATCH,
};

/* Where a request came by. No browser reaches a Unix socket, and gRPC libraries make up all sorts
 * of authorities there, so that they mean nothing. */
enum policy_way { POLICY_BY_TCP, POLICY_BY_UNIX_SOCKET };

enum policy_verdict policy_check(struct policy *policy, const struct header_list *request,
                                 enum policy_way way, struct rpc_status *ret_status);

/* Takes from a request that is to be forwarded what does not pass, and says so in the log, once a
 * name. */
void policy_filter_request(struct policy *policy, struct header_list *request);

/* Does the name pass, in either direction? */
bool policy_passes(const struct policy *policy, const char *name, size_t len);

/* "application/grpc", alone or with a subtype or parameters, and not "application/grpc-web". */
bool policy_is_grpc_type(const char *content_type);

/* The method of a forwarded request: "ExecutePlan". Points into the list. */
const char *policy_method(const struct header_list *request);

/* What a request's fields are made of, all borrowed. */
struct policy_request {
    const struct header_list *headers; /* the client's, filtered */
    const struct binding *binding;
    const char *authority;  /* policy_authority(); outlives the session, as the binding does */
    const char *session_id; /* for serverless, else NULL */
};

/* The fields to send upstream: pseudo-headers of the binding's target, the client's headers
 * without those the binding sets, then ours, each exactly once. They point into what the request
 * points to. Returns their count, at most POLICY_MAX_FIELDS. */
size_t policy_request_fields(const struct policy_request *request, nghttp2_nv *ret_fields);

/* host[:port] for :authority, the port left out where it is 443. */
void policy_authority(const struct binding *binding, char *ret_text, size_t size);

/* The fields of a response to send downstream, at most HEADER_LIST_MAX_FIELDS; the same for
 * trailers. They point into the list. */
size_t policy_response_fields(const struct policy *policy, const struct header_list *response,
                              nghttp2_nv *ret_fields);

#endif
