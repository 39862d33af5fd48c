/* Where gRPC messages begin and end in a stream of bytes. */
#include "proto/grpc_framing.h"

#include <string.h>

void grpc_framing_feed(struct grpc_framing *framing, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        size_t n;
        if (framing->prefix_len < GRPC_PREFIX_BYTES) {
            n = GRPC_PREFIX_BYTES - framing->prefix_len;
            n = n < len ? n : len;
            memcpy(framing->prefix + framing->prefix_len, bytes, n);
            framing->prefix_len += (uint8_t)n;
            if (framing->prefix_len == GRPC_PREFIX_BYTES)
                framing->left = grpc_message_length(framing->prefix);
        } else {
            n = framing->left < len ? framing->left : len;
            framing->left -= (uint32_t)n;
        }
        framing->bytes += n;
        bytes += n;
        len -= n;
        if (framing->prefix_len == GRPC_PREFIX_BYTES && framing->left == 0) {
            framing->prefix_len = 0;
            framing->boundary = framing->bytes;
        }
    }
}
