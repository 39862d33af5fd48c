/* A body on its way from one HTTP/2 stream to another. */
#include "daemon/body.h"

void body_init(struct body *body, struct byte_pool *pool)
{
    *body = (struct body){0};
    byte_queue_init(&body->queue, pool);
}

static void give_back(struct body *body, size_t len)
{
    if (body->from.h2 != NULL)
        h2_consume(body->from.h2, body->from.stream_id, len);
}

void body_push(struct body *body, const uint8_t *bytes, size_t len)
{
    byte_queue_push(&body->queue, bytes, len);
    body_resume(body);
}

void body_end(struct body *body)
{
    body->ended = true;
    body_resume(body);
}

void body_resume(struct body *body)
{
    if (!body->deferred || body->to.h2 == NULL)
        return;
    body->deferred = false;
    nghttp2_session_resume_data(body->to.h2->session, body->to.stream_id);
    h2_mark_dirty(body->to.h2);
}

ssize_t body_offer(struct body *body, size_t max, uint32_t *data_flags)
{
    size_t n = body->queue.bytes < max ? body->queue.bytes : max;
    if (n == 0 && !body->ended) {
        body->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    *data_flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (body->ended && n == body->queue.bytes)
        *data_flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

int body_send(struct body *body, const uint8_t *frame_header, size_t len)
{
    int rv = h2_stage_data(body->to.h2, frame_header, &body->queue, len);
    body->moved_bytes += len;
    give_back(body, len);
    return rv;
}

void body_forget_destination(struct body *body)
{
    body->to.h2 = NULL;
    body->deferred = false;
}

void body_forget_source(struct body *body)
{
    give_back(body, body->queue.bytes);
    body->from.h2 = NULL;
}

void body_drop(struct body *body, size_t keep)
{
    if (keep >= body->queue.bytes)
        return;
    size_t dropped = body->queue.bytes - keep;
    byte_queue_truncate(&body->queue, keep);
    give_back(body, dropped);
}
