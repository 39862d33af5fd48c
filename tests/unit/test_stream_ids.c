/* Frames on streams that the client has skipped or ended: what RFC 9113 says of them, 5.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <nghttp2/nghttp2.h>

#include "daemon/stream_ids.h"

enum { END = NGHTTP2_FLAG_END_STREAM };

static uint32_t feed(struct stream_ids *ids, uint8_t type, int32_t id, uint8_t flags)
{
    struct frame_info frame = {.type = type, .flags = flags, .stream_id = id};
    return stream_ids_on_frame(ids, &frame);
}

static void assert_fine(struct stream_ids *ids, uint8_t type, int32_t id, uint8_t flags)
{
    assert_int_equal(feed(ids, type, id, flags), NGHTTP2_NO_ERROR);
}

static void test_calls_are_fine(void **state)
{
    struct stream_ids ids = {0};
    assert_fine(&ids, NGHTTP2_SETTINGS, 0, 0);
    for (int32_t id = 1; id < 1000; id += 2) {
        assert_fine(&ids, NGHTTP2_HEADERS, id, 0);
        assert_fine(&ids, NGHTTP2_DATA, id, 0);
        assert_fine(&ids, NGHTTP2_DATA, id, END);
        assert_fine(&ids, NGHTTP2_WINDOW_UPDATE, id, 0);
    }
    assert_fine(&ids, NGHTTP2_HEADERS, 1001, 0);
    assert_fine(&ids, NGHTTP2_HEADERS, 1001, END); /* trailers */
    assert_fine(&ids, NGHTTP2_RST_STREAM, 1001, 0);
}

static void test_a_stream_that_was_ended_is_closed(void **state)
{
    struct stream_ids ids = {0};
    assert_fine(&ids, NGHTTP2_HEADERS, 1, END);
    assert_fine(&ids, NGHTTP2_HEADERS, 3, 0);
    assert_int_equal(feed(&ids, NGHTTP2_DATA, 1, 0), NGHTTP2_STREAM_CLOSED);
    assert_int_equal(feed(&ids, NGHTTP2_HEADERS, 1, END), NGHTTP2_STREAM_CLOSED);
    assert_fine(&ids, NGHTTP2_RST_STREAM, 1, 0);
    assert_fine(&ids, NGHTTP2_PRIORITY, 1, 0);
    assert_fine(&ids, NGHTTP2_WINDOW_UPDATE, 1, 0);
    assert_fine(&ids, NGHTTP2_DATA, 3, END);
}

static void test_a_stream_that_was_reset_is_closed(void **state)
{
    struct stream_ids ids = {0};
    assert_fine(&ids, NGHTTP2_HEADERS, 1, 0);
    assert_fine(&ids, NGHTTP2_RST_STREAM, 1, 0);
    assert_int_equal(feed(&ids, NGHTTP2_DATA, 1, END), NGHTTP2_STREAM_CLOSED);
    assert_int_equal(feed(&ids, NGHTTP2_HEADERS, 1, END), NGHTTP2_STREAM_CLOSED);
}

static void test_a_number_that_was_skipped_is_gone(void **state)
{
    struct stream_ids ids = {0};
    assert_fine(&ids, NGHTTP2_HEADERS, 5, END);
    assert_int_equal(feed(&ids, NGHTTP2_HEADERS, 1, END), NGHTTP2_PROTOCOL_ERROR);
    assert_int_equal(feed(&ids, NGHTTP2_HEADERS, 3, END), NGHTTP2_PROTOCOL_ERROR);
    assert_fine(&ids, NGHTTP2_HEADERS, 7, 0);
    assert_fine(&ids, NGHTTP2_HEADERS, 11, 0);
    assert_int_equal(feed(&ids, NGHTTP2_HEADERS, 9, 0), NGHTTP2_PROTOCOL_ERROR);
    assert_fine(&ids, NGHTTP2_HEADERS, 7, END);
}

static void test_the_last_ones_are_remembered(void **state)
{
    struct stream_ids ids = {0};
    int32_t last = 2 * STREAM_IDS_ENDED + 1;
    for (int32_t id = 1; id <= last; id += 2)
        assert_fine(&ids, NGHTTP2_HEADERS, id, END);
    assert_fine(&ids, NGHTTP2_DATA, 1, 0);
    for (int32_t id = 3; id <= last; id += 2)
        assert_int_equal(feed(&ids, NGHTTP2_DATA, id, 0), NGHTTP2_STREAM_CLOSED);
}

static void test_even_numbers_are_not_looked_at(void **state)
{
    struct stream_ids ids = {0};
    assert_fine(&ids, NGHTTP2_HEADERS, 2, END);
    assert_fine(&ids, NGHTTP2_DATA, 2, END);
    assert_fine(&ids, NGHTTP2_DATA, 0, END);
    assert_fine(&ids, NGHTTP2_HEADERS, 1, END);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_are_fine),
        cmocka_unit_test(test_a_stream_that_was_ended_is_closed),
        cmocka_unit_test(test_a_stream_that_was_reset_is_closed),
        cmocka_unit_test(test_a_number_that_was_skipped_is_gone),
        cmocka_unit_test(test_the_last_ones_are_remembered),
        cmocka_unit_test(test_even_numbers_are_not_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
