/*
 * The sentences a client's user reads when the bridge must refuse a call or cannot carry it: what
 * happened, where the value came from, and what to do.
 *
 * The codes are chosen by what clients do with them. What a retry cannot cure gets a code that
 * Spark's clients show at once; UNAVAILABLE, which they retry in silence for ten minutes, is kept
 * for what it can. DEADLINE_EXCEEDED is never made here: PySpark retries it without a pause.
 */
#ifndef SPARKBRIDGE_DAEMON_FAILURE_H
#define SPARKBRIDGE_DAEMON_FAILURE_H

#include <stdbool.h>

#include "conf/binding.h"
#include "daemon/header_list.h"
#include "daemon/upstream.h"
#include "proto/rpc_status.h"

/* No connection could be had, or it ended before an answer came. `resumes`: the call goes on with
 * an operation whose result the server still keeps, so that waiting is better than an error. */
void failure_from_fault(const struct binding *binding, const struct upstream_fault *fault,
                        bool resumes, struct rpc_status *ret_status);

/* The stream was reset before an answer came. */
void failure_from_reset(const struct binding *binding, uint32_t error_code,
                        struct rpc_status *ret_status);

/* The workspace answered by HTTP, not by gRPC. */
void failure_from_http(const struct binding *binding, int http_status,
                       const struct header_list *headers, struct rpc_status *ret_status);

/* A Trailers-Only answer that refuses the credential or the cluster without saying which: true
 * where `ret_status` says it better. */
bool failure_improve_refusal(const struct binding *binding, const struct header_list *headers,
                             struct rpc_status *ret_status);

#endif
