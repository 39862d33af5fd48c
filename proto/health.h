/*
 * The messages of grpc.health.v1.Health, in gRPC's framing (grpc/doc/health-checking.md).
 *
 * Pure: bytes in, bytes out.
 */
#ifndef SPARKBRIDGE_PROTO_HEALTH_H
#define SPARKBRIDGE_PROTO_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HEALTH_MESSAGE_BYTES = 16, HEALTH_REQUEST_MAX_BYTES = 4096 };

enum health_status {
    HEALTH_SERVING = 1,
    HEALTH_NOT_SERVING = 2,
    HEALTH_SERVICE_UNKNOWN = 3,
};

/* Is this a request for a service that the bridge has: "" (all of it) or Spark Connect's? False in
 * *ret_readable for bytes that are no request (or compressed, which nobody does with so little). */
bool health_knows(const uint8_t *bytes, size_t len, bool *ret_readable);

/* Writes a response message; returns its length. */
size_t health_response(enum health_status status, uint8_t ret_bytes[HEALTH_MESSAGE_BYTES]);

#endif
