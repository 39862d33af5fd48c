/* Which proxy is used: the option, the variables and their order, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "conf/proxy.h"

struct proxy_case {
    const char *option;
    const char *environment[6];
    const char *url;      /* NULL: none */
    const char *no_proxy; /* NULL: none */
};

static void test_chosen(void **state)
{
    static const struct proxy_case cases[] = {
        {"env", {NULL}, NULL, NULL},
        {"env", {"HTTPS_PROXY=http://p:3128", NULL}, "http://p:3128", NULL},
        {"env", {"HTTPS_PROXY=http://p:1", "https_proxy=http://q:2", NULL}, "http://q:2", NULL},
        {"env", {"ALL_PROXY=socks5h://p:1080", NULL}, "socks5h://p:1080", NULL},
        {"env", {"ALL_PROXY=http://a:1", "HTTPS_PROXY=p:2", NULL}, "p:2", NULL},
        {"env", {"HTTP_PROXY=http://p:1", NULL}, NULL, NULL},
        {"env", {"HTTPS_PROXY=", NULL}, NULL, NULL},
        {"env", {"HTTPS_PROXY=p:1", "NO_PROXY=.corp", NULL}, "p:1", ".corp"},
        {"env", {"HTTPS_PROXY=p:1", "NO_PROXY=.a", "no_proxy=.b", NULL}, "p:1", ".b"},
        {"none", {"HTTPS_PROXY=ftp://wrong but not asked", NULL}, NULL, NULL},
        {"http://u:w@p:1", {"HTTPS_PROXY=q:1", NULL}, "http://u:w@p:1", NULL},
        {"env", {"HTTPS_PROXY=http://p", NULL}, "http://p", NULL}, /* 1080, as in curl */
        {"env", {"HTTPS_PROXY=http://u:w@[::1]:1/", NULL}, "http://u:w@[::1]:1/", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct proxy_config proxy = {0};
        struct err err;
        assert_true(
            proxy_config_read(cases[i].option, (char *const *)cases[i].environment, &proxy, &err));
        assert_int_equal(secret_is_set(&proxy.url), cases[i].url != NULL);
        if (cases[i].url != NULL)
            assert_string_equal(proxy.url.bytes, cases[i].url);
        assert_int_equal(proxy.no_proxy != NULL, cases[i].no_proxy != NULL);
        if (cases[i].no_proxy != NULL)
            assert_string_equal(proxy.no_proxy, cases[i].no_proxy);
        proxy_config_finish(&proxy);
    }
}

#define FORM "a proxy is http://HOST:PORT or socks5h://HOST:PORT"

static void test_option(void **state)
{
    static const struct {
        const char *option;
        const char *message; /* NULL: it is right */
    } cases[] = {
        {"env", NULL},
        {"none", NULL},
        {"p:3128", NULL},
        {"http://p:3128/", NULL},
        {"SOCKS5H://u:a@b@[::1]:1080", NULL},
        {"http://10.0.0.1:1", NULL},
        {"foo", "the port is missing; " FORM},
        {"http://p", "the port is missing; " FORM},
        {"http://", "the host is missing; " FORM},
        {"http://:1", "the host is missing; " FORM},
        {"http://u:secret@", "the host is missing; " FORM},
        {"http://p:99999", "a port is a number from 1 to 65535; " FORM},
        {"http://p:0", "a port is a number from 1 to 65535; " FORM},
        {"p:abc", "a port is a number from 1 to 65535; " FORM},
        {"http://p:1:2", "an IPv6 address must stand in brackets, as in [::1]:443; " FORM},
        {"ftp://u:secret@p", FORM},
        {"http://p:1 ", "has a space or control character in it"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err;
        assert_int_equal(proxy_option_check(cases[i].option, &err), cases[i].message == NULL);
        if (cases[i].message != NULL)
            assert_string_equal(err.message, cases[i].message);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *variable;
        const char *message;
    } cases[] = {
        {"HTTPS_PROXY=https://u:secret@p:1",
         "HTTPS_PROXY: a proxy that is itself reached over TLS is not supported; most also listen "
         "on http://"},
        {"ALL_PROXY=ftp://u:secret@p", "ALL_PROXY: " FORM},
        {"https_proxy=http://", "https_proxy: the host is missing; " FORM},
        {"all_proxy=http://secret p", "all_proxy: has a space or control character in it"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *environment[] = {cases[i].variable, NULL};
        struct proxy_config proxy = {0};
        struct err err;
        assert_false(proxy_config_read("env", (char *const *)environment, &proxy, &err));
        assert_int_equal(err.exit_code, EX_CONFIG);
        assert_string_equal(err.message, cases[i].message);
        assert_false(secret_is_set(&proxy.url));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chosen),
        cmocka_unit_test(test_option),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
