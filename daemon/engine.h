/*
 * The event loop with what all its sessions share: the list of those that have something to send,
 * the one place where they send it, and the scratch buffers that a turn of the loop needs.
 *
 * nghttp2 must not be entered from its own callbacks. So nothing sends at once: callbacks change
 * state and mark a flushable dirty, and before the loop polls it flushes the dirty ones. Whatever
 * is still dirty after a few rounds keeps the loop from sleeping.
 *
 * Owner: the bridge; one for the life of the process. Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_ENGINE_H
#define SPARKBRIDGE_DAEMON_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "common/byte_queue.h"
#include "common/list.h"
#include "common/recycler.h"
#include "daemon/stage.h"

enum {
    ENGINE_READ_BYTES = 128 * 1024,  /* one read of a socket */
    ENGINE_PLAIN_BYTES = 128 * 1024, /* decrypted bytes handed on at once */
    ENGINE_FLUSH_ROUNDS = 3,
    ENGINE_TRIM_FROM = 64, /* connections; what fewer leave behind is not worth the search */
};

/* Clients' sessions are flushed before the workspace's: a call that ends there at once, as in a
 * flood of requests that break HTTP/2, is then taken back before the workspace has heard of it. */
enum flush_turn { FLUSH_FIRST, FLUSH_LAST };

/* Something that can be dirty. Embedded in its owner, which calls engine_forget() before it ends.
 */
struct flushable {
    struct list link; /* on the engine's dirty list, or alone */
    enum flush_turn turn;
    void (*flush)(struct flushable *flushable);
};

/* Something that holds bytes of a read buffer without a copy. Embedded in its owner, which unlinks
 * it before it ends. */
struct borrower {
    struct list link;                        /* on the engine's list while it holds any */
    enum flush_turn way;                     /* which sessions are to take them */
    void (*keep)(struct borrower *borrower); /* copies what it still holds */
};

struct engine {
    uv_loop_t *loop; /* borrowed */
    uv_prepare_t prepare;
    uv_idle_t idle; /* active while something is dirty that the rounds did not finish */
    struct list dirty;
    struct list borrowers;
    bool to_flush; /* at the end of the read, all that are dirty */
    struct stage stage;
    struct byte_pool byte_pool;
    struct recycler recycler;

    /* Scratch, valid within one callback of the loop. */
    uint8_t *read_buffer;  /* ENGINE_READ_BYTES */
    uint8_t *plain_buffer; /* ENGINE_PLAIN_BYTES */
    bool to_wipe;

    /* For the check at the end: both must be zero then. */
    size_t open_transports;
    size_t live_calls;

    size_t most_transports; /* that were open since memory was last given back to the system */
    bool to_trim;
};

void engine_init(struct engine *engine, uv_loop_t *loop);

/* Closes the handles; the loop must be run until they are closed, then engine_finish(). */
void engine_stop(struct engine *engine);
void engine_finish(struct engine *engine);

/* Counts a connection that begins, or is gone with all its memory. When half of many are gone, what
 * they had is given back to the system before the loop polls next. */
void engine_transport_opened(struct engine *engine);
void engine_transport_closed(struct engine *engine);

/* Wipes the scratch buffers before the loop polls next: secrets went through them that are not
 * needed any more. Not at once, for somebody may be using them. */
void engine_wipe_later(struct engine *engine);

void flushable_init(struct flushable *flushable, enum flush_turn turn,
                    void (*flush)(struct flushable *));
void engine_mark_dirty(struct engine *engine, struct flushable *flushable);
void engine_forget(struct flushable *flushable);

/* Bytes that have just been read are lent, not copied, for as long as the read lasts: who has them
 * says so by engine_borrow(), and before the buffer is used again engine_end_read() flushes the
 * sessions that are to take them, and has the rest copied. So what passes without a stop is never
 * copied, and nothing that waits holds a buffer. */
void engine_borrow(struct engine *engine, struct borrower *borrower, enum flush_turn way);
void engine_end_read(struct engine *engine);

/* So much waits to be sent that it shall not wait for the end of the loop's turn, in which other
 * connections add to it: memory for hundreds of requests would stay in use by nobody. */
void engine_flush_after_read(struct engine *engine);

#endif
