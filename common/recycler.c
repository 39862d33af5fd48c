/* Small blocks of memory that come and go with every call. */
#include "common/recycler.h"

#include <malloc.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/sanitized.h"
#include "common/secret.h"

struct recycler_block {
    struct recycler_block *next;
};

/* Which list holds blocks of at least `size` bytes. */
static size_t shelf_for(size_t size)
{
    return (size + RECYCLER_STEP_BYTES - 1) / RECYCLER_STEP_BYTES;
}

void *recycler_try_take(struct recycler *recycler, size_t size)
{
    if (recycler == NULL || size > RECYCLER_MAX_BLOCK_BYTES)
        return malloc(size);
    size_t shelf = shelf_for(size);
    struct recycler_block *block = recycler->kept[shelf];
    if (block == NULL)
        return malloc(shelf * RECYCLER_STEP_BYTES);
    recycler->kept[shelf] = block->next;
    recycler->kept_bytes -= shelf * RECYCLER_STEP_BYTES;
    return block;
}

void *recycler_take(struct recycler *recycler, size_t size)
{
    void *bytes = recycler_try_take(recycler, size);
    if (bytes == NULL)
        alloc_failed();
    return bytes;
}

static void give(struct recycler *recycler, void *bytes, size_t usable_bytes)
{
    size_t shelf = usable_bytes / RECYCLER_STEP_BYTES;
    size_t size = shelf * RECYCLER_STEP_BYTES;
    if (is_sanitized || recycler == NULL || shelf == 0 || size > RECYCLER_MAX_BLOCK_BYTES ||
        recycler->kept_bytes + size > RECYCLER_MAX_BYTES) {
        free(bytes);
        return;
    }
    struct recycler_block *block = bytes;
    block->next = recycler->kept[shelf];
    recycler->kept[shelf] = block;
    recycler->kept_bytes += size;
}

void recycler_give(struct recycler *recycler, void *bytes)
{
    if (bytes != NULL)
        give(recycler, bytes, malloc_usable_size(bytes));
}

void recycler_give_wiped(struct recycler *recycler, void *bytes, size_t usable_bytes)
{
    if (bytes == NULL)
        return;
    secret_wipe(bytes, usable_bytes);
    give(recycler, bytes, usable_bytes);
}

void recycler_finish(struct recycler *recycler)
{
    for (size_t i = 0; i < sizeof recycler->kept / sizeof recycler->kept[0]; i++) {
        while (recycler->kept[i] != NULL) {
            struct recycler_block *block = recycler->kept[i];
            recycler->kept[i] = block->next;
            free(block);
        }
    }
    recycler->kept_bytes = 0;
}
