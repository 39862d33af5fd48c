/* gRPC framing, status text and details. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <string.h>

#include "proto/grpc_framing.h"
#include "proto/grpc_status.h"
#include "proto/grpc_timeout.h"
#include "proto/rpc.pb-c.h"
#include "proto/rpc_status.h"

/* Three messages: 3 bytes, none, 300 bytes. */
static size_t sample(uint8_t *to)
{
    static const uint32_t lens[] = {3, 0, 300};
    size_t at = 0;
    for (size_t i = 0; i < 3; i++) {
        uint8_t prefix[5] = {0, 0, 0, (uint8_t)(lens[i] >> 8), (uint8_t)lens[i]};
        memcpy(to + at, prefix, 5);
        memset(to + at + 5, 0xff, lens[i]);
        at += 5 + lens[i];
    }
    return at;
}

static void test_boundaries_do_not_depend_on_chunks(void **state)
{
    uint8_t bytes[400];
    size_t len = sample(bytes);
    for (size_t chunk = 1; chunk <= len; chunk++) {
        struct grpc_framing framing = {0};
        for (size_t at = 0; at < len; at += chunk)
            grpc_framing_feed(&framing, bytes + at, len - at < chunk ? len - at : chunk);
        assert_int_equal(framing.bytes, len);
        assert_int_equal(framing.boundary, len);
    }
}

static void test_boundary_after_each_byte(void **state)
{
    uint8_t bytes[400];
    size_t len = sample(bytes);
    struct grpc_framing framing = {0};
    for (size_t at = 0; at < len; at++) {
        grpc_framing_feed(&framing, bytes + at, 1);
        size_t done = at + 1;
        size_t expected = done < 8 ? 0 : done < 13 ? 8 : done < 318 ? 13 : 318;
        assert_int_equal(framing.boundary, expected);
    }
}

static void test_largest_length_is_no_trouble(void **state)
{
    static const uint8_t prefix[5] = {1, 0xff, 0xff, 0xff, 0xff};
    struct grpc_framing framing = {0};
    grpc_framing_feed(&framing, prefix, 5);
    assert_int_equal(framing.left, UINT32_MAX);
    assert_int_equal(framing.boundary, 0);
}

static void test_message_encoding(void **state)
{
    char encoded[64], decoded[64];
    size_t len = grpc_message_encode("a%b\n\xc3\xa4 ~", encoded, sizeof encoded);
    assert_string_equal(encoded, "a%25b%0A%C3%A4 ~");
    grpc_message_decode(encoded, len, decoded, sizeof decoded);
    assert_string_equal(decoded, "a%b\n\xc3\xa4 ~");
    /* Lenient: what is no escape stays. */
    grpc_message_decode("100% %4 %zz %41", 15, decoded, sizeof decoded);
    assert_string_equal(decoded, "100% %4 %zz A");
    /* Cut between escapes, never inside one. */
    assert_int_equal(grpc_message_encode("ab%", encoded, 5), 2);
    assert_string_equal(encoded, "ab");
}

static void test_http_mapping(void **state)
{
    assert_int_equal(grpc_code_from_http(401), GRPC_UNAUTHENTICATED);
    assert_int_equal(grpc_code_from_http(403), GRPC_PERMISSION_DENIED);
    assert_int_equal(grpc_code_from_http(429), GRPC_UNAVAILABLE);
    assert_int_equal(grpc_code_from_http(503), GRPC_UNAVAILABLE);
    assert_int_equal(grpc_code_from_http(418), GRPC_UNKNOWN);
    assert_string_equal(grpc_code_name(16), "UNAUTHENTICATED");
    assert_string_equal(grpc_code_name(17), "UNKNOWN");
    assert_string_equal(grpc_code_name(-1), "UNKNOWN");
}

static void test_details_carry_error_info(void **state)
{
    struct rpc_status status;
    char text[RPC_DETAILS_BYTES];
    uint8_t bytes[RPC_DETAILS_BYTES];
    rpc_status_set(&status, GRPC_UNAUTHENTICATED, "TOKEN_REFUSED", "no \xc3\xa4 %s", "way");
    assert_string_equal(status.message, "no ?? way");
    size_t len = rpc_status_details(&status, text);
    size_t decoded = len * 3 / 4;
    while (len % 4 != 0) /* OpenSSL wants the padding */
        text[len++] = '=';
    assert_true(EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)len) > 0);
    Sparkbridge__Rpc__Status *message = sparkbridge__rpc__status__unpack(NULL, decoded, bytes);
    assert_non_null(message);
    assert_int_equal(message->code, 16);
    assert_string_equal(message->message, "no ?? way");
    assert_int_equal(message->n_details, 1);
    assert_string_equal(message->details[0]->type_url, "type.googleapis.com/google.rpc.ErrorInfo");
    Sparkbridge__Rpc__ErrorInfo *info = sparkbridge__rpc__error_info__unpack(
        NULL, message->details[0]->value.len, message->details[0]->value.data);
    assert_string_equal(info->reason, "TOKEN_REFUSED");
    assert_string_equal(info->domain, "sparkbridge");
    sparkbridge__rpc__error_info__free_unpacked(info, NULL);
    sparkbridge__rpc__status__free_unpacked(message, NULL);
}

static void test_details_are_not_padded(void **state)
{
    struct rpc_status status;
    char text[RPC_DETAILS_BYTES];
    for (int len = 0; len < 3; len++) {
        rpc_status_set(&status, GRPC_UNKNOWN, "ANY", "%.*s", len, "xx");
        size_t text_len = rpc_status_details(&status, text);
        assert_int_equal(text_len, strlen(text));
        assert_null(strchr(text, '='));
    }
}

static void test_longest_message_fits(void **state)
{
    struct rpc_status status;
    char long_text[2 * RPC_MESSAGE_BYTES], text[RPC_DETAILS_BYTES];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    rpc_status_set(&status, GRPC_UNKNOWN, "LONG", "%s", long_text);
    assert_int_equal(strlen(status.message), RPC_MESSAGE_BYTES - 1);
    assert_true(rpc_status_details(&status, text) < RPC_DETAILS_BYTES);
}

static void test_timeout(void **state)
{
    static const struct {
        const char *text;
        uint64_t ms;
    } right[] = {
        {"0S", 0},          {"1H", 3600000}, {"10M", 600000},
        {"601S", 601000},   {"250m", 250},   {"1u", 1},
        {"4999909u", 5000}, {"1000001n", 2}, {"99999999H", UINT64_C(359999996400000)},
    };
    static const char *const wrong[] = {"",    "S",   "1",    "1s",   "-1S",       "1 S",
                                        "1S ", "1SS", "1.5S", "0x1S", "100000000S"};
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        uint64_t ms = 7;
        assert_true(grpc_timeout_parse(right[i].text, &ms));
        assert_int_equal(ms, right[i].ms);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint64_t ms = 7;
        assert_false(grpc_timeout_parse(wrong[i], &ms));
        assert_int_equal(ms, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_boundaries_do_not_depend_on_chunks),
        cmocka_unit_test(test_boundary_after_each_byte),
        cmocka_unit_test(test_largest_length_is_no_trouble),
        cmocka_unit_test(test_message_encoding),
        cmocka_unit_test(test_http_mapping),
        cmocka_unit_test(test_details_carry_error_info),
        cmocka_unit_test(test_details_are_not_padded),
        cmocka_unit_test(test_longest_message_fits),
        cmocka_unit_test(test_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
