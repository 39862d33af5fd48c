/* Connection strings: what each part becomes, and the exact sentence for each fault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/strbuf.h"
#include "conf/authority.h"
#include "conf/connection_string.h"

/* In the value of every case below; no message may show it. */
#define SECRET "dapi0123"

static struct connection_string parsed(const char *text)
{
    struct connection_string string = {0};
    struct err err = {0};
    if (!connection_string_parse(text, &string, &err))
        fail_msg("%s: %s", text, err.message);
    return string;
}

/* --- what is read ------------------------------------------------------------------------ */

static void test_host_and_port(void **state)
{
    static const struct {
        const char *text, *host;
        unsigned port;
        bool port_given;
    } cases[] = {
        {"sc://localhost", "localhost", 15002, false},
        {"sc://localhost/", "localhost", 15002, false},
        {"sc://localhost/;", "localhost", 15002, false},
        {"sc://One.Example.TEST:443/", "one.example.test", 443, true},
        {"sc://host:1", "host", 1, true},
        {"sc://host:65535", "host", 65535, true},
        {"sc://host:00443", "host", 443, true},
        {"sc://10.0.0.1:15002", "10.0.0.1", 15002, true},
        {"sc://[::1]", "::1", 15002, false},
        {"sc://[2001:DB8:0::1]:443/;a=b", "2001:db8::1", 443, true},
        {"sc://spark_connect", "spark_connect", 15002, false},
        {"sc://3com.example", "3com.example", 15002, false},
        {"sc://xn--bcher-kva.example", "xn--bcher-kva.example", 15002, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct connection_string string = parsed(cases[i].text);
        assert_string_equal(string.host, cases[i].host);
        assert_int_equal(string.port, cases[i].port);
        assert_int_equal(string.port_given, cases[i].port_given);
        connection_string_finish(&string);
    }
}

static void test_every_parameter_has_its_field(void **state)
{
    struct connection_string string =
        parsed("sc://h:443/;use_ssl=TRUE;token=to%3Dk%25;user_id=%C3%A9ve;user_agent=my app%2F1;"
               "session_id=01234567-89ab-cdef-0123-456789ABCDEF;grpc_max_message_size=134217728;"
               "x-databricks-cluster-id=0123-456789-abc");
    assert_true(string.use_ssl);
    assert_true(string.use_ssl_given);
    assert_string_equal(string.token.bytes, "to=k%");
    assert_int_equal(string.token.len, 5);
    static const char *const names[] = {"user_id", "user_agent", "session_id",
                                        "grpc_max_message_size"};
    assert_int_equal(string.client_param_count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(string.client_params[i], names[i]);
    assert_int_equal(string.headers.count, 1);
    const struct metadata_entry *entry = metadata_find(&string.headers, "x-databricks-cluster-id");
    assert_non_null(entry);
    assert_string_equal(entry->value.bytes, "0123-456789-abc");
    connection_string_finish(&string);
}

static void test_what_is_not_given_is_not_set(void **state)
{
    struct connection_string string = parsed("sc://h");
    assert_false(string.use_ssl);
    assert_false(string.use_ssl_given);
    assert_false(secret_is_set(&string.token));
    assert_int_equal(string.client_param_count, 0);
    assert_int_equal(string.headers.count, 0);
    connection_string_finish(&string);
}

static void test_a_token_implies_ssl_unless_told_otherwise(void **state)
{
    struct connection_string string = parsed("sc://h/;token=t");
    assert_true(string.use_ssl);
    assert_false(string.use_ssl_given);
    connection_string_finish(&string);

    string = parsed("sc://h/;token=t;use_ssl=false");
    assert_false(string.use_ssl);
    assert_true(string.use_ssl_given);
    assert_string_equal(string.token.bytes, "t");
    connection_string_finish(&string);
}

static void test_other_keys_are_headers_in_lower_case(void **state)
{
    struct connection_string string =
        parsed("sc://h/;X-Foo=Bar%20Baz;a_b.c-1=%7E;grpc_x=1;TOKEN=t");
    assert_int_equal(string.headers.count, 3);
    assert_string_equal(string.headers.entries[0].name, "x-foo");
    assert_string_equal(string.headers.entries[0].value.bytes, "Bar Baz");
    assert_string_equal(string.headers.entries[1].name, "a_b.c-1");
    assert_string_equal(string.headers.entries[1].value.bytes, "~");
    assert_string_equal(string.headers.entries[2].name, "grpc_x");
    /* A secret in a mistyped key must not become a header. */
    assert_string_equal(string.token.bytes, "t");
    connection_string_finish(&string);
}

static void test_keep_alive_parameters_are_no_headers(void **state)
{
    struct connection_string string =
        parsed("sc://h/;grpc_keepalive_enabled=false;grpc_keepalive_time_ms=30000;"
               "grpc_keepalive_timeout_ms=1;grpc_keepalive_without_calls=True");
    assert_int_equal(string.headers.count, 0);
    connection_string_finish(&string);
}

static void test_plus_is_a_plus(void **state)
{
    struct connection_string string = parsed("sc://h/;token=a+b%2B%2b");
    assert_string_equal(string.token.bytes, "a+b++");
    connection_string_finish(&string);
}

/* --- limits ------------------------------------------------------------------------------ */

/* `head`, then `fill` times the text `unit`. */
static char *filled(const char *head, const char *unit, size_t fill)
{
    struct strbuf text = {0};
    strbuf_append_text(&text, head);
    for (size_t i = 0; i < fill; i++)
        strbuf_append_text(&text, unit);
    return strbuf_take(&text);
}

/* The message without what stands in front of every one. */
static const char *message_of(const char *text, struct err *err)
{
    static const char prefix[] = "connection string, column ";
    struct connection_string string;
    memset(&string, 0xff, sizeof string);
    if (connection_string_parse(text, &string, err))
        fail_msg("%s is accepted", text);
    struct connection_string empty = {0};
    assert_memory_equal(&string, &empty, sizeof string);
    assert_int_equal(err->exit_code, EX_CONFIG);
    assert_memory_equal(err->message, prefix, sizeof prefix - 1);
    return err->message + sizeof prefix - 1;
}

static void test_length_limit(void **state)
{
    static const char head[] = "sc://h/;token=";
    size_t room = CONNECTION_STRING_MAX_BYTES - (sizeof head - 1);
    struct err err;
    char *text = filled(head, "t", room);
    struct connection_string string = parsed(text);
    assert_int_equal(string.token.len, room);
    connection_string_finish(&string);
    free(text);

    text = filled(head, "t", room + 1);
    assert_string_equal(message_of(text, &err), "65537: longer than 65536 bytes");
    free(text);
}

static void test_user_agent_limit_counts_what_is_percent_encoded(void **state)
{
    static const char too_long[] =
        "20: user_agent is longer than 2048 characters when percent-encoded";
    static const char head[] = "sc://h/;user_agent=";
    struct err err;
    char *text = filled(head, "a", 2048);
    struct connection_string string = parsed(text);
    connection_string_finish(&string);
    free(text);
    text = filled(head, "a", 2049);
    assert_string_equal(message_of(text, &err), too_long);
    free(text);

    /* A space is three characters there: 682 * 3 = 2046. */
    text = filled(head, "%20", 682);
    string = parsed(text);
    connection_string_finish(&string);
    free(text);
    text = filled(head, " ", 683);
    assert_string_equal(message_of(text, &err), too_long);
    free(text);
}

static void test_header_count_limit(void **state)
{
    struct strbuf text = {0};
    strbuf_append_text(&text, "sc://h/");
    for (int i = 0; i < METADATA_MAX_ENTRIES; i++)
        strbuf_append_format(&text, ";h%d=v", i);
    struct connection_string string = parsed(strbuf_text(&text));
    assert_int_equal(string.headers.count, METADATA_MAX_ENTRIES);
    connection_string_finish(&string);
    strbuf_append_text(&text, ";one-more=v");
    struct err err;
    assert_string_equal(message_of(strbuf_text(&text), &err), "383: more than 64 headers");
    strbuf_finish(&text);
}

static void test_host_limits(void **state)
{
    static const char label[] = "a23456789a123456789a123456789a123456789a123456789a123456789a123";
    struct strbuf text = {0};
    strbuf_append_format(&text, "sc://%s.%s.%s.%s", label, label, label, label + 2);
    struct connection_string string = parsed(strbuf_text(&text)); /* 253 characters */
    connection_string_finish(&string);
    strbuf_append_char(&text, 'x');
    struct err err;
    assert_string_equal(message_of(strbuf_text(&text), &err),
                        "6: the host is longer than 253 characters");
    strbuf_finish(&text);
    strbuf_append_format(&text, "sc://a.%sx", label);
    assert_string_equal(message_of(strbuf_text(&text), &err),
                        "8: a part of the host is longer than 63 characters");
    strbuf_finish(&text);
}

/* --- faults ------------------------------------------------------------------------------ */

static const struct {
    const char *text, *message;
} faults[] = {
    /* scheme */
    {"", "1: it must begin with sc://, in lower case: sc://HOST:PORT"},
    {"SC://h", "1: it must begin with sc://, in lower case: sc://HOST:PORT"},
    {" sc://h", "1: it must begin with sc://, in lower case: sc://HOST:PORT"},
    {"sc:/h", "1: it must begin with sc://, in lower case: sc://HOST:PORT"},
    {"http://one.example.test", "1: it must begin with sc://, in lower case: sc://HOST:PORT"},
    {SECRET, "1: it must begin with sc://, in lower case: sc://HOST:PORT"},
    {"sc://h\n", "7: a control character (0x0a): remove it"},
    {"sc://h/;token=" SECRET "\x7f", "23: a control character (0x7f): remove it"},
    /* host and port */
    {"sc://", "6: the host is missing"},
    {"sc:///;token=" SECRET, "6: the host is missing"},
    {"sc://:443", "6: the host is missing"},
    {"sc://https://one.example.test/", "6: write the host alone, without http:// or https://"},
    {"sc://HTTP://h", "6: write the host alone, without http:// or https://"},
    {"sc://me:" SECRET "@h:443", "17: a user in front of the host is not supported: remove it"},
    {"sc://@h", "6: a user in front of the host is not supported: remove it"},
    {"sc://a..b", "8: the host has an empty part: check its dots"},
    {"sc://a.b.", "10: the host has an empty part: check its dots"},
    {"sc://.a", "6: the host has an empty part: check its dots"},
    {"sc://a b", "7: a host may only have letters, digits, '-', '_' and '.'"},
    {"sc://b\xc3\xbc"
     "cher.example",
     "7: a host may only have letters, digits, '-', '_' and '.'"},
    {"sc://a%2eb", "7: a host may only have letters, digits, '-', '_' and '.'"},
    {"sc://x.-a", "8: a part of the host begins with '-'"},
    {"sc://a-.b", "7: a part of the host ends with '-'"},
    {"sc://1.2.3.256", "6: the host ends in a number but is not an IPv4 address"},
    {"sc://1.2.3", "6: the host ends in a number but is not an IPv4 address"},
    {"sc://010.0.0.1", "6: the host ends in a number but is not an IPv4 address"},
    {"sc://2130706433", "6: the host ends in a number but is not an IPv4 address"},
    {"sc://0x7f000001", "6: the host ends in a number but is not an IPv4 address"},
    {"sc://::1", "6: an IPv6 address must stand in brackets, as in [::1]:443"},
    {"sc://[::1", "6: the ']' that ends the IPv6 address is missing"},
    {"sc://[]", "7: what stands in the brackets is not an IPv6 address"},
    {"sc://[127.0.0.1]", "7: what stands in the brackets is not an IPv6 address"},
    {"sc://[fe80::1%25eth0]", "7: what stands in the brackets is not an IPv6 address"},
    {"sc://[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]",
     "7: what stands in the brackets is not an IPv6 address"},
    {"sc://[::1]443", "11: only ':' and a port may follow the ']'"},
    {"sc://h:", "8: the port is missing: write one after ':' or remove the ':'"},
    {"sc://h:/;a=b", "8: the port is missing: write one after ':' or remove the ':'"},
    {"sc://h:0", "8: a port is a number from 1 to 65535"},
    {"sc://h:65536", "8: a port is a number from 1 to 65535"},
    {"sc://h:4294967739", "8: a port is a number from 1 to 65535"},
    {"sc://h:44x", "10: a port is a number from 1 to 65535"},
    {"sc://h:-1", "8: a port is a number from 1 to 65535"},
    /* path, query, fragment */
    {"sc://h/foo;token=" SECRET, "8: the path must be empty: parameters follow as /;key=value"},
    {"sc://h//", "8: the path must be empty: parameters follow as /;key=value"},
    {"sc://h/token=" SECRET, "8: the path must be empty: parameters follow as /;key=value"},
    {"sc://h;token=" SECRET,
     "7: a '/' must stand between the host and the parameters: sc://HOST:PORT/;key=value"},
    {"sc://h?token=" SECRET,
     "7: '?' is not part of a connection string: parameters follow as /;key=value"},
    {"sc://h/#x", "8: '#' is not part of a connection string: parameters follow as /;key=value"},
    {"sc://h/;a=b?c", "12: in a parameter '?' must be written as %3F"},
    {"sc://h/;a=b#c", "12: in a parameter '#' must be written as %23"},
    {"sc://h/;token=" SECRET "/x", "23: in a parameter '/' must be written as %2F"},
    /* shape of a parameter */
    {"sc://h/;;", "8: no parameter follows this ';': remove it"},
    {"sc://h/;a=b;", "12: no parameter follows this ';': remove it"},
    {"sc://h/;a=b;;c=d", "12: no parameter follows this ';': remove it"},
    {"sc://h/;token", "9: this parameter has no '=': write key=value"},
    {"sc://h/;" SECRET ";a=b", "9: this parameter has no '=': write key=value"},
    {"sc://h/;=" SECRET, "9: the key in front of '=' is missing: write key=value"},
    {"sc://h/;a=", "11: a has no value: write one or remove the parameter"},
    {"sc://h/;token=;a=b", "15: token has no value: write one or remove the parameter"},
    {"sc://h/;token=" SECRET "=", "23: in the value of token '=' must be written as %3D"},
    {"sc://h/;token==", "15: in the value of token '=' must be written as %3D"},
    {"sc://h/; a=b", "9: a key may only have letters, digits, '_', '-' and '.'"},
    {"sc://h/;:path=x", "9: a key may only have letters, digits, '_', '-' and '.'"},
    {"sc://h/;x%2Dy=z", "10: a key may only have letters, digits, '_', '-' and '.'"},
    {"sc://h/;caf\xc3\xa9=x", "12: a key may only have letters, digits, '_', '-' and '.'"},
    /* escapes */
    {"sc://h/;token=" SECRET "%",
     "23: in the value of token two hex digits must follow '%': write a '%' itself as %25"},
    {"sc://h/;token=" SECRET "%4",
     "23: in the value of token two hex digits must follow '%': write a '%' itself as %25"},
    {"sc://h/;a=%4;b=c",
     "11: in the value of a two hex digits must follow '%': write a '%' itself as %25"},
    {"sc://h/;a=x%zz",
     "12: in the value of a two hex digits must follow '%': write a '%' itself as %25"},
    {"sc://h/;a=%4g",
     "11: in the value of a two hex digits must follow '%': write a '%' itself as %25"},
    {"sc://h/;a=%+1",
     "11: in the value of a two hex digits must follow '%': write a '%' itself as %25"},
    {"sc://h/;token=" SECRET "%00", "23: the value of token has a control character: remove it"},
    {"sc://h/;a=b%0D%0Ac", "12: the value of a has a control character: remove it"},
    {"sc://h/;user_id=%7f", "17: the value of user_id has a control character: remove it"},
    /* values */
    {"sc://h/;use_ssl=yes", "17: use_ssl must be true or false"},
    {"sc://h/;use_ssl=truee", "17: use_ssl must be true or false"},
    {"sc://h/;token=" SECRET "%C3%A9", "15: the value of token is not ASCII"},
    {"sc://h/;token=" SECRET "%20",
     "15: the value of token begins or ends with a space: remove it"},
    {"sc://h/;x-foo= " SECRET, "15: the value of x-foo begins or ends with a space: remove it"},
    {"sc://h/;user_id=%ff", "17: the value of user_id is not UTF-8"},
    {"sc://h/;user_agent=a%C3", "20: the value of user_agent is not UTF-8"},
    {"sc://h/;session_id=1",
     "20: session_id must be a UUID, as in 01234567-89ab-cdef-0123-456789abcdef"},
    {"sc://h/;session_id=0123456789abcdef0123456789abcdef0123",
     "20: session_id must be a UUID, as in 01234567-89ab-cdef-0123-456789abcdef"},
    {"sc://h/;session_id=01234567-89ab-cdef-0123-456789abcdeg",
     "20: session_id must be a UUID, as in 01234567-89ab-cdef-0123-456789abcdef"},
    {"sc://h/;grpc_max_message_size=0",
     "31: grpc_max_message_size must be a number from 1 to 2147483647"},
    {"sc://h/;grpc_max_message_size=2147483648",
     "31: grpc_max_message_size must be a number from 1 to 2147483647"},
    {"sc://h/;grpc_max_message_size=18446744073709551617",
     "31: grpc_max_message_size must be a number from 1 to 2147483647"},
    {"sc://h/;grpc_max_message_size=1k",
     "31: grpc_max_message_size must be a number from 1 to 2147483647"},
    {"sc://h/;grpc_keepalive_time_ms=-1",
     "32: grpc_keepalive_time_ms must be a number from 1 to 2147483647"},
    {"sc://h/;grpc_keepalive_enabled=1", "32: grpc_keepalive_enabled must be true or false"},
    /* headers */
    {"sc://h/;grpc-timeout=1S",
     "9: grpc-timeout: gRPC keeps names with grpc- to itself: remove it"},
    {"sc://h/;GRPC-Timeout=1S",
     "9: grpc-timeout: gRPC keeps names with grpc- to itself: remove it"},
    {"sc://h/;x-foo-bin=AA",
     "9: x-foo-bin: a binary header cannot come from a connection string: remove it"},
    {"sc://h/;Authorization=Bearer " SECRET,
     "9: authorization cannot be set here: it is made from the token, use token=..."},
    {"sc://h/;user-agent=x", "9: user-agent cannot be set here: use user_agent=..."},
    {"sc://h/;te=trailers",
     "9: te cannot be set here: it belongs to the connection, not to a call; remove it"},
    {"sc://h/;a=b;Connection=close",
     "13: connection cannot be set here: it belongs to the connection, not to a call; remove it"},
    {"sc://h/;host=x",
     "9: host cannot be set here: it belongs to the connection, not to a call; remove it"},
    /* duplicates */
    {"sc://h/;token=" SECRET ";token=" SECRET, "24: token is given twice: remove one"},
    {"sc://h/;token=" SECRET ";Token=x", "24: token is given twice: remove one"},
    {"sc://h/;x-foo=1;X-FOO=1", "17: x-foo is given twice: remove one"},
    {"sc://h/;grpc_keepalive_enabled=true;grpc_keepalive_enabled=true",
     "37: grpc_keepalive_enabled is given twice: remove one"},
};

static void test_every_fault_has_its_column_and_shows_no_value(void **state)
{
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct err err;
        const char *message = message_of(faults[i].text, &err);
        if (strcmp(message, faults[i].message) != 0)
            fail_msg("%s\n  gives  %s\n  not    %s", faults[i].text, message, faults[i].message);
        assert_null(strstr(err.message, SECRET));
    }
}

static void test_long_keys_are_cut_in_messages(void **state)
{
    char *text = filled("sc://h/;", "k", 2000);
    struct strbuf with_value = {0};
    strbuf_append_format(&with_value, "%s=", text);
    struct err err;
    const char *message = message_of(strbuf_text(&with_value), &err);
    assert_int_equal(strspn(message + strlen("2010: "), "k"), 64);
    assert_string_equal(message + strlen("2010: ") + 64,
                        " has no value: write one or remove the parameter");
    strbuf_finish(&with_value);
    free(text);
}

static void test_finish_accepts_zeroed_and_null(void **state)
{
    struct connection_string string = {0};
    connection_string_finish(&string);
    connection_string_finish(NULL);
    assert_false(connection_string_parse("sc://", &string, NULL));
}

static void test_authority_stops_at_its_length(void **state)
{
    struct authority authority;
    struct authority_fault fault;
    assert_true(authority_parse("[::1]:4439", 9, &authority, &fault));
    assert_string_equal(authority.host, "::1");
    assert_int_equal(authority.port, 443);
    authority_finish(&authority);
    assert_null(authority.host);
    assert_true(authority_parse("host:443", 4, &authority, &fault));
    assert_string_equal(authority.host, "host");
    assert_int_equal(authority.port, 0);
    authority_finish(&authority);
    static const char text[] = "host:x";
    assert_false(authority_parse(text, 6, &authority, &fault));
    assert_ptr_equal(fault.at, text + 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host_and_port),
        cmocka_unit_test(test_every_parameter_has_its_field),
        cmocka_unit_test(test_what_is_not_given_is_not_set),
        cmocka_unit_test(test_a_token_implies_ssl_unless_told_otherwise),
        cmocka_unit_test(test_other_keys_are_headers_in_lower_case),
        cmocka_unit_test(test_keep_alive_parameters_are_no_headers),
        cmocka_unit_test(test_plus_is_a_plus),
        cmocka_unit_test(test_length_limit),
        cmocka_unit_test(test_user_agent_limit_counts_what_is_percent_encoded),
        cmocka_unit_test(test_header_count_limit),
        cmocka_unit_test(test_host_limits),
        cmocka_unit_test(test_every_fault_has_its_column_and_shows_no_value),
        cmocka_unit_test(test_long_keys_are_cut_in_messages),
        cmocka_unit_test(test_finish_accepts_zeroed_and_null),
        cmocka_unit_test(test_authority_stops_at_its_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
