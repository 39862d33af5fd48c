/* What looks like an access token is found and hidden, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/token_shape.h"

#define DAPI "dapi0123456789abcdef0123456789abcdef"
#define JWT  "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhIn0.c2ln-_bmF0dXJl"

static void test_hidden(void **state)
{
    static const char *const texts[][2] = {
        {DAPI, "***"},
        {DAPI "-2", "***"},
        {JWT, "***"},
        {"eyJhbGciOiJSUzI1NiIsInR5c", "***"}, /* cut */
        {"profile " DAPI ", which", "profile ***, which"},
        {"https://" DAPI "/" JWT " " DAPI, "https://***/*** ***"},
        {"dapiSECRET0123456789", "***"},
        {"\"" DAPI "\"", "\"***\""},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char *text = xstrdup(texts[i][0]);
        assert_true(token_shape_in(text));
        token_shape_hide(text);
        assert_string_equal(text, texts[i][1]);
        assert_false(token_shape_in(text));
        free(text);
    }
}

static void test_left_alone(void **state)
{
    static const char *const texts[] = {
        "",
        "dapi",
        "dapi-prod-0123456789abcdef",
        "dapi0123456789abcde", /* 15 */
        "dapi-0123.4567.89ab.cdef",
        "mydapi0123456789abcdef0123456789abcdef",
        "eyJ",
        "eyjafjallajokull-observatory.example.test",
        "0123-456789-abcdefgh",
        "dbc-a1b2345c-d6e7.cloud.databricks.com",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char *text = xstrdup(texts[i]);
        assert_false(token_shape_in(text));
        token_shape_hide(text);
        assert_string_equal(text, texts[i]);
        free(text);
    }
}

/* What was behind the shorter text is not left in memory. */
static void test_the_rest_is_wiped(void **state)
{
    char text[] = DAPI "abcdef";
    token_shape_hide(text);
    assert_string_equal(text, "***");
    for (size_t i = 3; i < sizeof text; i++)
        assert_int_equal(text[i], 0);
}

static void test_errors_hide_it(void **state)
{
    struct err err;
    err_set(&err, EX_CONFIG, "there is no %s", DAPI);
    assert_string_equal(err.message, "there is no ***");
    err_prefix(&err, "profile %s: ", DAPI);
    assert_string_equal(err.message, "profile ***: there is no ***");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hidden),
        cmocka_unit_test(test_left_alone),
        cmocka_unit_test(test_the_rest_is_wiped),
        cmocka_unit_test(test_errors_hide_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
