/* Memory for nghttp2 that is wiped when it is given back. */
#include "daemon/h2_memory.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static void *take(size_t size, void *user_data)
{
    return recycler_try_take(user_data, size);
}

static void *take_zeroed(size_t count, size_t size, void *user_data)
{
    /* What is large comes from the kernel as zeroes: nobody touches it here. */
    if (size > 0 && count > RECYCLER_MAX_BLOCK_BYTES / size)
        return calloc(count, size);
    void *bytes = recycler_try_take(user_data, count * size);
    return bytes != NULL ? memset(bytes, 0, count * size) : NULL;
}

static void give(void *bytes, void *user_data)
{
    recycler_give_wiped(user_data, bytes);
}

/* realloc() would leave the old bytes where they were. */
static void *resize(void *bytes, size_t size, void *user_data)
{
    size_t old_size = malloc_usable_size(bytes);
    void *moved = recycler_try_take(user_data, size);
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
