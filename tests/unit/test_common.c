/* The small helpers: growing strings and their limit, errors and how they are cut, UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"
#include "common/strbuf.h"
#include "common/utf8.h"

/* --- strbuf ------------------------------------------------------------------------------ */

static void test_strbuf_empty_text_is_never_null(void **state)
{
    struct strbuf buf = {0};
    assert_string_equal(strbuf_text(&buf), "");
    char *text = strbuf_take(&buf);
    assert_string_equal(text, "");
    free(text);
    strbuf_finish(&buf);
}

static void test_strbuf_appends_of_every_kind(void **state)
{
    struct strbuf buf = {0};
    strbuf_append_text(&buf, "a");
    strbuf_append_char(&buf, '\0');
    strbuf_append(&buf, "bcd", 2);
    strbuf_append_format(&buf, "%d-%s", 7, "x");
    assert_int_equal(buf.len, 7);
    assert_memory_equal(strbuf_text(&buf), "a\0bc7-x", 8);
    assert_false(buf.cut);
    strbuf_finish(&buf);
    assert_null(buf.text);
}

static void test_strbuf_grows_past_its_first_block(void **state)
{
    struct strbuf buf = {0};
    for (int i = 0; i < 1000; i++)
        strbuf_append_format(&buf, "%04d", i);
    assert_int_equal(buf.len, 4000);
    assert_memory_equal(buf.text, "00000001", 8);
    assert_string_equal(buf.text + 3992, "09980999");
    strbuf_finish(&buf);
}

static void test_strbuf_limit_is_exact_and_keeps_what_fits(void **state)
{
    struct strbuf buf = {.limit = 5};
    strbuf_append_text(&buf, "12345");
    assert_false(buf.cut);
    strbuf_append_char(&buf, '6');
    assert_true(buf.cut);
    strbuf_append_format(&buf, "%d", 6);
    strbuf_append(&buf, "x", SIZE_MAX);
    assert_string_equal(strbuf_text(&buf), "12345");
    strbuf_finish(&buf);
}

static void test_strbuf_drops_a_piece_that_does_not_fit_as_a_whole(void **state)
{
    struct strbuf buf = {.limit = 5};
    strbuf_append_text(&buf, "123");
    strbuf_append_text(&buf, "456");
    assert_string_equal(strbuf_text(&buf), "123");
    assert_true(buf.cut);
    strbuf_finish(&buf);
}

static void test_strbuf_take_starts_over_with_the_same_limit(void **state)
{
    struct strbuf buf = {.limit = 3};
    strbuf_append_text(&buf, "abc");
    char *text = strbuf_take(&buf);
    assert_string_equal(text, "abc");
    free(text);
    assert_int_equal(buf.len, 0);
    strbuf_append_text(&buf, "abcd");
    assert_true(buf.cut);
    strbuf_finish(&buf);
}

/* --- err --------------------------------------------------------------------------------- */

static void test_err_set_returns_false_and_keeps_code_and_message(void **state)
{
    struct err err;
    assert_false(err_set(&err, EX_CONFIG, "%s:%d: wrong", "file", 7));
    assert_int_equal(err.exit_code, EX_CONFIG);
    assert_string_equal(err.message, "file:7: wrong");
    assert_false(err_set(NULL, EX_CONFIG, "nobody asked"));
}

static void test_err_prefix_keeps_the_exit_code(void **state)
{
    struct err err;
    err_set(&err, EX_NOINPUT, "no such file");
    assert_false(err_prefix(&err, "profile %s: ", "dev"));
    assert_string_equal(err.message, "profile dev: no such file");
    assert_int_equal(err.exit_code, EX_NOINPUT);
    assert_false(err_prefix(NULL, "x"));
}

static void assert_cut(const struct err *err)
{
    size_t len = strlen(err->message);
    assert_int_equal(len, sizeof err->message - 1);
    assert_string_equal(err->message + len - 3, "...");
    assert_int_equal(err->message[len - 4], 'm');
}

static void test_err_marks_what_it_cuts(void **state)
{
    char text[sizeof((struct err *)NULL)->message + 1];
    memset(text, 'm', sizeof text);
    struct err err;

    /* The longest message that fits, and one byte more. */
    text[sizeof err.message - 1] = '\0';
    err_set(&err, EX_CONFIG, "%s", text);
    assert_string_equal(err.message, text);
    text[sizeof err.message - 1] = 'm';
    text[sizeof err.message] = '\0';
    err_set(&err, EX_CONFIG, "%s", text);
    assert_cut(&err);

    err_set(&err, EX_CONFIG, "%.*s", (int)sizeof err.message - 2, text);
    err_prefix(&err, "%s", "ab");
    assert_cut(&err);
}

/* --- utf8 -------------------------------------------------------------------------------- */

static void test_utf8_first_and_last_of_each_length(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        uint32_t code_point;
    } cases[] = {
        {"\x7f", 1, 0x7f},
        {"\xc2\x80", 2, 0x80},
        {"\xdf\xbf", 2, 0x7ff},
        {"\xe0\xa0\x80", 3, 0x800},
        {"\xed\x9f\xbf", 3, 0xd7ff},
        {"\xee\x80\x80", 3, 0xe000},
        {"\xef\xbf\xbf", 3, 0xffff},
        {"\xf0\x90\x80\x80", 4, 0x10000},
        {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t code_point = 0;
        assert_int_equal(utf8_decode(cases[i].bytes, cases[i].len, &code_point), cases[i].len);
        assert_int_equal(code_point, cases[i].code_point);
        /* The same sequence, cut short. */
        assert_int_equal(utf8_decode(cases[i].bytes, cases[i].len - 1, &code_point), 0);
    }
    uint32_t code_point = 1;
    assert_int_equal(utf8_decode("\0", 1, &code_point), 1);
    assert_int_equal(code_point, 0);
}

static void test_utf8_refuses_what_rfc_3629_forbids(void **state)
{
    static const char *const invalid[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x9f\xbf",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf0\x8f\xbf\xbf",
        "\xc2\x20",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
        "\xe2\x82\x20",
        "\xe2\xc2\x80",
    };
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++) {
        uint32_t code_point;
        assert_int_equal(utf8_decode(invalid[i], strlen(invalid[i]), &code_point), 0);
        assert_false(utf8_is_valid(invalid[i], strlen(invalid[i])));
    }
    assert_true(utf8_is_valid("", 0));
    assert_true(utf8_is_valid("a\xc3\xa9\xe2\x82\xac", 6));
    assert_false(utf8_is_valid("a\xc3\xa9\xe2\x82\xac", 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strbuf_empty_text_is_never_null),
        cmocka_unit_test(test_strbuf_appends_of_every_kind),
        cmocka_unit_test(test_strbuf_grows_past_its_first_block),
        cmocka_unit_test(test_strbuf_limit_is_exact_and_keeps_what_fits),
        cmocka_unit_test(test_strbuf_drops_a_piece_that_does_not_fit_as_a_whole),
        cmocka_unit_test(test_strbuf_take_starts_over_with_the_same_limit),
        cmocka_unit_test(test_err_set_returns_false_and_keeps_code_and_message),
        cmocka_unit_test(test_err_prefix_keeps_the_exit_code),
        cmocka_unit_test(test_err_marks_what_it_cuts),
        cmocka_unit_test(test_utf8_first_and_last_of_each_length),
        cmocka_unit_test(test_utf8_refuses_what_rfc_3629_forbids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
