/* nghttp2's memory: blocks do not overlap, zeroes are zeroes, an idle session touches one page, and
 * with the last block all is gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/sanitized.h"
#include "daemon/h2_memory.h"

enum { COUNT = 6, REGION_BYTES = 28 * 1024, MAX_PAGES = REGION_BYTES / 4096 };

/* What a server's session of nghttp2 1.52 asks for, in this order: itself, two tables of HPACK, one
 * of streams, and the buffer for a frame with its head. */
static const size_t sizes[COUNT] = {2928, 1024, 1024, 4096, 48, 16394};

static void take_all(nghttp2_mem *mem, uint8_t *ret_blocks[COUNT])
{
    void *owner = mem->mem_user_data;
    ret_blocks[0] = mem->calloc(1, sizes[0], owner);
    ret_blocks[1] = mem->malloc(sizes[1], owner);
    ret_blocks[2] = mem->malloc(sizes[2], owner);
    ret_blocks[3] = mem->calloc(sizes[3] / 16, 16, owner);
    ret_blocks[4] = mem->malloc(sizes[4], owner);
    ret_blocks[5] = mem->realloc(NULL, sizes[5], owner);
}

/* The session is freed last. */
static void give_all(nghttp2_mem *mem, uint8_t *blocks[COUNT])
{
    for (int i = COUNT - 1; i >= 0; i--)
        mem->free(blocks[i], mem->mem_user_data);
}

static void assert_filled(const uint8_t *bytes, size_t size, int value)
{
    for (size_t i = 0; i < size; i++)
        assert_int_equal(bytes[i], value);
}

static void test_blocks_do_not_overlap(void **state)
{
    struct recycler recycler = {0};
    nghttp2_mem mem = h2_memory(&recycler);
    uint8_t *blocks[COUNT];
    take_all(&mem, blocks);
    assert_filled(blocks[0], sizes[0], 0);
    assert_filled(blocks[3], sizes[3], 0);
    uint8_t *more[20];
    for (int i = 0; i < 20; i++)
        more[i] = memset(mem.malloc(500, mem.mem_user_data), 100 + i, 500);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        memset(blocks[i], i + 1, sizes[i]);
    }
    for (int i = 0; i < COUNT; i++)
        assert_filled(blocks[i], sizes[i], i + 1);
    for (int i = 0; i < 20; i++) {
        assert_filled(more[i], 500, 100 + i);
        mem.free(more[i], mem.mem_user_data);
    }
    mem.free(NULL, mem.mem_user_data);
    give_all(&mem, blocks);
    recycler_finish(&recycler);
}

static void test_resizing_keeps_the_content(void **state)
{
    struct recycler recycler = {0};
    nghttp2_mem mem = h2_memory(&recycler);
    uint8_t *blocks[COUNT];
    take_all(&mem, blocks);
    for (int i = 1; i < COUNT; i++) {
        memset(blocks[i], i, sizes[i]);
        blocks[i] = mem.realloc(blocks[i], 2 * sizes[i], mem.mem_user_data);
        assert_filled(blocks[i], sizes[i], i);
        blocks[i] = mem.realloc(blocks[i], 10, mem.mem_user_data);
        assert_filled(blocks[i], 10, i);
    }
    give_all(&mem, blocks);
    recycler_finish(&recycler);
}

static void test_an_idle_session_touches_one_page(void **state)
{
    const size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    struct recycler recycler = {0};
    if (is_sanitized || page_bytes != 4096)
        skip();
    nghttp2_mem mem = h2_memory(&recycler);
    uint8_t *blocks[COUNT];
    take_all(&mem, blocks);
    memset(blocks[0], 1, sizes[0]);
    memset(blocks[4], 1, sizes[4]);
    memset(blocks[5], 1, 200); /* SETTINGS, and what answers the client's */
    uint8_t *region = blocks[0] - (uintptr_t)blocks[0] % page_bytes;
    unsigned char resident[MAX_PAGES];
    assert_int_equal(mincore(region, REGION_BYTES, resident), 0);
    assert_true(resident[0] & 1);
    for (int i = 1; i < MAX_PAGES; i++)
        assert_false(resident[i] & 1);
    give_all(&mem, blocks);
    assert_int_equal(mincore(region, REGION_BYTES, resident), -1);
    assert_int_equal(errno, ENOMEM);
    recycler_finish(&recycler);
}

static void test_a_real_session(void **state)
{
    struct recycler recycler = {0};
    nghttp2_session_callbacks *callbacks;
    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    for (int turn = 0; turn < 3; turn++) {
        nghttp2_mem mem = h2_memory(&recycler);
        nghttp2_session *session;
        assert_int_equal(nghttp2_session_server_new3(&session, callbacks, NULL, NULL, &mem), 0);
        nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, NULL, 0);
        const uint8_t *bytes;
        assert_int_equal(nghttp2_session_mem_send(session, &bytes), 9);
        nghttp2_session_del(session);
    }
    nghttp2_session_callbacks_del(callbacks);
    recycler_finish(&recycler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_do_not_overlap),
        cmocka_unit_test(test_resizing_keeps_the_content),
        cmocka_unit_test(test_an_idle_session_touches_one_page),
        cmocka_unit_test(test_a_real_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
