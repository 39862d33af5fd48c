/* What a flush gathers for one write. */
#include "daemon/stage.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/secret.h"

void stage_init(struct stage *stage)
{
    *stage = (struct stage){.bytes = xrealloc(NULL, STAGE_BYTES)};
}

void stage_finish(struct stage *stage)
{
    stage_wipe(stage);
    free(stage->bytes);
}

bool stage_has_room(const struct stage *stage)
{
    return STAGE_BYTES - stage->len >= STAGE_FRAME_BYTES &&
           STAGE_PIECES - stage->count >= STAGE_FRAME_PIECES + 1;
}

void stage_copy(struct stage *stage, const uint8_t *bytes, size_t len)
{
    assert(len <= STAGE_BYTES - stage->len);
    memcpy(stage->bytes + stage->len, bytes, len);
    stage->len += len;
}

/* What has been copied since the last piece becomes one. */
static void close_piece(struct stage *stage)
{
    if (stage->len == stage->open)
        return;
    assert(stage->count < STAGE_PIECES);
    stage->pieces[stage->count++] =
        uv_buf_init((char *)stage->bytes + stage->open, (unsigned)(stage->len - stage->open));
    stage->open = stage->len;
}

void stage_refer(struct stage *stage, const uint8_t *bytes, size_t len)
{
    if (len < STAGE_LEAST_PIECE_BYTES) {
        stage_copy(stage, bytes, len);
        return;
    }
    close_piece(stage);
    assert(stage->count < STAGE_PIECES);
    stage->pieces[stage->count++] = uv_buf_init((char *)bytes, (unsigned)len);
}

const uv_buf_t *stage_pieces(struct stage *stage, unsigned *ret_count)
{
    close_piece(stage);
    *ret_count = stage->count;
    return stage->pieces;
}

void stage_empty(struct stage *stage)
{
    stage->len = stage->open = 0;
    stage->count = 0;
}

void stage_wipe(struct stage *stage)
{
    secret_wipe(stage->bytes, STAGE_BYTES);
}
