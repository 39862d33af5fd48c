/*
 * A queue of bytes in blocks, for what has arrived on one side of a call and has not left on the
 * other.
 *
 * Owner: a queue belongs to the struct that embeds it, its blocks to the pool both were set up
 * with; byte_queue_clear() gives them back. What may be queued is limited by the HTTP/2 window of
 * the side it arrives on, so a push never fails. Loop thread only.
 */
#ifndef SPARKBRIDGE_COMMON_BYTE_QUEUE_H
#define SPARKBRIDGE_COMMON_BYTE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BYTE_BLOCK_BYTES = 16384,     /* of a block that is kept for reuse */
    BYTE_SMALL_BLOCK_BYTES = 512, /* a queue that holds no more has smaller blocks ... */
    BYTE_SMALL_STEP_BYTES = 16,   /* ... of a multiple of this */
    BYTE_POOL_MAX_FREE = 128,     /* blocks kept for reuse, 2 MiB; none in sanitized builds */
};

struct byte_block;
struct recycler;

/* Blocks for reuse, and how many are in use: at rest none. */
struct byte_pool {
    struct byte_block *free;   /* owned */
    struct byte_block *spent;  /* owned: not used any more, but by who still writes their bytes */
    struct recycler *recycler; /* borrowed, or NULL; small blocks are its */
    size_t free_count;
    size_t used_count;
    size_t used_bytes; /* room in those in use, filled or not */
};

struct byte_queue {
    struct byte_pool *pool; /* borrowed: outlives the queue */
    struct byte_block *head, *tail;
    size_t bytes;
};

struct byte_piece {
    const uint8_t *bytes;
    size_t len;
    bool stays; /* once dropped, too, until the end of the read, or byte_pool_sweep() */
};

/* What has been dropped may be used again: nobody refers to it any more. */
void byte_pool_sweep(struct byte_pool *pool);

/* Frees the blocks kept for reuse; there must be none in use. */
void byte_pool_finish(struct byte_pool *pool);

void byte_queue_init(struct byte_queue *queue, struct byte_pool *pool);

/* Appends a copy. */
void byte_queue_push(struct byte_queue *queue, const uint8_t *bytes, size_t len);

/* Appends bytes without a copy; they must stay as they are until they have left the queue or
 * byte_queue_keep() has copied those that have not. */
void byte_queue_lend(struct byte_queue *queue, const uint8_t *bytes, size_t len);
void byte_queue_keep(struct byte_queue *queue);

/* Are the last bytes lent ones? */
bool byte_queue_ends_lent(const struct byte_queue *queue);

/* Bytes of the queue that lie in a row: from `offset`, which is less than queue->bytes. */
struct byte_piece byte_queue_piece(const struct byte_queue *queue, size_t offset);

/* Copies `len` bytes out that begin at `offset`; both together are at most queue->bytes. */
void byte_queue_copy(const struct byte_queue *queue, size_t offset, uint8_t *to, size_t len);

/* Removes `len` bytes, at most queue->bytes, from the front. */
void byte_queue_drop(struct byte_queue *queue, size_t len);

/* Removes bytes from the end until `len` are left. */
void byte_queue_truncate(struct byte_queue *queue, size_t len);

/* Empties the queue. */
void byte_queue_clear(struct byte_queue *queue);

#endif
