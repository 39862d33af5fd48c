/* When a token expires: what OAuth's tokens say, and what says nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "conf/token_expiry.h"

static time_t expiry_of(const char *text)
{
    struct secret token = {0};
    secret_set(&token, text, strlen(text));
    time_t expires = token_expiry(&token);
    secret_finish(&token);
    return expires;
}

/* A token with these claims, in base64url as JWTs have it. */
static time_t expiry_of_claims(const char *claims)
{
    size_t len = strlen(claims);
    char *encoded = xcalloc(1, len * 2 + 8);
    EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)claims, (int)len);
    for (char *c = encoded; *c != '\0'; c++)
        *c = (char)(*c == '+' ? '-' : *c == '/' ? '_' : *c);
    encoded[strcspn(encoded, "=")] = '\0';
    char *token = xasprintf("eyJhbGciOiJSUzI1NiJ9.%s.c2ln", encoded);
    time_t expires = expiry_of(token);
    free(token);
    free(encoded);
    return expires;
}

static void test_tokens_that_say(void **state)
{
    /* Of every length of padding, and with what base64url writes in its own way. */
    assert_int_equal(expiry_of_claims("{\"exp\":1795543200}"), 1795543200);
    assert_int_equal(expiry_of_claims("{\"exp\":1795543200 }"), 1795543200);
    assert_int_equal(expiry_of_claims("{\"exp\":1795543200  }"), 1795543200);
    assert_int_equal(expiry_of_claims("{\"sub\":\"a\xc3\xbf\xc3\xbe?>~\",\"exp\":1795543200.9}"),
                     1795543200);
    assert_int_equal(expiry_of_claims("{\"exp\":1}"), 1);
}

static void test_tokens_that_do_not(void **state)
{
    static const char *const tokens[] = {
        "",         "dapi0123456789",
        "a.b",      "a..b",
        ".",        "..",
        "...",      "a.b.c",
        "a.e30.c",  "a.e30.c.d",
        "a.!!!!.c", "a.eyJleHAiOjE3OTU1NDMyMDB9.c.d",
    };
    static const char *const claims[] = {
        "{}",
        "[]",
        "[1795543200]",
        "1795543200",
        "\"exp\"",
        "{\"exp\":\"1795543200\"}",
        "{\"exp\":null}",
        "{\"exp\":0}",
        "{\"exp\":-5}",
        "{\"exp\":1e300}",
        "{\"exp\":253402300800}",
        "{\"exp\":1795543200",
        "{\"exp\":1795543200,\"exp\":5}",
        "{\"exp\":1795543200}x",
    };
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++)
        assert_int_equal(expiry_of(tokens[i]), 0);
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++)
        assert_int_equal(expiry_of_claims(claims[i]), 0);
    struct secret none = {0};
    assert_int_equal(token_expiry(&none), 0);
}

static void test_large_claims_are_not_read(void **state)
{
    char *filling = xcalloc(1, TOKEN_EXPIRY_MAX_BYTES + 1);
    memset(filling, 'x', TOKEN_EXPIRY_MAX_BYTES);
    char *claims = xasprintf("{\"exp\":1795543200,\"x\":\"%s\"}", filling);
    assert_int_equal(expiry_of_claims(claims), 0);
    free(claims);
    free(filling);
}

static void test_text(void **state)
{
    char text[TOKEN_EXPIRY_TEXT_SIZE];
    token_expiry_text(1795543200, text);
    assert_string_equal(text, "2026-11-24T18:00:00Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens_that_say),
        cmocka_unit_test(test_tokens_that_do_not),
        cmocka_unit_test(test_large_claims_are_not_read),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
