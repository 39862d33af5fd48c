/*
 * grpc-timeout: how long a client waits for its call (gRPC over HTTP/2, Timeout: at most eight
 * digits and a unit).
 */
#ifndef SPARKBRIDGE_PROTO_GRPC_TIMEOUT_H
#define SPARKBRIDGE_PROTO_GRPC_TIMEOUT_H

#include <stdbool.h>
#include <stdint.h>

/* In milliseconds, rounded up; false where the text is no timeout. */
bool grpc_timeout_parse(const char *text, uint64_t *ret_ms);

#endif
