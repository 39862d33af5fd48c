/* When an access token expires. */
#include "conf/token_expiry.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

static const time_t year_10000 = 253402300800;

/* The second of three parts; NULL where there are not three. */
static const char *find_claims(const struct secret *token, size_t *ret_len)
{
    const char *end = token->bytes + token->len;
    const char *first = memchr(token->bytes, '.', token->len);
    if (first == NULL)
        return NULL;
    const char *claims = first + 1;
    const char *second = memchr(claims, '.', (size_t)(end - claims));
    if (second == NULL || memchr(second + 1, '.', (size_t)(end - second - 1)) != NULL)
        return NULL;
    *ret_len = (size_t)(second - claims);
    return claims;
}

/* base64url without padding (RFC 7515, 2), as the alphabet that OpenSSL reads. */
static void to_base64(const char *text, size_t len, unsigned char *ret, size_t padded_len)
{
    memset(ret, '=', padded_len);
    for (size_t i = 0; i < len; i++)
        ret[i] = (unsigned char)(text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
}

static time_t read_expiry(const char *json, size_t len)
{
    json_t *claims = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *claim = json_object_get(claims, "exp");
    double seconds = json_is_number(claim) ? json_number_value(claim) : 0;
    json_decref(claims);
    return seconds > 0 && seconds < (double)year_10000 ? (time_t)seconds : 0;
}

time_t token_expiry(const struct secret *token)
{
    size_t len = 0;
    const char *claims = token->bytes != NULL ? find_claims(token, &len) : NULL;
    if (claims == NULL || len == 0 || len > TOKEN_EXPIRY_MAX_BYTES)
        return 0;
    size_t padded_len = (len + 3) / 4 * 4;
    unsigned char *text = xcalloc(1, padded_len), *json = xcalloc(1, padded_len);
    to_base64(claims, len, text, padded_len);
    int decoded = EVP_DecodeBlock(json, text, (int)padded_len);
    size_t padding = padded_len - len;
    time_t expires = 0;
    if (decoded > 0 && (size_t)decoded > padding) /* OpenSSL counts what stands for padding */
        expires = read_expiry((const char *)json, (size_t)decoded - padding);
    secret_wipe(text, padded_len);
    secret_wipe(json, padded_len);
    free(text);
    free(json);
    return expires;
}

void token_expiry_text(time_t expires, char ret_text[TOKEN_EXPIRY_TEXT_SIZE])
{
    struct tm utc;
    gmtime_r(&expires, &utc);
    strftime(ret_text, TOKEN_EXPIRY_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc);
}
