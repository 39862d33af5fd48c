/*
 * A call's end that the bridge itself decides: a gRPC code, a sentence for a person, and a reason
 * for a program, with their serialized form for grpc-status-details-bin.
 *
 * Spark's clients show exactly the sentence when the details carry a google.rpc.ErrorInfo, and a
 * wrapped mess otherwise. Never adds google.rpc.RetryInfo: with it every code is retried in
 * silence. Owner: the caller, on its stack.
 */
#ifndef SPARKBRIDGE_PROTO_RPC_STATUS_H
#define SPARKBRIDGE_PROTO_RPC_STATUS_H

#include <stddef.h>

#include "proto/grpc_status.h"

enum {
    RPC_MESSAGE_BYTES = 768,  /* Java clients accept 8 KiB of headers in all */
    RPC_DETAILS_BYTES = 2048, /* base64, NUL included */
};

struct rpc_status {
    enum grpc_code code;
    const char *reason;              /* static, UPPER_SNAKE_CASE, for google.rpc.ErrorInfo */
    char message[RPC_MESSAGE_BYTES]; /* printable ASCII */
};

/* Fills a status; a message that is too long is cut, bytes that are not ASCII become '?'. */
void rpc_status_set(struct rpc_status *status, enum grpc_code code, const char *reason,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Writes google.rpc.Status with one ErrorInfo, base64-encoded for a -bin header, which is sent
 * without padding (PROTOCOL-HTTP2.md of gRPC); returns the length without the NUL. */
size_t rpc_status_details(const struct rpc_status *status, char ret_text[RPC_DETAILS_BYTES]);

#endif
