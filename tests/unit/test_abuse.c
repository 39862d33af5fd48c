/* What of a client's bytes is unfinished, however they are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/abuse.h"

static const char opening[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                              "\0\0\0\4\0\0\0\0\0"  /* SETTINGS */
                              "\0\0\1\1\4\0\0\0\1"  /* HEADERS with END_HEADERS, one byte */
                              "\x82"                /* ... */
                              "\0\0\0\4\1\0\0\0\0"; /* SETTINGS, the acknowledgement */
enum {
    FIRST_FRAME_BYTES = 24 + 9,
    HEADERS_BYTES = FIRST_FRAME_BYTES + 9, /* up to its payload */
    ALL_BYTES = sizeof opening - 1,
};

static enum abuse_unfinished after(size_t len, size_t step)
{
    struct abuse abuse;
    abuse_init(&abuse, 0);
    for (size_t at = 0; at < len; at += step) {
        size_t n = len - at < step ? len - at : step;
        assert_int_equal(abuse_feed(&abuse, (const uint8_t *)opening + at, n, 0), ABUSE_NONE);
    }
    return abuse_unfinished(&abuse);
}

static void test_unfinished(void **state)
{
    for (size_t step = 1; step <= ALL_BYTES; step++)
        for (size_t len = 1; len <= ALL_BYTES; len++) {
            enum abuse_unfinished wanted = ABUSE_UNFINISHED_NONE;
            if (len < FIRST_FRAME_BYTES)
                wanted = ABUSE_UNFINISHED_PREFACE;
            else if (len == HEADERS_BYTES)
                wanted = ABUSE_UNFINISHED_HEADERS;
            assert_int_equal(after(len, step), wanted);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_unfinished)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
