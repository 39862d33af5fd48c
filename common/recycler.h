/*
 * Small blocks of memory that come and go with every call.
 *
 * What is given back is kept for the next that takes as much, without the work that malloc() has
 * with blocks of all sizes; past RECYCLER_MAX_BYTES it is freed. Sanitized builds keep nothing, so
 * that a use after the end shows.
 *
 * Owner: the struct that embeds it; zeroed it is empty. Functions that take a recycler accept NULL,
 * for plain malloc() and free(). Loop thread only.
 */
#ifndef SPARKBRIDGE_COMMON_RECYCLER_H
#define SPARKBRIDGE_COMMON_RECYCLER_H

#include <stddef.h>

enum {
    RECYCLER_MAX_BLOCK_BYTES = 1024, /* larger ones are not kept */
    RECYCLER_MAX_BYTES = 1024 * 1024,
    RECYCLER_STEP_BYTES = 16,
};

struct recycler_block;

struct recycler {
    struct recycler_block *kept[RECYCLER_MAX_BLOCK_BYTES / RECYCLER_STEP_BYTES + 1]; /* owned */
    size_t kept_bytes;
};

/* At least `size` bytes, not set to anything; NULL where memory runs out. */
void *recycler_try_take(struct recycler *recycler, size_t size);

/* The same, ending the process where memory runs out. */
void *recycler_take(struct recycler *recycler, size_t size);

/* Takes back what a recycler, or malloc(), gave. Accepts NULL. */
void recycler_give(struct recycler *recycler, void *bytes);

/* The same for what may hold a secret: it is wiped first, all of it. `usable_bytes` is
 * malloc_usable_size()'s answer, which the caller has asked for already. */
void recycler_give_wiped(struct recycler *recycler, void *bytes, size_t usable_bytes);

/* Frees what is kept. */
void recycler_finish(struct recycler *recycler);

#endif
