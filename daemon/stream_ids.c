/* The numbers of a client's streams. */
#include "daemon/stream_ids.h"

#include <nghttp2/nghttp2.h>

static bool has_ended(const struct stream_ids *ids, int32_t id)
{
    bool found = false; /* without a way out compilers compare several at once */
    for (unsigned i = 0; i < STREAM_IDS_ENDED; i++)
        found |= ids->ended[i] == id;
    return found;
}

/* Those between the last one and a larger one will never be opened. */
static void on_open(struct stream_ids *ids, int32_t id)
{
    ids->gap_first = ids->last == 0 ? 1 : ids->last + 2;
    ids->gap_last = id - 2;
    ids->last = id;
}

uint32_t stream_ids_on_frame(struct stream_ids *ids, const struct frame_info *frame)
{
    int32_t id = frame->stream_id;
    bool has_content = frame->type == NGHTTP2_HEADERS || frame->type == NGHTTP2_DATA;
    if ((!has_content && frame->type != NGHTTP2_RST_STREAM) || id % 2 == 0)
        return NGHTTP2_NO_ERROR; /* an even number is not a client's: nghttp2 says so */
    if (frame->type == NGHTTP2_HEADERS && id >= ids->gap_first && id <= ids->gap_last)
        return NGHTTP2_PROTOCOL_ERROR;
    if (frame->type == NGHTTP2_HEADERS && id > ids->last)
        on_open(ids, id);
    else if (has_content && has_ended(ids, id))
        return NGHTTP2_STREAM_CLOSED;
    if (!has_content || (frame->flags & NGHTTP2_FLAG_END_STREAM) != 0)
        ids->ended[ids->next++ % STREAM_IDS_ENDED] = id;
    return NGHTTP2_NO_ERROR;
}
