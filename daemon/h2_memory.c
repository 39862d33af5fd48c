/* Memory for nghttp2 that is wiped when it is given back. */
#include "daemon/h2_memory.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/secret.h"

enum { LEAST_PAGE_BYTES = 4096 }; /* of any machine */

/* madvise() rounds lengths up to these, and so they must be this machine's. */
static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* A session has a frame buffer of 16 KiB and a map of 4 KiB, of which an idle one touches the first
 * bytes and none. On pages of their own the rest of them costs nothing. */
static bool is_large(size_t size)
{
    return size >= LEAST_PAGE_BYTES && size >= page_bytes();
}

static void *take(size_t size, void *user_data)
{
    return is_large(size) ? aligned_alloc(page_bytes(), size + -size % page_bytes())
                          : recycler_try_take(user_data, size);
}

/* Wipes by giving whole pages back to the kernel, for which they need not be touched; the next who
 * looks finds zeroes. */
static void wipe_large(char *bytes, size_t size)
{
    char *first = bytes + -(uintptr_t)bytes % page_bytes();
    char *end = bytes + size - (uintptr_t)(bytes + size) % page_bytes();
    if (first >= end || madvise(first, (size_t)(end - first), MADV_DONTNEED) != 0) {
        secret_wipe(bytes, size);
        return;
    }
    secret_wipe(bytes, (size_t)(first - bytes));
    secret_wipe(end, (size_t)(bytes + size - end));
}

static void *take_zeroed(size_t count, size_t size, void *user_data)
{
    if (size > 0 && count > SIZE_MAX / 2 / size)
        return NULL;
    void *bytes = take(count * size, user_data);
    if (bytes != NULL && is_large(count * size))
        wipe_large(bytes, count * size);
    else if (bytes != NULL)
        memset(bytes, 0, count * size);
    return bytes;
}

static void give(void *bytes, void *user_data)
{
    size_t size = malloc_usable_size(bytes);
    if (is_large(size)) {
        wipe_large(bytes, size);
        free(bytes);
    } else {
        recycler_give_wiped(user_data, bytes, size);
    }
}

/* realloc() would leave the old bytes where they were. */
static void *resize(void *bytes, size_t size, void *user_data)
{
    size_t old_size = malloc_usable_size(bytes);
    void *moved = take(size, user_data);
    if (moved == NULL)
        return NULL;
    if (bytes != NULL)
        memcpy(moved, bytes, old_size < size ? old_size : size);
    give(bytes, user_data);
    return moved;
}

nghttp2_mem h2_memory(struct recycler *recycler)
{
    return (nghttp2_mem){.mem_user_data = recycler,
                         .malloc = take,
                         .free = give,
                         .calloc = take_zeroed,
                         .realloc = resize};
}
