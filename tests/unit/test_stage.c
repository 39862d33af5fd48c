/* The stage: order, what is copied and what is referred to, and when it is full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "daemon/stage.h"

static uint8_t large[STAGE_FRAME_BYTES];

static void test_pieces_are_in_order(void **state)
{
    struct stage stage;
    unsigned count;
    stage_init(&stage);
    stage_pieces(&stage, &count);
    assert_int_equal(count, 0);

    stage_copy(&stage, (const uint8_t *)"one", 3);
    stage_copy(&stage, (const uint8_t *)"two", 3);
    stage_refer(&stage, large, 5000);
    stage_refer(&stage, large + 5000, 6000);
    stage_refer(&stage, (const uint8_t *)"small", 5);
    const uv_buf_t *pieces = stage_pieces(&stage, &count);
    assert_int_equal(count, 4);
    assert_int_equal(pieces[0].len, 6);
    assert_memory_equal(pieces[0].base, "onetwo", 6);
    assert_ptr_equal(pieces[1].base, large);
    assert_int_equal(pieces[1].len, 5000);
    assert_ptr_equal(pieces[2].base, large + 5000);
    assert_int_equal(pieces[3].len, 5);
    assert_memory_equal(pieces[3].base, "small", 5);

    stage_empty(&stage);
    stage_pieces(&stage, &count);
    assert_int_equal(count, 0);
    stage_finish(&stage);
}

static void test_there_is_room_for_every_frame(void **state)
{
    struct stage stage;
    stage_init(&stage);
    for (int i = 0; i < 5; i++) {
        assert_true(stage_has_room(&stage));
        stage_copy(&stage, large, STAGE_FRAME_BYTES);
    }
    assert_false(stage_has_room(&stage));

    stage_empty(&stage);
    unsigned frames = 0;
    for (; stage_has_room(&stage); frames++) /* the worst: each piece as small as can be */
        for (size_t left = STAGE_FRAME_BYTES; left >= STAGE_LEAST_PIECE_BYTES + 1;
             left -= STAGE_LEAST_PIECE_BYTES + 1) {
            stage_copy(&stage, large, 1);
            stage_refer(&stage, large, STAGE_LEAST_PIECE_BYTES);
        }
    assert_true(frames >= 1);
    unsigned count;
    stage_pieces(&stage, &count);
    assert_true(count <= STAGE_PIECES);
    stage_finish(&stage);
}

static void test_what_was_copied_is_wiped(void **state)
{
    static const uint8_t zeroes[6];
    struct stage stage;
    stage_init(&stage);
    stage_copy(&stage, (const uint8_t *)"secret", 6);
    stage_empty(&stage);
    stage_wipe(&stage);
    assert_memory_equal(stage.bytes, zeroes, sizeof zeroes);
    stage_finish(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_are_in_order),
        cmocka_unit_test(test_there_is_room_for_every_frame),
        cmocka_unit_test(test_what_was_copied_is_wiped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
