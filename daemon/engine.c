/* The event loop's shared state and the one place where sessions are flushed. */
#include "daemon/engine.h"

#include <assert.h>
#include <malloc.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/secret.h"

static void on_idle(uv_idle_t *idle)
{
    /* Its being active is what counts: the loop then polls without waiting. */
}

/* Flushes those whose turn comes up to `last`. */
static void flush_round(struct engine *engine, enum flush_turn last)
{
    struct list round;
    list_take_all(&round, &engine->dirty);
    struct flushable *flushable;
    while ((flushable = list_first(&round, struct flushable, link)) != NULL) {
        list_remove(&flushable->link);
        if (flushable->turn <= last)
            flushable->flush(flushable); /* may end it, and mark others dirty */
        else
            engine_mark_dirty(engine, flushable);
    }
}

static void wipe(struct engine *engine)
{
    if (!engine->to_wipe)
        return;
    secret_wipe(engine->read_buffer, ENGINE_READ_BYTES);
    secret_wipe(engine->plain_buffer, ENGINE_PLAIN_BYTES);
    stage_wipe(&engine->stage);
    engine->to_wipe = false;
}

/* malloc() by itself gives back only what is free at the end of its heap. */
static void trim(struct engine *engine)
{
    if (engine->to_trim)
        malloc_trim(0);
    engine->to_trim = false;
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct engine *engine = prepare->data;
    for (int i = 0; i < ENGINE_FLUSH_ROUNDS && !list_is_empty(&engine->dirty); i++)
        flush_round(engine, FLUSH_LAST);
    if (list_is_empty(&engine->dirty))
        uv_idle_stop(&engine->idle);
    else
        uv_idle_start(&engine->idle, on_idle);
    byte_pool_sweep(&engine->byte_pool);
    wipe(engine);
    trim(engine);
}

void engine_init(struct engine *engine, uv_loop_t *loop)
{
    *engine = (struct engine){.loop = loop};
    list_init(&engine->dirty);
    list_init(&engine->borrowers);
    stage_init(&engine->stage);
    engine->byte_pool.recycler = &engine->recycler;
    engine->read_buffer = xrealloc(NULL, ENGINE_READ_BYTES);
    engine->plain_buffer = xrealloc(NULL, ENGINE_PLAIN_BYTES);
    uv_prepare_init(loop, &engine->prepare);
    engine->prepare.data = engine;
    uv_prepare_start(&engine->prepare, on_prepare);
    uv_idle_init(loop, &engine->idle);
}

void engine_stop(struct engine *engine)
{
    uv_close((uv_handle_t *)&engine->prepare, NULL);
    uv_close((uv_handle_t *)&engine->idle, NULL);
}

void engine_finish(struct engine *engine)
{
    assert(list_is_empty(&engine->dirty));
    assert(list_is_empty(&engine->borrowers));
    assert(engine->open_transports == 0);
    assert(engine->live_calls == 0);
    assert(engine->byte_pool.used_count == 0);
    wipe(engine);
    byte_pool_finish(&engine->byte_pool);
    recycler_finish(&engine->recycler);
    free(engine->read_buffer);
    free(engine->plain_buffer);
    stage_finish(&engine->stage);
}

void engine_transport_opened(struct engine *engine)
{
    engine->open_transports++;
    if (engine->open_transports > engine->most_transports)
        engine->most_transports = engine->open_transports;
}

void engine_transport_closed(struct engine *engine)
{
    engine->open_transports--;
    if (engine->most_transports < ENGINE_TRIM_FROM ||
        engine->open_transports > engine->most_transports / 2)
        return;
    engine->most_transports = engine->open_transports;
    engine->to_trim = true;
}

void engine_wipe_later(struct engine *engine)
{
    engine->to_wipe = true;
}

void flushable_init(struct flushable *flushable, enum flush_turn turn,
                    void (*flush)(struct flushable *))
{
    list_init(&flushable->link);
    flushable->turn = turn;
    flushable->flush = flush;
}

void engine_mark_dirty(struct engine *engine, struct flushable *flushable)
{
    struct list *all = &engine->dirty;
    if (!list_is_linked(&flushable->link)) /* at the front or at the end */
        list_append(flushable->turn == FLUSH_FIRST ? all->next : all, &flushable->link);
}

void engine_forget(struct flushable *flushable)
{
    list_remove(&flushable->link);
}

void engine_borrow(struct engine *engine, struct borrower *borrower, enum flush_turn way)
{
    borrower->way = way;
    if (!list_is_linked(&borrower->link))
        list_append(&engine->borrowers, &borrower->link);
}

void engine_end_read(struct engine *engine)
{
    if (list_is_empty(&engine->borrowers) && !engine->to_flush)
        return;
    enum flush_turn last = engine->to_flush ? FLUSH_LAST : FLUSH_FIRST;
    engine->to_flush = false;
    list_for_each(node, &engine->borrowers)
    {
        if (container_of(node, struct borrower, link)->way > last)
            last = container_of(node, struct borrower, link)->way;
    }
    flush_round(engine, last);
    struct borrower *borrower; /* of those that the flush has not ended */
    while ((borrower = list_first(&engine->borrowers, struct borrower, link)) != NULL) {
        list_remove(&borrower->link);
        borrower->keep(borrower);
    }
}

void engine_flush_after_read(struct engine *engine)
{
    engine->to_flush = true;
}
