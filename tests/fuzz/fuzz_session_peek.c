/* Fuzzes the reading of a request's session id: any bytes, in any chunks, compressed or not. The
 * first byte chooses encoding and chunk. What is found may be sent as a header. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/session_peek.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const encodings[] = {NULL, "gzip", "deflate", "identity"};
    if (size == 0)
        return 0;
    size_t chunk = 1 + (data[0] >> 2);
    struct session_peek peek;
    session_peek_init(&peek, encodings[data[0] & 3]);
    enum session_peek_result result = SESSION_PEEK_MORE;
    for (size_t at = 1; at < size; at += chunk)
        result = session_peek_feed(&peek, data + at, size - at < chunk ? size - at : chunk);
    if (result == SESSION_PEEK_FOUND) {
        size_t len = strlen(peek.session_id);
        if (len == 0 || len > SESSION_ID_MAX_BYTES)
            abort();
        for (size_t i = 0; i < len; i++)
            if (peek.session_id[i] <= ' ' || peek.session_id[i] > '~')
                abort();
    }
    session_peek_finish(&peek);
    return 0;
}
