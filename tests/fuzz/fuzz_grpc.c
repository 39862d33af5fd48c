/* Fuzzes what reads gRPC's framing, grpc-message and health requests: boundaries do not depend on
 * chunks, and decoding never grows a text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/grpc_framing.h"
#include "proto/grpc_status.h"
#include "proto/health.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct grpc_framing whole = {0}, bytewise = {0};
    grpc_framing_feed(&whole, data, size);
    for (size_t i = 0; i < size; i++)
        grpc_framing_feed(&bytewise, data + i, 1);
    if (whole.boundary != bytewise.boundary || whole.bytes != size || whole.boundary > size)
        abort();

    char decoded[256], encoded[1024], again[256];
    size_t len = grpc_message_decode((const char *)data, size, decoded, sizeof decoded);
    if (len > size || len >= sizeof decoded)
        abort();
    size_t encoded_len = grpc_message_encode(decoded, encoded, sizeof encoded);
    grpc_message_decode(encoded, encoded_len, again, sizeof again);
    if (strcmp(decoded, again) != 0)
        abort();

    bool readable;
    health_knows(data, size, &readable);
    return 0;
}
