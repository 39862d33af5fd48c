/*
 * Memory for secrets, apart from the heap: kept out of core dumps, out of swap where the system
 * allows it, and wiped when it is given back.
 *
 * Blocks come from mappings of their own, between two pages that nobody may touch, so that bytes
 * read beyond the end of another buffer are never a secret. They are locked (mlock(2)) as far as
 * RLIMIT_MEMLOCK goes, left out of dumps (MADV_DONTDUMP) and empty in a child (MADV_WIPEONFORK).
 * Only struct secret uses this. It is one for the process, a global like malloc(3)'s own: a secret
 * has no owner to ask for it. Loop thread only.
 */
#ifndef SPARKBRIDGE_COMMON_SECRET_MEMORY_H
#define SPARKBRIDGE_COMMON_SECRET_MEMORY_H

#include <stddef.h>

enum {
    /* Of all mappings. The limits of the files that are read stay far below it; beyond it the
     * process ends, as where memory runs out. */
    SECRET_MEMORY_MAX_BYTES = 64 * 1024 * 1024,
};

/* A zeroed block of `size` bytes, not 0; never NULL. */
char *secret_memory_take(size_t size) __attribute__((returns_nonnull));

/* Wipes all of the block and takes it back. */
void secret_memory_give(char *bytes);

struct secret_memory_usage {
    size_t blocks;       /* taken and not given back */
    size_t mapped_bytes; /* without the guard pages */
    size_t locked_bytes; /* of those */
    int lock_error;      /* errno of the last mlock() that failed, 0: none did */
};
void secret_memory_usage(struct secret_memory_usage *ret_usage);

#endif
