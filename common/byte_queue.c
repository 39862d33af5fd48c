/* A queue of bytes in blocks. */
#include "common/byte_queue.h"

#include <stdlib.h>
#include <string.h>

#include "common/recycler.h"
#include "common/sanitized.h"

struct byte_block {
    struct byte_block *next;
    const uint8_t *lent; /* NULL: the bytes are in `data` */
    uint32_t start, end, size;
    uint8_t data[];
};

static const uint8_t *bytes_of(const struct byte_block *block)
{
    return block->lent != NULL ? block->lent : block->data;
}

static struct byte_block *block_get(struct byte_pool *pool, uint32_t size)
{
    struct byte_block *block = size == BYTE_BLOCK_BYTES ? pool->free : NULL;
    if (block != NULL) {
        pool->free = block->next;
        pool->free_count--;
    } else {
        block = recycler_take(pool->recycler, offsetof(struct byte_block, data) + size);
        block->size = size;
    }
    pool->used_count++;
    pool->used_bytes += size;
    block->next = NULL;
    block->lent = NULL;
    block->start = block->end = 0;
    return block;
}

static void block_put(struct byte_pool *pool, struct byte_block *block)
{
    pool->used_count--;
    pool->used_bytes -= block->size;
    if (block->size != BYTE_BLOCK_BYTES) {
        recycler_give(pool->recycler, block);
        return;
    }
    block->next = pool->spent;
    pool->spent = block;
}

void byte_pool_sweep(struct byte_pool *pool)
{
    while (pool->spent != NULL) {
        struct byte_block *block = pool->spent;
        pool->spent = block->next;
        if (is_sanitized || pool->free_count >= BYTE_POOL_MAX_FREE) {
            free(block);
            continue;
        }
        block->next = pool->free;
        pool->free = block;
        pool->free_count++;
    }
}

void byte_pool_finish(struct byte_pool *pool)
{
    byte_pool_sweep(pool);
    while (pool->free != NULL) {
        struct byte_block *block = pool->free;
        pool->free = block->next;
        free(block);
    }
    pool->free_count = 0;
}

void byte_queue_init(struct byte_queue *queue, struct byte_pool *pool)
{
    *queue = (struct byte_queue){.pool = pool};
}

/* Most calls send one small message: what that needs, up to BYTE_SMALL_BLOCK_BYTES. */
static uint32_t block_size_for(const struct byte_queue *queue, size_t len)
{
    if (queue->bytes > BYTE_SMALL_BLOCK_BYTES)
        return BYTE_BLOCK_BYTES;
    return (uint32_t)(len + BYTE_SMALL_STEP_BYTES - 1) / BYTE_SMALL_STEP_BYTES *
           BYTE_SMALL_STEP_BYTES;
}

static void append(struct byte_queue *queue, struct byte_block *block)
{
    if (queue->tail == NULL)
        queue->head = block;
    else
        queue->tail->next = block;
    queue->tail = block;
}

void byte_queue_push(struct byte_queue *queue, const uint8_t *bytes, size_t len)
{
    queue->bytes += len;
    while (len > 0) {
        if (queue->tail == NULL || queue->tail->lent != NULL ||
            queue->tail->end == queue->tail->size)
            append(queue, block_get(queue->pool, block_size_for(queue, len)));
        struct byte_block *tail = queue->tail;
        size_t room = tail->size - tail->end;
        size_t n = len < room ? len : room;
        memcpy(tail->data + tail->end, bytes, n);
        tail->end += (uint32_t)n;
        bytes += n;
        len -= n;
    }
}

void byte_queue_lend(struct byte_queue *queue, const uint8_t *bytes, size_t len)
{
    struct byte_block *block = block_get(queue->pool, 0);
    block->lent = bytes;
    block->end = (uint32_t)len;
    append(queue, block);
    queue->bytes += len;
}

bool byte_queue_ends_lent(const struct byte_queue *queue)
{
    return queue->tail != NULL && queue->tail->lent != NULL;
}

void byte_queue_keep(struct byte_queue *queue)
{
    struct byte_block *before = NULL, *block = queue->head;
    for (; block != NULL && block->lent == NULL; block = block->next)
        before = block;
    if (block == NULL)
        return;
    struct byte_queue kept;
    byte_queue_init(&kept, queue->pool);
    while (block != NULL) {
        struct byte_block *next = block->next;
        byte_queue_push(&kept, bytes_of(block) + block->start, block->end - block->start);
        block_put(queue->pool, block);
        block = next;
    }
    if (before == NULL)
        queue->head = kept.head;
    else
        before->next = kept.head;
    queue->tail = kept.tail;
}

struct byte_piece byte_queue_piece(const struct byte_queue *queue, size_t offset)
{
    const struct byte_block *block = queue->head;
    for (; offset >= (size_t)(block->end - block->start); block = block->next)
        offset -= block->end - block->start;
    return (struct byte_piece){
        .bytes = bytes_of(block) + block->start + offset,
        .len = block->end - block->start - offset,
        .stays = block->lent != NULL || block->size == BYTE_BLOCK_BYTES,
    };
}

static void drop_head(struct byte_queue *queue)
{
    struct byte_block *block = queue->head;
    queue->head = block->next;
    if (queue->head == NULL)
        queue->tail = NULL;
    block_put(queue->pool, block);
}

void byte_queue_copy(const struct byte_queue *queue, size_t offset, uint8_t *to, size_t len)
{
    for (const struct byte_block *block = queue->head; len > 0; block = block->next) {
        size_t there = block->end - block->start;
        if (offset >= there) {
            offset -= there;
            continue;
        }
        size_t n = there - offset < len ? there - offset : len;
        memcpy(to, bytes_of(block) + block->start + offset, n);
        offset = 0;
        to += n;
        len -= n;
    }
}

void byte_queue_drop(struct byte_queue *queue, size_t len)
{
    queue->bytes -= len;
    while (len > 0) {
        struct byte_block *block = queue->head;
        size_t there = block->end - block->start;
        size_t n = len < there ? len : there;
        block->start += (uint32_t)n;
        len -= n;
        if (block->start == block->end)
            drop_head(queue);
    }
}

void byte_queue_truncate(struct byte_queue *queue, size_t len)
{
    if (len == 0) {
        byte_queue_clear(queue);
        return;
    }
    queue->bytes = len;
    struct byte_block *block = queue->head;
    while (len > (size_t)(block->end - block->start)) {
        len -= block->end - block->start;
        block = block->next;
    }
    block->end = block->start + (uint32_t)len;
    queue->tail = block;
    struct byte_block *rest = block->next;
    block->next = NULL;
    while (rest != NULL) {
        struct byte_block *next = rest->next;
        block_put(queue->pool, rest);
        rest = next;
    }
}

void byte_queue_clear(struct byte_queue *queue)
{
    while (queue->head != NULL)
        drop_head(queue);
    queue->bytes = 0;
}
