/* The credential is taken out of what a workspace says, however it is written there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "daemon/scrub.h"

static struct binding *binding_with(const char *authorization)
{
    struct binding *binding = binding_create();
    if (authorization != NULL)
        secret_set(&binding->authorization, authorization, strlen(authorization));
    metadata_append(&binding->headers, "x-api-key", "key-0123456789abcdef", 20);
    metadata_append(&binding->headers, "x-env", "production", 10);
    return binding;
}

static void test_values(void **state)
{
    static const struct {
        const char *name, *value;
        const char *expected; /* NULL: the field is removed */
    } cases[] = {
        {"grpc-message", "bad token dapi0123456789", "bad token [token]"},
        {"grpc-message", "dapi0123456789dapi0123456789", "[token][token]"},
        {"grpc-message", "Bearer%20dapi0123456789%21", "Bearer [token]!"},
        {"grpc-message", "%64%61%70%69%30123456789", "[token]"},
        {"grpc-message", "%E2%80%9Cdapi0123456789%E2%80%9D", "%E2%80%9C[token]%E2%80%9D"},
        {"grpc-message", "key-0123456789abcdef dapi0123456789", "[token] [token]"},
        {"grpc-message", "dapi012345678", "dapi012345678"},
        {"grpc-message", "100%25 of production %zz", "100%25 of production %zz"},
        {"grpc-message", "", ""},
        {"x-echo", "Bearer dapi0123456789", NULL},
        {"x-echo", "key-0123456789abcdef", NULL},
        {"x-echo", "production", "production"},
        {"location", "https://x/?t=dapi0123456789&u", NULL},
        {"content-type", "text/dapi0123456789", NULL},
        /* {5, "dapi0123456789"} with and without padding, and moved by one and two bytes */
        {"grpc-status-details-bin", "CAUSDmRhcGkwMTIzNDU2Nzg5", NULL},
        {"grpc-status-details-bin", "IGRhcGkwMTIzNDU2Nzg5", NULL},
        {"grpc-status-details-bin", "ICBkYXBpMDEyMzQ1Njc4OQ==", NULL},
        {"grpc-status-details-bin", "ICBkYXBpMDEyMzQ1Njc4OQ", NULL},
        {"x-many-bin", "AAEC,IGRhcGkwMTIzNDU2Nzg5,AAEC", NULL},
        {"x-many-bin", ",,AAEC,", ",,AAEC,"},
        {"grpc-status-details-bin", "CAUSBm5vdCBpdA", "CAUSBm5vdCBpdA"},
        {"grpc-status-details-bin", "no base64 at all!", "no base64 at all!"},
        {"x-text", "IGRhcGkwMTIzNDU2Nzg5", "IGRhcGkwMTIzNDU2Nzg5"},
    };
    struct binding *binding = binding_with("Bearer dapi0123456789");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct header_list headers = {0};
        header_list_add_text(&headers, "grpc-status", "16");
        header_list_add_text(&headers, cases[i].name, cases[i].value);
        header_list_add_text(&headers, "x-after", "kept");
        bool found = scrub_headers(&headers, binding);
        const char *left = header_list_find(&headers, cases[i].name);
        if (cases[i].expected == NULL) {
            assert_null(left);
        } else {
            assert_non_null(left);
            if (headers.fields[1].value_len != strlen(cases[i].expected) ||
                memcmp(left, cases[i].expected, strlen(cases[i].expected)) != 0)
                fail_msg("%s became %s", cases[i].value, left);
            assert_int_equal(left[headers.fields[1].value_len], '\0');
        }
        assert_int_equal(found, cases[i].expected == NULL ||
                                    strcmp(cases[i].expected, cases[i].value) != 0);
        assert_string_equal(header_list_find(&headers, "grpc-status"), "16");
        assert_string_equal(header_list_find(&headers, "x-after"), "kept");
        header_list_finish(&headers);
    }
    binding_unref(binding);
}

/* Other schemes have their credential in the same place; short texts are in many words. */
static void test_credentials(void **state)
{
    static const struct {
        const char *authorization, *message, *expected;
    } cases[] = {
        {"Basic dXNlcjpwYXNz", "dXNlcjpwYXNz", "[token]"},
        {"without-a-scheme", "without-a-scheme", "[token]"},
        {"Bearer 1234567", "1234567", "1234567"},
        {"Bearer 12345678", "12345678", "[token]"},
        {"Bearer ", "Bearer ", "Bearer "},
        {NULL, "Bearer", "Bearer"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct binding *binding = binding_with(cases[i].authorization);
        struct header_list headers = {0};
        header_list_add_text(&headers, "grpc-message", cases[i].message);
        scrub_headers(&headers, binding);
        assert_string_equal(header_list_find(&headers, "grpc-message"), cases[i].expected);
        header_list_finish(&headers);
        binding_unref(binding);
    }
}

/* A text that was not encoded as gRPC wants it grows by that, and is cut to what it was. */
static void test_length(void **state)
{
    struct binding *binding = binding_with("Bearer dapi0123456789");
    struct header_list headers = {0};
    header_list_add_text(&headers, "grpc-message", "\xc3\xa4\xc3\xa4\xc3\xa4 dapi0123456789");
    assert_true(scrub_headers(&headers, binding));
    assert_string_equal(header_list_find(&headers, "grpc-message"), "%C3%A4%C3%A4%C3%A4 [t");
    header_list_finish(&headers);
    binding_unref(binding);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_credentials),
        cmocka_unit_test(test_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
