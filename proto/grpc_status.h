/*
 * gRPC status codes, their names, and the encodings a status travels in.
 *
 * Sources: grpc/doc/statuscodes.md (codes), PROTOCOL-HTTP2.md (Status-Message percent-encoding,
 * mapping of HTTP/2 error codes), http-grpc-status-mapping.md (HTTP status without grpc-status).
 */
#ifndef SPARKBRIDGE_PROTO_GRPC_STATUS_H
#define SPARKBRIDGE_PROTO_GRPC_STATUS_H

#include <stddef.h>

enum grpc_code {
    GRPC_OK = 0,
    GRPC_CANCELLED = 1,
    GRPC_UNKNOWN = 2,
    GRPC_INVALID_ARGUMENT = 3,
    GRPC_NOT_FOUND = 5,
    GRPC_PERMISSION_DENIED = 7,
    GRPC_RESOURCE_EXHAUSTED = 8,
    GRPC_FAILED_PRECONDITION = 9,
    GRPC_UNIMPLEMENTED = 12,
    GRPC_INTERNAL = 13,
    GRPC_UNAVAILABLE = 14,
    GRPC_UNAUTHENTICATED = 16,
};

/* "UNAVAILABLE"; "code N" is not made up: an unknown number gives "UNKNOWN". */
const char *grpc_code_name(int code);

/* The code a client would make from an HTTP status that came without grpc-status. */
enum grpc_code grpc_code_from_http(int http_status);

/* Percent-encodes text for grpc-message: bytes outside 0x20-0x7E and '%' become %XX. Writes at
 * most `size` bytes including the NUL, cutting between encoded bytes; returns the length. */
size_t grpc_message_encode(const char *text, char *ret_text, size_t size);

/* The reverse, lenient as the specification asks: what is no valid escape stays as it is. */
size_t grpc_message_decode(const char *text, size_t len, char *ret_text, size_t size);

#endif
