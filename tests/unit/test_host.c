/* Hosts as people write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "conf/host.h"

static struct host parsed(const char *text)
{
    struct host host;
    struct err err = {0};
    if (!host_parse(text, &host, &err))
        fail_msg("%s: %s", text, err.message);
    return host;
}

static void test_spellings(void **state)
{
    static const struct {
        const char *text, *name;
        uint16_t port;
        bool given;
    } cases[] = {
        {"one.example.test", "one.example.test", 443, false},
        {"https://one.example.test", "one.example.test", 443, false},
        {"HTTPS://ONE.Example.Test/", "one.example.test", 443, false},
        {"https://one.example.test:443/", "one.example.test", 443, true},
        {"one.example.test:8443", "one.example.test", 8443, true},
        {"http://one.example.test", "one.example.test", 443, false},
        {"https://one.example.test/some/path?o=123", "one.example.test", 443, false},
        {"one.example.test?o=123", "one.example.test", 443, false},
        {"https://[::1]:8443", "::1", 8443, true},
        {"[2001:DB8::1]", "2001:db8::1", 443, false},
        {"10.1.2.3", "10.1.2.3", 443, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct host host = parsed(cases[i].text);
        assert_string_equal(host.name, cases[i].name);
        assert_int_equal(host.port, cases[i].port);
        assert_int_equal(host.port_given, cases[i].given);
        assert_int_equal(host.plain_http, strncmp(cases[i].text, "http:", 5) == 0);
        host_finish(&host);
    }
}

static void test_what_is_no_host(void **state)
{
    static const char *const texts[] = {
        "",
        "https://",
        "https:///path",
        "a b",
        "one.example.test:port",
        "one.example.test:0",
        "one.example.test:65536",
        "one.example.test:",
        "user:password@one.example.test",
        "https://user@one.example.test",
        "::1",
        "[::1",
        "[one.example.test]",
        "one..example.test",
        "one.example.test\n",
        "\xc3\xa4.example.test",
        "sc://one.example.test",
        "SC://one.example.test/;token=password",
        "ftp://one.example.test",
        "://one.example.test",
        "https://one.example.test/;token=password",
        "one.example.test;token=password",
        "dapi0123456789abcdef",
        "https://dapi0123456789abcdef:443",
        "https://one.example.test/?token=dapi0123456789abcdef",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct host host = {0};
        struct err err = {0};
        if (host_parse(texts[i], &host, &err))
            fail_msg("%s: taken as %s", texts[i], host.name);
        assert_null(host.name);
        assert_int_equal(err.exit_code, EX_CONFIG);
        assert_null(strstr(err.message, "password"));
        assert_null(strstr(err.message, "dapi"));
    }
}

static void test_too_long(void **state)
{
    char *text = malloc(HOST_MAX_BYTES + 2);
    memset(text, 'a', HOST_MAX_BYTES + 1);
    text[HOST_MAX_BYTES + 1] = '\0';
    struct host host;
    assert_false(host_parse(text, &host, NULL));
    free(text);
}

static bool same(const char *a, const char *b)
{
    struct host left = parsed(a), right = parsed(b);
    bool result = host_same(&left, &right);
    assert_int_equal(result, host_same(&right, &left));
    host_finish(&left);
    host_finish(&right);
    return result;
}

static void test_same_workspace(void **state)
{
    assert_true(same("one.example.test", "https://ONE.example.test/"));
    assert_true(same("one.example.test", "one.example.test:443"));
    assert_true(same("http://one.example.test", "https://one.example.test/?o=1"));
    assert_false(same("one.example.test", "two.example.test"));
    assert_false(same("one.example.test", "one.example.test:8443"));
    assert_false(same("one.example.test", "xone.example.test"));
    assert_false(same("one.example.test", "one.example.test.evil.test"));
}

/* sc://one.example.test/ is the workspace of https://one.example.test, and its port is 15002. */
static void test_same_with_sparks_port(void **state)
{
    struct host spark = parsed("one.example.test");
    spark.port = 15002;
    struct host plain = parsed("one.example.test");
    struct host explicit_spark = parsed("one.example.test:15002");
    struct host other = parsed("one.example.test:8443");
    assert_true(host_same(&spark, &plain));
    assert_true(host_same(&spark, &explicit_spark));
    assert_false(host_same(&plain, &explicit_spark));
    assert_false(host_same(&spark, &other));
    host_finish(&spark);
    host_finish(&plain);
    host_finish(&explicit_spark);
    host_finish(&other);
}

static void test_text(void **state)
{
    static const char *const texts[][2] = {
        {"https://one.example.test/", "one.example.test"},
        {"one.example.test:8443", "one.example.test:8443"},
        {"[::1]", "[::1]"},
        {"[::1]:15002", "[::1]:15002"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct host host = parsed(texts[i][0]);
        char *text = host_text(&host);
        assert_string_equal(text, texts[i][1]);
        free(text);
        host_finish(&host);
    }
}

static void test_address(void **state)
{
    static const struct {
        const char *name;
        uint16_t port;
        const char *text;
    } cases[] = {
        {"one.example.test", 443, "one.example.test:443"},
        {"::1", 443, "[::1]:443"},
        {"-", 0, "-:0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = host_address(cases[i].name, cases[i].port);
        assert_string_equal(text, cases[i].text);
        free(text);
    }
}

static void test_loopback(void **state)
{
    static const struct {
        const char *text;
        bool loopback;
    } cases[] = {
        {"localhost", true},          {"127.0.0.1", true},  {"127.9.9.9", true}, {"[::1]", true},
        {"localhost.example", false}, {"128.0.0.1", false}, {"[::2]", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct host host = parsed(cases[i].text);
        assert_int_equal(host_is_loopback(&host), cases[i].loopback);
        host_finish(&host);
    }
}

static void test_url(void **state)
{
    static const char *const texts[][2] = {
        {"x", "https://x"},
        {"x:443", "https://x"},
        {"x:8443/", "https://x:8443"},
        {"http://x", "http://x"},
        {"HTTPS://X.Y/", "https://X.Y"},
        {"https://x/path/?o=1", "https://x/path?o=1"},
        {"https://x/path///", "https://x/path"},
        {"https://x#fragment/", "https://x#fragment/"},
        {"", "https://"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char *url = host_url(texts[i][0]);
        assert_string_equal(url, texts[i][1]);
        free(url);
    }
}

static void test_cloud(void **state)
{
    assert_int_equal(host_cloud("https://dbc-1-2.cloud.databricks.com"), CLOUD_AWS);
    assert_int_equal(host_cloud("https://adb-1.2.azuredatabricks.net"), CLOUD_AZURE);
    assert_int_equal(host_cloud("https://adb-1.2.staging.azuredatabricks.net"), CLOUD_AZURE);
    assert_int_equal(host_cloud("https://adb-1.2.databricks.azure.us"), CLOUD_AZURE);
    assert_int_equal(host_cloud("https://adb-1.2.databricks.azure.cn"), CLOUD_AZURE);
    assert_int_equal(host_cloud("https://1.2.gcp.databricks.com"), CLOUD_GCP);
    assert_int_equal(host_cloud("https://adb-1.2.azuredatabricks.net/path"), CLOUD_AWS);
    assert_int_equal(host_cloud("https://adb-1.2.azuredatabricks.net.evil.test"), CLOUD_AWS);
    assert_int_equal(host_cloud(NULL), CLOUD_AWS);
    assert_true(host_is_databricks("1.2.gcp.databricks.com"));
    assert_false(host_is_databricks("spark.example.test"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spellings),
        cmocka_unit_test(test_what_is_no_host),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_same_workspace),
        cmocka_unit_test(test_same_with_sparks_port),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_address),
        cmocka_unit_test(test_loopback),
        cmocka_unit_test(test_url),
        cmocka_unit_test(test_cloud),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
