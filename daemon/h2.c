/* An HTTP/2 session on a transport. */
#include "daemon/h2.h"

#include <assert.h>
#include <string.h>

static void end_with(struct h2 *h2, const char *text)
{
    struct transport_end end = {.text = text};
    h2->events->on_end(h2->owner, &end);
}

static void write_stage(struct h2 *h2)
{
    unsigned count;
    const uv_buf_t *pieces = stage_pieces(&h2->engine->stage, &count);
    if (count > 0)
        transport_write(h2->transport, pieces, count);
    stage_empty(&h2->engine->stage);
    byte_pool_sweep(&h2->engine->byte_pool);
}

/* Sends what nghttp2 has to send until that is all, or the transport is full. */
static void on_flush(struct flushable *flushable)
{
    struct h2 *h2 = container_of(flushable, struct h2, flushable);
    if (!transport_is_writable(h2->transport) || (!h2->fed && h2->events->on_bad_preface != NULL))
        return; /* on_writable, or the peer's first bytes, come back here */
    for (;;) {
        const uint8_t *bytes;
        h2->stage_full = false;
        ssize_t n = nghttp2_session_mem_send(h2->session, &bytes);
        if (n < 0) {
            stage_empty(&h2->engine->stage);
            end_with(h2, nghttp2_strerror((int)n));
            return;
        }
        if (n == 0 && !h2->stage_full)
            break;
        assert(n <= STAGE_FRAME_BYTES);
        if (n > 0)
            stage_copy(&h2->engine->stage, bytes, (size_t)n);
        if (!stage_has_room(&h2->engine->stage)) {
            write_stage(h2);
            if (!transport_is_writable(h2->transport))
                return;
        }
    }
    write_stage(h2);
    if (transport_is_writable(h2->transport) && !nghttp2_session_want_read(h2->session) &&
        !nghttp2_session_want_write(h2->session))
        end_with(h2, "the session is complete");
}

void h2_stage_header(struct h2 *h2, const uint8_t *frame_header)
{
    stage_copy(&h2->engine->stage, frame_header, H2_FRAME_HEADER_BYTES);
}

void h2_stage_payload(struct h2 *h2, const uint8_t *bytes, size_t len, bool stays)
{
    if (stays && transport_takes_pieces(h2->transport))
        stage_refer(&h2->engine->stage, bytes, len);
    else
        stage_copy(&h2->engine->stage, bytes, len);
}

int h2_staged(struct h2 *h2)
{
    if (stage_has_room(&h2->engine->stage))
        return 0;
    h2->stage_full = true;
    return NGHTTP2_ERR_PAUSE;
}

void h2_mark_dirty(struct h2 *h2)
{
    engine_mark_dirty(h2->engine, &h2->flushable);
}

void h2_received(struct h2 *h2, size_t len)
{
    h2->unconsumed += len;
}

void h2_consume(struct h2 *h2, size_t len)
{
    if (len == 0)
        return;
    assert(len <= h2->unconsumed);
    h2->unconsumed -= len;
    nghttp2_session_consume_connection(h2->session, len);
    h2_mark_dirty(h2);
}

void h2_credit_stream(struct h2 *h2, int32_t stream_id, size_t len)
{
    nghttp2_submit_window_update(h2->session, NGHTTP2_FLAG_NONE, stream_id, (int32_t)len);
    h2_mark_dirty(h2);
}

void *h2_stream_data(struct h2 *h2, int32_t stream_id)
{
    if (stream_id == h2->found_id)
        return h2->found_data;
    void *data = nghttp2_session_get_stream_user_data(h2->session, stream_id);
    if (data != NULL) {
        h2->found_id = stream_id;
        h2->found_data = data;
    }
    return data;
}

void h2_set_stream_data(struct h2 *h2, int32_t stream_id, void *data)
{
    h2_forget_stream(h2, stream_id);
    nghttp2_session_set_stream_user_data(h2->session, stream_id, data);
}

void h2_forget_stream(struct h2 *h2, int32_t stream_id)
{
    if (stream_id == h2->found_id) {
        h2->found_id = 0;
        h2->found_data = NULL;
    }
}

static void on_transport_open(void *owner)
{
    struct h2 *h2 = owner;
    h2_mark_dirty(h2);
    if (h2->events->on_open != NULL)
        h2->events->on_open(h2->owner);
}

static void on_transport_bytes(void *owner, const uint8_t *bytes, size_t len)
{
    struct h2 *h2 = owner;
    ssize_t n = nghttp2_session_mem_recv(h2->session, bytes, len);
    if (n == NGHTTP2_ERR_BAD_CLIENT_MAGIC && !h2->fed && h2->events->on_bad_preface != NULL)
        h2->events->on_bad_preface(h2->owner, bytes, len);
    h2->fed = true;
    if (n < 0) {
        end_with(h2, nghttp2_strerror((int)n));
        return;
    }
    if (h2->events->on_fed != NULL)
        h2->events->on_fed(h2->owner, bytes, len);
    h2_mark_dirty(h2);
}

static void on_transport_writable(void *owner)
{
    h2_mark_dirty(owner);
}

static void on_transport_end(void *owner, const struct transport_end *end)
{
    struct h2 *h2 = owner;
    h2->events->on_end(h2->owner, end);
}

int h2_start(struct h2 *h2, struct engine *engine, nghttp2_session *session,
             struct transport *transport, struct tls *tls, const struct h2_events *events,
             void *owner)
{
    static const struct transport_events transport_events = {
        .on_open = on_transport_open,
        .on_bytes = on_transport_bytes,
        .on_writable = on_transport_writable,
        .on_end = on_transport_end,
    };
    *h2 = (struct h2){
        .engine = engine,
        .session = session,
        .transport = transport,
        .events = events,
        .owner = owner,
    };
    flushable_init(&h2->flushable, events->turn, on_flush);
    h2_mark_dirty(h2);
    return transport_start(transport, &transport_events, h2, tls);
}

void h2_finish(struct h2 *h2)
{
    if (h2->session == NULL)
        return;
    assert(h2->unconsumed == 0);
    engine_forget(&h2->flushable);
    nghttp2_session_del(h2->session);
    h2->session = NULL;
    transport_close(h2->transport);
    h2->transport = NULL;
}
