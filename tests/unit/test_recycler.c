/* The recycler: what it keeps, and what it does not. Sanitized builds keep nothing, which the
 * cases allow for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/recycler.h"
#include "common/sanitized.h"

static void test_every_size_fits(void **state)
{
    struct recycler recycler = {0};
    for (int turn = 0; turn < 2; turn++) { /* the second takes what the first gave back */
        void *taken[RECYCLER_MAX_BLOCK_BYTES + 2];
        for (size_t size = 0; size < sizeof taken / sizeof taken[0]; size++) {
            taken[size] = recycler_take(&recycler, size);
            memset(taken[size], (int)size, size);
        }
        for (size_t size = 0; size < sizeof taken / sizeof taken[0]; size++) {
            for (size_t i = 0; i < size; i++)
                assert_int_equal(((uint8_t *)taken[size])[i], (uint8_t)size);
            recycler_give(&recycler, taken[size]);
        }
        assert_true(recycler.kept_bytes <= RECYCLER_MAX_BYTES);
    }
    recycler_finish(&recycler);
    assert_int_equal(recycler.kept_bytes, 0);
}

/* What was given back is what comes next, for every size of its shelf and for no other. */
static void test_a_block_comes_again(void **state)
{
    const size_t size = 3 * (size_t)RECYCLER_STEP_BYTES;
    struct recycler recycler = {0};
    if (is_sanitized)
        skip();
    void *block = recycler_take(&recycler, size);
    recycler_give(&recycler, block);
    size_t kept_bytes = recycler.kept_bytes;
    assert_true(kept_bytes >= size);
    void *smaller = recycler_take(&recycler, RECYCLER_STEP_BYTES);
    assert_ptr_not_equal(smaller, block);
    assert_int_equal(recycler.kept_bytes, kept_bytes);
    assert_ptr_equal(recycler_take(&recycler, kept_bytes - 1), block);
    assert_int_equal(recycler.kept_bytes, 0);
    recycler_give(&recycler, block);
    recycler_give(&recycler, smaller);
    recycler_finish(&recycler);
}

static void test_no_more_is_kept_than_the_limit(void **state)
{
    enum { COUNT = 2 * RECYCLER_MAX_BYTES / RECYCLER_MAX_BLOCK_BYTES };
    static void *taken[COUNT];
    struct recycler recycler = {0};
    for (size_t i = 0; i < COUNT; i++)
        taken[i] = recycler_take(&recycler, RECYCLER_MAX_BLOCK_BYTES - 100);
    for (size_t i = 0; i < COUNT; i++)
        recycler_give(&recycler, taken[i]);
    assert_true(recycler.kept_bytes <= RECYCLER_MAX_BYTES);
    recycler_finish(&recycler);
}

static void test_large_blocks_are_not_kept(void **state)
{
    struct recycler recycler = {0};
    recycler_give(&recycler, recycler_take(&recycler, 100000));
    assert_int_equal(recycler.kept_bytes, 0);
    recycler_finish(&recycler);
}

static void test_without_a_recycler(void **state)
{
    char *bytes = recycler_take(NULL, 10);
    memcpy(bytes, "123456789", 10);
    assert_string_equal(bytes, "123456789");
    recycler_give(NULL, bytes);
    recycler_give(NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_size_fits),
        cmocka_unit_test(test_a_block_comes_again),
        cmocka_unit_test(test_no_more_is_kept_than_the_limit),
        cmocka_unit_test(test_large_blocks_are_not_kept),
        cmocka_unit_test(test_without_a_recycler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
