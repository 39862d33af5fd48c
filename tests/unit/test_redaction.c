/* Secrets that are in use never reach the log, in whatever form a text has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "common/alloc.h"
#include "common/log.h"
#include "common/redaction.h"

static const char token[] = "dapi0123456789/+abcdef%\"x y";

static void begin(struct redaction *redaction, const char *text)
{
    struct secret secret = {0};
    secret_set(&secret, text, strlen(text));
    redaction_begin(redaction, &secret);
    secret_finish(&secret);
}

/* What the log writes for a message and a field; free it. */
static char *logged(const char *message, const char *value)
{
    int ends[2], saved = dup(STDERR_FILENO);
    char *text = xcalloc(1, 65536);
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    log_fields(LOG_LEVEL_ERROR, message, {"field", value});
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[1]);
    assert_true(read(ends[0], text, 65535) > 0);
    close(ends[0]);
    return text;
}

static void assert_logged(const char *message, const char *value, const char *expected)
{
    char *text = logged(message, value);
    const char *found = strstr(text, "msg=");
    assert_non_null(found);
    assert_string_equal(found, expected);
    free(text);
}

static void test_as_it_is(void **state)
{
    struct redaction redaction = {0};
    static const char other[] = "msg=\"a dapi0123456789/+abcdef%\\\"x y b\" field=plain\n";
    char *text = xasprintf("a %s b", token);
    assert_logged(text, "plain", other); /* nobody said that it is one */
    begin(&redaction, token);
    assert_logged(text, "plain", "msg=\"a [secret] b\" field=plain\n");
    assert_logged("m", token, "msg=m field=\"[secret]\"\n");
    assert_logged("m", "Bearer=\\dapi0123456789/+abcdef%\"x ydapi",
                  "msg=m field=\"Bearer=\\\\[secret]dapi\"\n");
    redaction_end(&redaction);
    assert_logged(text, "plain", other);
    free(text);
}

static void test_percent_encoded(void **state)
{
    struct redaction redaction = {0};
    begin(&redaction, token);
    assert_logged("m", "t=dapi0123456789%2F%2Babcdef%25%22x%20y;", "msg=m field=\"t=[secret];\"\n");
    redaction_end(&redaction);
}

/* With every number of bytes in front, and with others behind. */
static void test_base64(void **state)
{
    struct redaction redaction = {0};
    begin(&redaction, token);
    for (size_t before = 0; before < 6; before++) {
        char *plain = xasprintf("%.*s%s:x", (int)before, "user=:", token);
        char encoded[128];
        EVP_EncodeBlock((unsigned char *)encoded, (unsigned char *)plain, (int)strlen(plain));
        char *text = logged("m", encoded);
        assert_non_null(strstr(text, "[secret]"));
        /* At most what its neighbours decide is left: a character at either end. */
        assert_true(strlen(strstr(text, "field=")) < strlen("field=\"\"") + before * 2 + 20);
        free(text);
        free(plain);
    }
    redaction_end(&redaction);
}

/* A message was cut inside of the token. */
static void test_cut(void **state)
{
    struct redaction redaction = {0};
    begin(&redaction, token);
    assert_logged("m", "dapi0123456789/...", "msg=m field=[secret]...\n");
    assert_logged("m", "dapi01234567", "msg=m field=[secret]\n");
    assert_logged("m", "dapi0123456", "msg=m field=dapi0123456\n");
    redaction_end(&redaction);
}

static void test_short_ones_are_no_secrets(void **state)
{
    struct redaction redaction = {0};
    begin(&redaction, "listene");
    assert_logged("listener", "listene", "msg=listener field=listene\n");
    redaction_end(&redaction);
    begin(&redaction, "listener");
    assert_logged("listener", "listene", "msg=[secret] field=listene\n");
    redaction_end(&redaction);
}

static void test_several(void **state)
{
    struct redaction first = {0}, second = {0};
    begin(&first, "first-secret");
    begin(&second, "second-secret");
    assert_logged("first-secret second-secret", "", "msg=\"[secret] [secret]\" field=\"\"\n");
    begin(&first, "another-secret"); /* replaced */
    assert_logged("first-secret another-secret", "", "msg=\"first-secret [secret]\" field=\"\"\n");
    redaction_end(&first);
    redaction_end(&first); /* twice is harmless */
    assert_logged("another-secret second-secret", "",
                  "msg=\"another-secret [secret]\" field=\"\"\n");
    redaction_end(&second);
}

static void test_json(void **state)
{
    struct redaction redaction = {0};
    struct secret secret = {0};
    secret_set(&secret, token, strlen(token));
    redaction_begin(&redaction, &secret);
    char *said = xasprintf("a %s\n\"b\xff", token);
    log_set_lines(LOG_LINES_JSON);
    char *text = logged(said, token);
    log_set_lines(LOG_LINES_LOGFMT);
    assert_non_null(strstr(text, "\"msg\":\"a [secret]\\n\\\"b?\",\"field\":\"[secret]\"}\n"));
    free(text);
    free(said);
    redaction_end(&redaction);
    secret_finish(&secret);
}

int main(void)
{
    log_set_lines(LOG_LINES_LOGFMT);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_it_is),
        cmocka_unit_test(test_percent_encoded),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_short_ones_are_no_secrets),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_json),
    };
    return cmocka_run_group_tests_name("redaction", tests, NULL, NULL);
}
