/* A body on its way from one HTTP/2 stream to another. */
#include "daemon/body.h"

#include "common/sanitized.h"

void body_init(struct body *body, struct byte_pool *pool)
{
    *body = (struct body){0};
    byte_queue_init(&body->queue, pool);
}

enum { COUNTED_BYTES = 1024 }; /* what leaves in smaller pieces fills no window */

/* Does a larger window pay? Returns by how much it grew. */
static uint32_t grow_window(struct body_source *from, size_t len)
{
    if (len < COUNTED_BYTES || from->rtt_ns == NULL || *from->rtt_ns == 0 ||
        from->window_bytes >= from->max_window_bytes)
        return 0;
    uint64_t now = uv_hrtime();
    if (now - from->epoch_ns > *from->rtt_ns) {
        from->epoch_ns = now;
        from->epoch_bytes = 0;
    }
    from->epoch_bytes += len;
    if (from->epoch_bytes < from->window_bytes / 2)
        return 0;
    from->epoch_bytes = 0;
    uint32_t room = from->max_window_bytes - from->window_bytes;
    uint32_t more = from->window_bytes < room ? from->window_bytes : room;
    from->window_bytes += more;
    return more;
}

/* `len` bytes that came from there have left, or are dropped. */
static void give_back(struct body *body, size_t len)
{
    struct body_source *from = &body->from;
    if (from->h2 == NULL || len == 0)
        return;
    h2_consume(from->h2, len);
    from->owed_bytes += (uint32_t)len + grow_window(from, len);
    if (from->owed_bytes < from->window_bytes / BODY_CREDIT_PARTS || body->ended)
        return; /* after its end a stream needs none */
    h2_credit_stream(from->h2, from->stream_id, from->owed_bytes);
    from->owed_bytes = 0;
}

/* Gives credit back for the queue's first `len` bytes, as far as that has not been done. */
static void credit_up_to(struct body *body, size_t len)
{
    if (len <= body->credited)
        return;
    give_back(body, len - body->credited);
    body->credited = len;
}

void body_push(struct body *body, const uint8_t *bytes, size_t len)
{
    byte_queue_push(&body->queue, bytes, len);
    body_resume(body);
}

/* Fewer bytes are copied: they are not worth a write of their own. Sanitized builds lend more,
 * so that more tests come here. */
static const size_t lent_from_bytes = is_sanitized ? 512 : 4096;

bool body_lend(struct body *body, const uint8_t *bytes, size_t len)
{
    bool may_leave = body->queue.bytes < lent_from_bytes || byte_queue_ends_lent(&body->queue);
    if (len < lent_from_bytes || !may_leave || body->keeps || body->to.h2 == NULL ||
        !transport_is_writable(body->to.h2->transport))
        return false;
    byte_queue_lend(&body->queue, bytes, len);
    body_resume(body);
    return true;
}

void body_keep(struct body *body)
{
    byte_queue_keep(&body->queue);
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
    size_t unsent = body->queue.bytes - body->sent;
    size_t n = unsent < max ? unsent : max;
    if (n == 0 && !body->ended) {
        body->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    *data_flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (body->ended && n == unsent)
        *data_flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static void drop_sent(struct body *body)
{
    byte_queue_drop(&body->queue, body->sent);
    body->credited -= body->sent;
    body->sent = 0;
}

int body_send(struct body *body, const uint8_t *frame_header, size_t len)
{
    h2_stage_header(body->to.h2, frame_header);
    for (size_t left = len; left > 0;) {
        struct byte_piece piece = byte_queue_piece(&body->queue, body->sent);
        size_t n = piece.len < left ? piece.len : left;
        h2_stage_payload(body->to.h2, piece.bytes, n, piece.stays);
        body->sent += n;
        left -= n;
    }
    body->moved_bytes += len;
    credit_up_to(body, body->sent);
    if (body->sent > BODY_KEEP_BYTES)
        body->keeps = false;
    if (!body->keeps)
        drop_sent(body);
    return h2_staged(body->to.h2);
}

void body_settle(struct body *body)
{
    body->keeps = false;
    drop_sent(body);
}

void body_rewind(struct body *body)
{
    body->moved_bytes -= body->sent;
    body->sent = 0;
}

void body_forget_destination(struct body *body)
{
    body->to.h2 = NULL;
    body->deferred = false;
}

void body_forget_source(struct body *body)
{
    credit_up_to(body, body->queue.bytes);
    body->from.h2 = NULL;
}

void body_drop(struct body *body, size_t keep)
{
    if (keep >= body->queue.bytes)
        return;
    size_t held = body->credited > keep ? body->credited : keep;
    give_back(body, body->queue.bytes - held);
    byte_queue_truncate(&body->queue, keep);
    body->credited = body->credited < keep ? body->credited : keep;
    body->sent = body->sent < keep ? body->sent : keep;
}
