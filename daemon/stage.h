/*
 * What a flush gathers for one write: frames that are copied, and pieces of DATA that are only
 * referred to, because they lie in a read buffer that stays as it is until they are written.
 *
 * Owner: the engine, one for all sessions; it is empty between flushes. Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_STAGE_H
#define SPARKBRIDGE_DAEMON_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum {
    STAGE_FRAME_BYTES = 16384 + 9, /* with its header: we never send larger ones */
    STAGE_BYTES = 5 * STAGE_FRAME_BYTES,
    STAGE_PIECES = 64,
    STAGE_LEAST_PIECE_BYTES = 1024, /* to refer to a smaller one costs more than to copy it */
    /* Pieces of one frame at most: those that are referred to, and what is copied between them. */
    STAGE_FRAME_PIECES = 2 * (STAGE_FRAME_BYTES / STAGE_LEAST_PIECE_BYTES + 1),
};

struct stage {
    uint8_t *bytes; /* owned; what is copied */
    size_t len;     /* of them */
    size_t open;    /* where those begin that are in no piece yet */
    uv_buf_t pieces[STAGE_PIECES];
    unsigned count;
};

void stage_init(struct stage *stage);
void stage_finish(struct stage *stage);

/* Is there room for one more frame? */
bool stage_has_room(const struct stage *stage);

/* Adds bytes by copying them. */
void stage_copy(struct stage *stage, const uint8_t *bytes, size_t len);

/* Adds bytes that stay as they are until the stage is emptied. */
void stage_refer(struct stage *stage, const uint8_t *bytes, size_t len);

/* What has been gathered, in order, valid until the stage is changed. */
const uv_buf_t *stage_pieces(struct stage *stage, unsigned *ret_count);

void stage_empty(struct stage *stage);

/* Overwrites what has been copied. */
void stage_wipe(struct stage *stage);

#endif
