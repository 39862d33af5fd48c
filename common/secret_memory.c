/* Memory for secrets: mappings of their own, cut into blocks of 2^n bytes. */
#include "common/secret_memory.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/alloc.h"

#if __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h> /* its macros do nothing in a build without sanitizers */
#else
#define ASAN_POISON_MEMORY_REGION(address, size)   ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

enum {
    BLOCK_MIN_SHIFT = 6,   /* with its header: 64 bytes */
    BLOCK_MAX_SHIFT = 14,  /* larger ones have a mapping of their own */
    MAPPING_BYTES = 65536, /* is cut into blocks and stays */
};

/* In front of a block's bytes. */
struct block {
    alignas(16) struct block *next; /* of the same size, while it is free */
    uint32_t size;                  /* with this header; of the mapping where it has its own */
    bool locked;                    /* the mapping of its own */
};

static struct {
    struct block *free_blocks[BLOCK_MAX_SHIFT + 1]; /* by shift */
    char *rest;                                     /* of the last mapping, not cut yet */
    size_t rest_bytes;
    struct secret_memory_usage usage;
} memory;

/* Pages between two that nobody may touch. */
static char *map(size_t size, bool *ret_locked)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (size > SECRET_MEMORY_MAX_BYTES - memory.usage.mapped_bytes)
        alloc_failed();
    char *guarded =
        mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (guarded == MAP_FAILED || mprotect(guarded + page, size, PROT_READ | PROT_WRITE) < 0)
        alloc_failed();
    char *bytes = guarded + page;
    /* Where one of these is not to be had the others still help. */
    madvise(bytes, size, MADV_DONTDUMP);
    madvise(bytes, size, MADV_WIPEONFORK);
    *ret_locked = mlock(bytes, size) == 0;
    if (*ret_locked)
        memory.usage.locked_bytes += size;
    else
        memory.usage.lock_error = errno;
    memory.usage.mapped_bytes += size;
    return bytes;
}

static void unmap(char *bytes, size_t size, bool locked)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    munmap(bytes - page, size + 2 * page);
    memory.usage.mapped_bytes -= size;
    if (locked)
        memory.usage.locked_bytes -= size;
}

static unsigned shift_for(size_t size)
{
    unsigned shift = BLOCK_MIN_SHIFT;
    while (((size_t)1 << shift) < size)
        shift++;
    return shift;
}

static struct block *take_own_mapping(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    bool locked;
    size = (size + page - 1) / page * page;
    struct block *block = (struct block *)map(size, &locked);
    block->size = (uint32_t)size;
    block->locked = locked;
    return block;
}

static struct block *take_small(unsigned shift)
{
    size_t size = (size_t)1 << shift;
    struct block *block = memory.free_blocks[shift];
    if (block != NULL) {
        memory.free_blocks[shift] = block->next;
        return block;
    }
    if (memory.rest_bytes < size) {
        bool locked; /* it stays, so nobody asks later */
        memory.rest = map(MAPPING_BYTES, &locked);
        memory.rest_bytes = MAPPING_BYTES;
    }
    block = (struct block *)memory.rest;
    block->size = (uint32_t)size;
    memory.rest += size;
    memory.rest_bytes -= size;
    return block;
}

char *secret_memory_take(size_t size)
{
    if (size > SECRET_MEMORY_MAX_BYTES)
        alloc_failed();
    size_t whole = sizeof(struct block) + size;
    unsigned shift = shift_for(whole);
    struct block *block = shift > BLOCK_MAX_SHIFT ? take_own_mapping(whole) : take_small(shift);
    char *bytes = (char *)(block + 1);
    ASAN_UNPOISON_MEMORY_REGION(bytes, size);
    ASAN_POISON_MEMORY_REGION(bytes + size, block->size - sizeof *block - size);
    memory.usage.blocks++;
    return bytes;
}

void secret_memory_give(char *bytes)
{
    struct block *block = (struct block *)bytes - 1;
    size_t size = block->size - sizeof *block;
    ASAN_UNPOISON_MEMORY_REGION(bytes, size);
    OPENSSL_cleanse(bytes, size);
    memory.usage.blocks--;
    unsigned shift = shift_for(block->size);
    if (shift > BLOCK_MAX_SHIFT) {
        unmap((char *)block, block->size, block->locked);
        return;
    }
    ASAN_POISON_MEMORY_REGION(bytes, size);
    block->next = memory.free_blocks[shift];
    memory.free_blocks[shift] = block;
}

void secret_memory_usage(struct secret_memory_usage *ret_usage)
{
    *ret_usage = memory.usage;
}
