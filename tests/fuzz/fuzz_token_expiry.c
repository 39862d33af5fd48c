/* Fuzzes the reading of a token's expiry: any bytes as the token, and as the claims within one. */
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "conf/token_expiry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *bytes, size_t len)
{
    struct secret token = {0};
    char text[TOKEN_EXPIRY_TEXT_SIZE];
    secret_set(&token, bytes, len);
    time_t expires = token_expiry(&token);
    secret_finish(&token);
    if (expires < 0)
        abort();
    token_expiry_text(expires, text);
    if (strlen(text) != strlen("2026-11-24T18:00:00Z"))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check((const char *)data, size);
    char *encoded = xcalloc(1, size * 2 + 8);
    EVP_EncodeBlock((unsigned char *)encoded, data, (int)size);
    char *token = xasprintf("h.%.*s.s", (int)strcspn(encoded, "="), encoded);
    check(token, strlen(token));
    free(encoded);
    free(token);
    return 0;
}
