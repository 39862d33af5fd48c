/* Memory for nghttp2's sessions. */
#include "daemon/h2_memory.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/sanitized.h"

enum {
    REGION_BYTES = 28 * 1024,
    LARGE_BYTES = 4096,
    FRAME_BUFFER_BYTES = 16384, /* and more: what is so large is touched from its front on */
    SMALL_BYTES = 256,
    REGION_BLOCKS = 8,
    ALIGNMENT = 16, /* malloc()'s */
    FRONT_BYTES = 96,
};

/* At the front of a session's region. Blocks that are used from the beginning lie behind it, the
 * others at the end. */
struct region {
    struct recycler *recycler; /* borrowed; has all other blocks */
    uint32_t front, back;      /* between these it is free */
    uint32_t size;
    uint32_t blocks; /* in use, also the recycler's: the region goes with the last */
    uint32_t placed; /* in the region, ever */
    bool is_mapped;
    /* What resize() has to know; not beside the blocks, because that would touch their pages. */
    struct {
        uint32_t offset, size;
    } places[REGION_BLOCKS];
};

_Static_assert(sizeof(struct region) <= FRONT_BYTES, "the first block would lie in it");

/* ---- regions ------------------------------------------------------------------------------------
 */

/* Without a mapping, or where a sanitizer wants all blocks to be malloc()'s. */
static struct region *create_empty(struct recycler *recycler)
{
    struct region *region = recycler_take(recycler, FRONT_BYTES);
    *region = (struct region){
        .recycler = recycler, .front = FRONT_BYTES, .back = FRONT_BYTES, .size = FRONT_BYTES};
    return region;
}

static struct region *region_create(struct recycler *recycler)
{
    const size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    const size_t size = (REGION_BYTES + page_bytes - 1) / page_bytes * page_bytes;
    struct region *region = MAP_FAILED;
    if (!is_sanitized)
        region = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (region == MAP_FAILED)
        return create_empty(recycler);
    /* Neighbours become one mapping, of which the kernel could make pages of 2 MiB. */
    madvise(region, size, MADV_NOHUGEPAGE);
    *region = (struct region){.recycler = recycler,
                              .front = FRONT_BYTES,
                              .back = (uint32_t)size,
                              .size = (uint32_t)size,
                              .is_mapped = true};
    return region;
}

static void region_destroy(struct region *region)
{
    if (region->is_mapped)
        munmap(region, region->size);
    else
        recycler_give(region->recycler, region);
}

static bool is_within(const struct region *region, const void *bytes)
{
    uintptr_t offset = (uintptr_t)bytes - (uintptr_t)region;
    return offset < region->size;
}

/* A block of the region; NULL where there is no room. */
static void *place(struct region *region, size_t size, bool is_used_at_once)
{
    if (region->placed == REGION_BLOCKS || size > region->size)
        return NULL;
    uint32_t whole = (uint32_t)(size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (whole > region->back - region->front)
        return NULL;
    uint32_t offset = region->front;
    if (is_used_at_once)
        region->front += whole;
    else
        offset = region->back -= whole;
    region->places[region->placed].offset = offset;
    region->places[region->placed++].size = (uint32_t)size;
    return (char *)region + offset;
}

/* A block from anywhere; NULL where memory runs out. */
static void *region_take(struct region *region, size_t size, bool is_used_at_once)
{
    void *bytes = NULL;
    if (region->front < region->back)
        bytes = place(region, size, is_used_at_once);
    if (bytes == NULL)
        bytes = recycler_try_take(region->recycler, size);
    else if (size >= FRAME_BUFFER_BYTES)
        region->back = region->front; /* the last that a session is made of; the rest come and go */
    region->blocks += bytes != NULL;
    return bytes;
}

static size_t size_of(const struct region *region, void *bytes)
{
    uintptr_t offset = (uintptr_t)bytes - (uintptr_t)region;
    for (uint32_t i = 0; i < region->placed; i++)
        if (region->places[i].offset == offset)
            return region->places[i].size;
    return malloc_usable_size(bytes);
}

static void region_give(struct region *region, void *bytes)
{
    if (!is_within(region, bytes))
        recycler_give_wiped(region->recycler, bytes, malloc_usable_size(bytes));
    if (--region->blocks == 0)
        region_destroy(region);
}

/* ---- nghttp2's functions ------------------------------------------------------------------------
 */

static void *take(size_t size, void *user_data)
{
    return region_take(user_data, size, size <= SMALL_BYTES || size >= FRAME_BUFFER_BYTES);
}

static void *take_zeroed(size_t count, size_t size, void *user_data)
{
    if (size > 0 && count > SIZE_MAX / 2 / size)
        return NULL;
    void *bytes = region_take(user_data, count * size, count * size < LARGE_BYTES);
    if (bytes != NULL && !is_within(user_data, bytes)) /* no part of a region is used twice */
        memset(bytes, 0, count * size);
    return bytes;
}

static void give(void *bytes, void *user_data)
{
    if (bytes != NULL)
        region_give(user_data, bytes);
}

/* realloc() would leave the old bytes where they were. */
static void *resize(void *bytes, size_t size, void *user_data)
{
    void *moved = take(size, user_data);
    if (moved == NULL || bytes == NULL)
        return moved;
    size_t old_size = size_of(user_data, bytes);
    memcpy(moved, bytes, old_size < size ? old_size : size);
    give(bytes, user_data);
    return moved;
}

nghttp2_mem h2_memory(struct recycler *recycler)
{
    return (nghttp2_mem){.mem_user_data = region_create(recycler),
                         .malloc = take,
                         .free = give,
                         .calloc = take_zeroed,
                         .realloc = resize};
}
