/* A secret that is kept apart, wiped when it ends and never printed. */
#include "common/secret.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "common/secret_memory.h"

void secret_reserve(struct secret *secret, size_t size)
{
    secret_finish(secret);
    *secret = (struct secret){.bytes = secret_memory_take(size + 1)};
}

void secret_set(struct secret *secret, const char *bytes, size_t len)
{
    char *copy = secret_memory_take(len + 1);
    memcpy(copy, bytes, len);
    secret_finish(secret);
    *secret = (struct secret){.bytes = copy, .len = len};
}

void secret_set_prefixed(struct secret *secret, const char *prefix, const struct secret *tail)
{
    size_t prefix_len = strlen(prefix);
    char *copy = secret_memory_take(prefix_len + tail->len + 1);
    /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): the memory is zeroed */
    memcpy(copy, prefix, prefix_len);
    memcpy(copy + prefix_len, tail->bytes, tail->len);
    size_t len = prefix_len + tail->len;
    secret_finish(secret);
    *secret = (struct secret){.bytes = copy, .len = len};
}

void secret_move(struct secret *to, struct secret *from)
{
    if (to == from)
        return;
    secret_finish(to);
    *to = *from;
    *from = (struct secret){0};
}

void secret_finish(struct secret *secret)
{
    if (secret->bytes != NULL)
        secret_memory_give(secret->bytes);
    *secret = (struct secret){0};
}

bool secret_is_set(const struct secret *secret)
{
    return secret->bytes != NULL;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
    if (a->bytes == NULL || b->bytes == NULL)
        return a->bytes == b->bytes;
    return a->len == b->len && CRYPTO_memcmp(a->bytes, b->bytes, a->len) == 0;
}

bool secret_matches(const struct secret *secret, const char *bytes, size_t len)
{
    unsigned char ours[SHA256_DIGEST_LENGTH], theirs[SHA256_DIGEST_LENGTH];
    if (secret->bytes == NULL)
        return false;
    SHA256((const unsigned char *)secret->bytes, secret->len, ours);
    SHA256((const unsigned char *)bytes, len, theirs);
    return CRYPTO_memcmp(ours, theirs, sizeof ours) == 0;
}

void secret_fingerprint(const struct secret *secret, char ret_text[SECRET_FINGERPRINT_SIZE])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)(secret->bytes != NULL ? secret->bytes : ""), secret->len,
           digest);
    for (size_t i = 0; i < (SECRET_FINGERPRINT_SIZE - 1) / 2; i++)
        snprintf(ret_text + 2 * i, 3, "%02x", digest[i]);
}

void secret_wipe(void *bytes, size_t len)
{
    explicit_bzero(bytes, len);
}

void secret_wipe_text(char *text)
{
    if (text != NULL)
        secret_wipe(text, strlen(text));
}
