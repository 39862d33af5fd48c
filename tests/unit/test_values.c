/* The values of options: durations, sizes, modes, addresses, ${variables}, and near words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conf/address.h"
#include "conf/expand.h"
#include "conf/remote_text.h"
#include "conf/suggest.h"
#include "conf/values.h"

typedef bool (*parse_fn)(const char *text, struct value_range range, int64_t *ret_number,
                         struct err *err);

struct number_case {
    parse_fn parse;
    const char *text;
    int64_t max;
    int64_t number; /* where `fault` is NULL */
    const char *fault;
};

static void test_numbers(void **state)
{
    static const char no_unit[] = "has to be a whole number with a unit (ms, s, m or h), as in 10s";
    static const char no_size[] =
        "has to be a whole number with a unit (B, KiB or MiB), as in 64KiB";
    static const struct number_case cases[] = {
        {value_duration, "0ms", 1, 0, NULL},
        {value_duration, "500ms", 500, 500, NULL},
        {value_duration, "10s", 10000, 10000, NULL},
        {value_duration, "2m", 120000, 120000, NULL},
        {value_duration, "1h", 3600000, 3600000, NULL},
        {value_duration, "501ms", 500, 0, "\"501ms\" is out of range: from 0s to 500ms"},
        {value_duration, "2h", 3600000, 0, "\"2h\" is out of range: from 0s to 1h"},
        {value_duration, "999999999999999h", INT64_MAX, 0, "out of range"},
        {value_duration, "9999999999999999s", INT64_MAX, 0, no_unit},
        {value_duration, "10", 1, 0, no_unit},
        {value_duration, "", 1, 0, no_unit},
        {value_duration, "s", 1, 0, no_unit},
        {value_duration, "1 s", 1, 0, no_unit},
        {value_duration, "+1s", 1, 0, no_unit},
        {value_duration, "1.5s", 1, 0, no_unit},
        {value_duration, "1S", 1, 0, no_unit},
        {value_size, "64KiB", 1 << 20, 65536, NULL},
        {value_size, "1MiB", 1 << 20, 1 << 20, NULL},
        {value_size, "12B", 1 << 20, 12, NULL},
        {value_size, "2MiB", 1 << 20, 0, "\"2MiB\" is out of range: from 0B to 1MiB"},
        {value_size, "1KB", 1 << 20, 0, no_size},
        {value_mode, "0600", 0777, 0600, NULL},
        {value_mode, "660", 0777, 0660, NULL},
        {value_mode, "1777", 0777, 0, "\"1777\" has to be an octal file mode up to 0777"},
        {value_mode, "0680", 0777, 0, "has to be an octal file mode"},
        {value_mode, "", 0777, 0, "has to be an octal file mode"},
        {value_integer, "7", 9, 7, NULL},
        {value_integer, "10", 9, 0, "\"10\" has to be a number from 0 to 9"},
        {value_integer, "-1", 9, 0, "has to be a number"},
        {value_integer, "0x1", 9, 0, "has to be a number"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};
        int64_t number = -1;
        bool ok =
            cases[i].parse(cases[i].text, (struct value_range){0, cases[i].max}, &number, &err);
        assert_int_equal(ok, cases[i].fault == NULL);
        assert_int_equal(number, ok ? cases[i].number : -1);
        const char *fault = cases[i].fault != NULL ? cases[i].fault : "";
        if (!ok && strstr(err.message, fault) == NULL)
            fail_msg("%s: %s", cases[i].text, err.message);
    }
}

static void test_words(void **state)
{
    static const char *const choices[] = {"error", "warn", "info", NULL};
    struct err err = {0};
    int64_t number = 9;
    assert_true(value_choice("warn", choices, &number, &err));
    assert_int_equal(number, 1);
    assert_false(value_choice("Info", choices, &number, &err));
    assert_string_equal(err.message,
                        "\"Info\" has to be error, warn or info (did you mean \"info\"?)");
    assert_true(value_switch("ON", &number, &err));
    assert_int_equal(number, 1);
    assert_true(value_switch("no", &number, &err));
    assert_int_equal(number, 0);
    assert_false(value_switch("2", &number, &err));
    assert_true(value_text("a b", 3, &err));
    assert_false(value_text("abcd", 3, &err));
    assert_string_equal(err.message, "has 4 bytes, at most 3 are allowed");
    assert_false(value_text("", 3, &err));
    assert_false(value_text("a\x7f", 3, &err));
}

struct address_case {
    const char *text;
    const char *host; /* or path; NULL: refused */
    int port;         /* -1: a path */
};

static const struct address_case address_cases[] = {
    {"localhost:15002", "localhost", 15002},
    {"LocalHost:1", "localhost", 1},
    {"127.0.0.1:0", "127.0.0.1", 0},
    {"127.1.2.3:65535", "127.1.2.3", 65535},
    {"[::1]:15002", "::1", 15002},
    {"[0:0::0:1]:15002", "::1", 15002},
    {"unix:/a", "/a", -1},
    {"unix:///run/a b.sock", "/run/a b.sock", -1},
    {"", NULL, 0},
    {":", NULL, 0},
    {"15002", NULL, 0},
    {":15002", NULL, 0},
    {"localhost", NULL, 0},
    {"localhost:", NULL, 0},
    {"localhost:+1", NULL, 0},
    {"localhost:65536", NULL, 0},
    {"localhost:000001", NULL, 0},
    {"localhost:1 ", NULL, 0},
    {" localhost:1", NULL, 0},
    {"localhost.:1", NULL, 0},
    {"0.0.0.0:1", NULL, 0},
    {"128.0.0.1:1", NULL, 0},
    {"127.1:1", NULL, 0},
    {"10.0.0.1:1", NULL, 0},
    {"example.test:1", NULL, 0},
    {"*:1", NULL, 0},
    {"[::]:1", NULL, 0},
    {"[::ffff:127.0.0.1]:1", NULL, 0},
    {"[::1]", NULL, 0},
    {"[::1:1", NULL, 0},
    {"[]:1", NULL, 0},
    {"[127.0.0.1]:1", NULL, 0},
    {"::1:1", NULL, 0},
    {"unix:", NULL, 0},
    {"unix:a", NULL, 0},
    {"unix://host/a", NULL, 0},
    {"unix:/", NULL, 0},
    {"unix:/run/", NULL, 0},
    {"unix:/a\nb", NULL, 0},
    {"unix-abstract:a", NULL, 0},
};

static void test_addresses(void **state)
{
    for (size_t i = 0; i < sizeof address_cases / sizeof address_cases[0]; i++) {
        struct listen_address address = {0};
        struct err err = {0};
        bool ok = listen_address_parse(address_cases[i].text, &address, &err);
        if (ok != (address_cases[i].host != NULL))
            fail_msg("\"%s\": %s", address_cases[i].text, ok ? "accepted" : err.message);
        if (ok) {
            assert_string_equal(address.text, address_cases[i].text);
            bool is_unix = address_cases[i].port == -1;
            assert_int_equal(address.kind, is_unix ? ADDRESS_UNIX : ADDRESS_TCP);
            assert_string_equal(is_unix ? address.path : address.host, address_cases[i].host);
            if (!is_unix)
                assert_int_equal(address.port, address_cases[i].port);
        } else {
            assert_null(address.text);
            assert_null(address.host);
        }
        listen_address_finish(&address);
    }
}

static void test_inherited_address(void **state)
{
    static const char *const wrong[] = {"systemd:", "systemd:a b", "systemd:a:b",
                                        "systemd:\xc3\xa4"};
    struct listen_address address = {0};
    struct err err = {0};
    assert_true(listen_address_parse("systemd:spark", &address, &err));
    assert_int_equal(address.kind, ADDRESS_INHERITED);
    assert_string_equal(address.name, "spark");
    assert_true(listen_address_overlaps(&address, &address));
    listen_address_finish(&address);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(listen_address_parse(wrong[i], &address, &err));
        assert_non_null(strstr(err.message, "FileDescriptorName="));
    }
}

static void test_long_path(void **state)
{
    char text[5 + ADDRESS_PATH_MAX_BYTES + 2] = "unix:/";
    struct listen_address address = {0};
    struct err err = {0};
    memset(text + 6, 'x', ADDRESS_PATH_MAX_BYTES - 1);
    assert_true(listen_address_parse(text, &address, &err));
    listen_address_finish(&address);
    text[5 + ADDRESS_PATH_MAX_BYTES] = 'x';
    assert_false(listen_address_parse(text, &address, &err));
    assert_non_null(strstr(err.message, "the path has 108 bytes, a socket's may have 107"));
}

static bool overlaps(const char *a, const char *b)
{
    struct listen_address x = {0};
    struct listen_address y = {0};
    assert_true(listen_address_parse(a, &x, NULL));
    assert_true(listen_address_parse(b, &y, NULL));
    bool result = listen_address_overlaps(&x, &y);
    assert_int_equal(result, listen_address_overlaps(&y, &x));
    listen_address_finish(&x);
    listen_address_finish(&y);
    return result;
}

static void test_overlap(void **state)
{
    assert_true(overlaps("localhost:1", "localhost:1"));
    assert_true(overlaps("localhost:1", "127.0.0.1:1"));
    assert_true(overlaps("[::1]:1", "localhost:1"));
    assert_true(overlaps("unix:/a", "unix:///a"));
    assert_false(overlaps("localhost:1", "localhost:2"));
    assert_false(overlaps("localhost:0", "localhost:0"));
    assert_false(overlaps("127.0.0.2:1", "localhost:1"));
    assert_false(overlaps("127.0.0.1:1", "[::1]:1"));
    assert_false(overlaps("unix:/a", "unix:/b"));
    assert_false(overlaps("unix:/a", "localhost:1"));
}

struct expand_case {
    const char *text;
    const char *result; /* NULL: refused */
    const char *fault;
};

static void test_expand(void **state)
{
    static char a[] = "A=1";
    static char empty[] = "EMPTY=";
    static char long_name[] = "LONG_NAME_2=two words";
    char *const environment[] = {a, empty, long_name, NULL};
    static const struct expand_case cases[] = {
        {"", "", NULL},
        {"plain } { text", "plain } { text", NULL},
        {"${A}", "1", NULL},
        {"x${A}y${LONG_NAME_2}z", "x1ytwo wordsz", NULL},
        {"$$", "$", NULL},
        {"$${A}$$$$", "${A}$$", NULL},
        {"[${EMPTY}]", "[]", NULL},
        {"${EMPTY:-x}", "x", NULL},
        {"${NONE:-}", "", NULL},
        {"${NONE:-a:-b c}", "a:-b c", NULL},
        {"${A:-x}", "1", NULL},
        {"${NONE}", NULL,
         "the environment variable NONE is not set; set it, or give a text for "
         "this case: ${NONE:-text}"},
        {"$", NULL, "a `$` alone"},
        {"$A", NULL, "a `$` alone"},
        {"a$", NULL, "a `$` alone"},
        {"${", NULL, "a `${` without its `}`"},
        {"${A", NULL, "a `${` without its `}`"},
        {"${}", NULL, "has to hold the name"},
        {"${1A}", NULL, "has to hold the name"},
        {"${A B}", NULL, "has to hold the name"},
        {"${A-x}", NULL, "has to hold the name"},
        {"${A:x}", NULL, "has to hold the name"},
        {"${NONE:-${A}}", NULL, "a `$` inside"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct secret value = {0};
        struct err err = {0};
        bool ok = expand_variables(cases[i].text, strlen(cases[i].text), environment, &value, &err);
        assert_int_equal(ok, cases[i].result != NULL);
        const char *fault = cases[i].fault != NULL ? cases[i].fault : "";
        if (ok)
            assert_string_equal(value.bytes, cases[i].result);
        else if (strstr(err.message, fault) == NULL)
            fail_msg("%s: %s", cases[i].text, err.message);
        secret_finish(&value);
    }
}

static void test_remote_text(void **state)
{
    static const char *const with[] = {
        "sc://h/;token=x",          "sc://h:1/;user_id=a;TOKEN=x;b=c",
        "sc://h/;x-my-secret=x",    "sc://h/;authorization=B x",
        "sc://h/token=x",           "token=x",
        "sc://user:pw@h/",          "sc://h/;token=${A}b",
        "sc://h/;token=${A:-dapi}",
    };
    static const char *const without[] = {
        "",
        "sc://h",
        "sc://h:15002/;use_ssl=true",
        "sc://h/;user_id=a@b",
        "sc://h/;token=",
        "sc://h/;token=${TOKEN}",
        "sc://h/;token",
        "sc://token.test/;a=b",
    };
    for (size_t i = 0; i < sizeof with / sizeof with[0]; i++) {
        if (!remote_text_holds_secret(with[i]))
            fail_msg("%s", with[i]);
    }
    for (size_t i = 0; i < sizeof without / sizeof without[0]; i++) {
        if (remote_text_holds_secret(without[i]))
            fail_msg("%s", without[i]);
    }
}

static void test_suggest(void **state)
{
    static const char *const words[] = {"profile",    "profiles", "listen",
                                        "token_file", "host",     NULL};
    assert_int_equal(suggest_distance("", ""), 0);
    assert_int_equal(suggest_distance("abc", ""), 3);
    assert_int_equal(suggest_distance("abc", "abd"), 1);
    assert_int_equal(suggest_distance("abc", "acb"), 1);
    assert_int_equal(suggest_distance("kitten", "sitting"), 3);
    assert_int_equal(suggest_distance("ca", "abc"), 3);
    assert_int_equal(suggest_distance("Ca-File", "ca_file"), 0);
    assert_string_equal(suggest_from("profle", words).text, " (did you mean \"profile\"?)");
    assert_string_equal(suggest_from("lsiten", words).text, " (did you mean \"listen\"?)");
    assert_string_equal(suggest_from("token", words).text, " (did you mean \"token_file\"?)");
    assert_string_equal(suggest_from("hosts_", words).text, " (did you mean \"host\"?)");
    assert_string_equal(suggest_from("port", words).text, "");
    assert_string_equal(suggest_from("", words).text, "");
    char word[200] = {0};
    memset(word, 'p', sizeof word - 1);
    assert_string_equal(suggest_from(word, words).text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),   cmocka_unit_test(test_words),
        cmocka_unit_test(test_addresses), cmocka_unit_test(test_inherited_address),
        cmocka_unit_test(test_long_path), cmocka_unit_test(test_overlap),
        cmocka_unit_test(test_expand),    cmocka_unit_test(test_remote_text),
        cmocka_unit_test(test_suggest),
    };
    return cmocka_run_group_tests_name("values", tests, NULL, NULL);
}
