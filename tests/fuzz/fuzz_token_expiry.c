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
    char *token = xcalloc(1, size * 2 + 16);
    memcpy(token, "h.", 2);
    int len = EVP_EncodeBlock((unsigned char *)token + 2, data, (int)size);
    while (len > 0 && token[2 + len - 1] == '=')
        len--;
    memcpy(token + 2 + len, ".s", 2);
    check(token, 2 + (size_t)len + 2);
    free(token);
    return 0;
}
