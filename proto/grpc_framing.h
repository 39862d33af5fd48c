/*
 * Where gRPC messages begin and end in a stream of bytes (gRPC over HTTP/2,
 * Length-Prefixed-Message: one byte of flags, four bytes of length, the message).
 *
 * Owner: the struct that embeds it; there is nothing to free. A zeroed struct is at the start of a
 * stream. It looks at prefixes only and keeps no message.
 */
#ifndef SPARKBRIDGE_PROTO_GRPC_FRAMING_H
#define SPARKBRIDGE_PROTO_GRPC_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GRPC_PREFIX_BYTES = 5 };

struct grpc_framing {
    uint64_t bytes;    /* seen so far */
    uint64_t boundary; /* of those, up to the end of the last whole message */
    uint32_t left;     /* of the current message, once its prefix is whole */
    uint8_t prefix_len;
    uint8_t prefix[GRPC_PREFIX_BYTES];
};

/* The length that a message's prefix names. */
static inline uint32_t grpc_message_length(const uint8_t prefix[GRPC_PREFIX_BYTES])
{
    return (uint32_t)prefix[1] << 24 | (uint32_t)prefix[2] << 16 | (uint32_t)prefix[3] << 8 |
           prefix[4];
}

/* Goes on by the next `len` bytes of the stream. */
void grpc_framing_feed(struct grpc_framing *framing, const uint8_t *bytes, size_t len);

#endif
