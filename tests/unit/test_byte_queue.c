/* The byte queue: order, partial takes, truncation at every place, blocks given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/byte_queue.h"
#include "common/sanitized.h"

enum { SAMPLE_BYTES = 3 * BYTE_BLOCK_BYTES + 100 };

static uint8_t sample_byte(size_t i)
{
    return (uint8_t)(i * 31 + i / 251);
}

static void push_sample(struct byte_queue *queue, size_t len, size_t step)
{
    uint8_t bytes[1000];
    for (size_t at = 0; at < len;) {
        size_t n = len - at < step ? len - at : step;
        for (size_t i = 0; i < n; i++)
            bytes[i] = sample_byte(at + i);
        byte_queue_push(queue, bytes, n);
        at += n;
    }
}

static void expect_sample(struct byte_queue *queue, size_t from, size_t len, size_t step)
{
    uint8_t bytes[5000];
    for (size_t at = from; at < from + len;) {
        size_t n = from + len - at < step ? from + len - at : step;
        byte_queue_copy(queue, 0, bytes, n);
        byte_queue_drop(queue, n);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(bytes[i], sample_byte(at + i));
        at += n;
    }
}

static void test_order_is_kept(void **state)
{
    struct byte_pool pool = {0};
    struct byte_queue queue;
    byte_queue_init(&queue, &pool);
    for (size_t step = 1; step <= 1000; step += 333) {
        push_sample(&queue, SAMPLE_BYTES, step);
        assert_int_equal(queue.bytes, SAMPLE_BYTES);
        expect_sample(&queue, 0, SAMPLE_BYTES, 4999);
        assert_int_equal(queue.bytes, 0);
        assert_int_equal(pool.used_count, 0);
    }
    byte_pool_finish(&pool);
}

static void test_copy_at_any_offset(void **state)
{
    static const size_t offsets[] = {0,
                                     1,
                                     BYTE_SMALL_BLOCK_BYTES - 1,
                                     BYTE_BLOCK_BYTES - 5,
                                     BYTE_BLOCK_BYTES,
                                     BYTE_BLOCK_BYTES + BYTE_SMALL_BLOCK_BYTES,
                                     SAMPLE_BYTES - 100};
    struct byte_pool pool = {0};
    struct byte_queue queue;
    byte_queue_init(&queue, &pool);
    push_sample(&queue, SAMPLE_BYTES, 200);
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        uint8_t bytes[100];
        byte_queue_copy(&queue, offsets[i], bytes, sizeof bytes);
        for (size_t j = 0; j < sizeof bytes; j++)
            assert_int_equal(bytes[j], sample_byte(offsets[i] + j));
    }
    byte_queue_clear(&queue);
    byte_pool_finish(&pool);
}

static void test_truncate_keeps_the_front(void **state)
{
    static const size_t keeps[] = {
        0,
        1,
        BYTE_BLOCK_BYTES - 11,
        BYTE_BLOCK_BYTES - 10,
        BYTE_BLOCK_BYTES,
        (size_t)2 * BYTE_BLOCK_BYTES,
        SAMPLE_BYTES - 11,
        SAMPLE_BYTES - 10,
    };
    for (size_t i = 0; i < sizeof keeps / sizeof keeps[0]; i++) {
        struct byte_pool pool = {0};
        struct byte_queue queue;
        byte_queue_init(&queue, &pool);
        push_sample(&queue, SAMPLE_BYTES, 1000);
        expect_sample(&queue, 0, 10, 10);
        byte_queue_truncate(&queue, keeps[i]);
        assert_int_equal(queue.bytes, keeps[i]);
        expect_sample(&queue, 10, keeps[i], 777);
        /* What is pushed next follows what was kept. */
        push_sample(&queue, 500, 100);
        expect_sample(&queue, 0, 500, 500);
        assert_int_equal(pool.used_count, 0);
        byte_pool_finish(&pool);
    }
}

static void test_clear_gives_blocks_back(void **state)
{
    struct byte_pool pool = {0};
    struct byte_queue queue;
    byte_queue_init(&queue, &pool);
    for (size_t i = 0; i < (size_t)3 * BYTE_POOL_MAX_FREE; i++)
        push_sample(&queue, BYTE_BLOCK_BYTES, 1000);
    assert_true(pool.used_count >= (size_t)3 * BYTE_POOL_MAX_FREE);
    byte_queue_clear(&queue);
    assert_int_equal(pool.used_count, 0);
    assert_int_equal(pool.free_count, 0); /* somebody may still write what was in them */
    byte_pool_sweep(&pool);
    assert_int_equal(pool.free_count, is_sanitized ? 0 : BYTE_POOL_MAX_FREE);
    byte_pool_finish(&pool);
}

static uint8_t *make_sample(size_t from, size_t len)
{
    uint8_t *bytes = malloc(len);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = sample_byte(from + i);
    return bytes;
}

/* 100 bytes copied, 5,000 lent, 100 copied, 20,000 lent. */
static void push_and_lend(struct byte_queue *queue, uint8_t *sample)
{
    byte_queue_push(queue, sample, 100);
    byte_queue_lend(queue, sample + 100, 5000);
    assert_true(byte_queue_ends_lent(queue));
    byte_queue_push(queue, sample + 5100, 100);
    assert_false(byte_queue_ends_lent(queue));
    byte_queue_lend(queue, sample + 5200, 20000);
    assert_int_equal(queue->bytes, 25200);
}

static void test_lent_bytes_are_referred_to(void **state)
{
    struct byte_pool pool = {0};
    struct byte_queue queue;
    byte_queue_init(&queue, &pool);
    uint8_t *sample = make_sample(0, 25200);
    push_and_lend(&queue, sample);
    assert_true(pool.used_bytes < 20000); /* what is lent takes no room */
    struct byte_piece piece = byte_queue_piece(&queue, 40);
    assert_int_equal(piece.len, 60);
    assert_false(piece.stays);
    piece = byte_queue_piece(&queue, 100);
    assert_ptr_equal(piece.bytes, sample + 100);
    assert_int_equal(piece.len, 5000);
    assert_true(piece.stays);
    byte_queue_drop(&queue, 5150);
    piece = byte_queue_piece(&queue, 60);
    assert_ptr_equal(piece.bytes, sample + 5210);
    assert_int_equal(piece.len, 19990);
    expect_sample(&queue, 5150, 20050, 999);
    assert_int_equal(pool.used_count, 0);
    free(sample);
    byte_pool_finish(&pool);
}

static void test_what_is_kept_is_copied(void **state)
{
    static const size_t dropped[] = {0, 50, 100, 101, 5099, 5100, 5150, 5200, 25199, 25200};
    for (size_t i = 0; i < sizeof dropped / sizeof dropped[0]; i++) {
        struct byte_pool pool = {0};
        struct byte_queue queue;
        byte_queue_init(&queue, &pool);
        uint8_t *sample = make_sample(0, 25200);
        push_and_lend(&queue, sample);
        byte_queue_drop(&queue, dropped[i]);
        byte_queue_keep(&queue);
        free(sample);
        assert_int_equal(queue.bytes, 25200 - dropped[i]);
        assert_false(byte_queue_ends_lent(&queue));
        byte_queue_keep(&queue); /* nothing is left to do */
        expect_sample(&queue, dropped[i], 25200 - dropped[i], 777);
        assert_int_equal(pool.used_count, 0);
        assert_int_equal(pool.used_bytes, 0);
        byte_pool_finish(&pool);
    }
}

/* A block that was dropped may still be on its way to the kernel. */
static void test_a_dropped_block_stays(void **state)
{
    struct byte_pool pool = {0};
    struct byte_queue queue;
    byte_queue_init(&queue, &pool);
    push_sample(&queue, SAMPLE_BYTES, 1000);
    while (!byte_queue_piece(&queue, 0).stays)
        byte_queue_drop(&queue, byte_queue_piece(&queue, 0).len);
    size_t at = SAMPLE_BYTES - queue.bytes;
    struct byte_piece piece = byte_queue_piece(&queue, 0);
    byte_queue_clear(&queue);
    push_sample(&queue, SAMPLE_BYTES, 1000);
    for (size_t i = 0; i < piece.len; i++)
        assert_int_equal(piece.bytes[i], sample_byte(at + i));
    byte_queue_clear(&queue);
    byte_pool_finish(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_is_kept),
        cmocka_unit_test(test_copy_at_any_offset),
        cmocka_unit_test(test_truncate_keeps_the_front),
        cmocka_unit_test(test_clear_gives_blocks_back),
        cmocka_unit_test(test_lent_bytes_are_referred_to),
        cmocka_unit_test(test_what_is_kept_is_copied),
        cmocka_unit_test(test_a_dropped_block_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
