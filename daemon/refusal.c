/* Refused connections. */
#include "daemon/refusal.h"

#include <stdlib.h>
#include <uv.h>

#include "common/alloc.h"
#include "common/log.h"
#include "daemon/h2.h"
#include "daemon/header_list.h"
#include "daemon/status_fields.h"

enum {
    MAX_STREAMS = 8, /* whoever waits for SETTINGS opens no more than that */
    MAX_HEADER_BYTES = 16 * 1024,
    MAX_FIELDS = 8, /* of an answer */
};

struct refusal {
    struct list link; /* the set's */
    struct refusal_set *set;
    struct h2 h2;
    uv_timer_t timer;
    struct rpc_status status;
};

static void on_timer_closed(uv_handle_t *timer)
{
    free(timer->data);
}

static void destroy(struct refusal *refusal)
{
    h2_finish(&refusal->h2);
    list_remove(&refusal->link);
    refusal->set->count--;
    uv_close((uv_handle_t *)&refusal->timer, on_timer_closed);
}

static void on_timeout(uv_timer_t *timer)
{
    destroy(timer->data);
}

static void answer(struct refusal *refusal, int32_t stream_id)
{
    struct header_list headers = {0};
    nghttp2_nv fields[MAX_FIELDS];
    status_fields_add_answer(&headers, &refusal->status);
    for (size_t i = 0; i < headers.count; i++)
        fields[i] = header_field_nv(&headers, &headers.fields[i]);
    nghttp2_submit_response(refusal->h2.session, stream_id, fields, headers.count, NULL);
    header_list_finish(&headers);
}

/* The GOAWAY names this call as the last that was looked at. */
static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct refusal *refusal = user_data;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    answer(refusal, frame->hd.stream_id);
    nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR, NULL,
                          0);
    h2_mark_dirty(&refusal->h2);
    return 0;
}

static nghttp2_session *create_session(struct refusal *refusal)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_session *session;
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        abort(); /* out of memory: nothing else makes this fail */
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    if (nghttp2_session_server_new(&session, callbacks, refusal) != 0)
        abort();
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, MAX_STREAMS},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, MAX_HEADER_BYTES},
    };
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings,
                            sizeof settings / sizeof settings[0]);
    return session;
}

static void on_h2_end(void *owner, const struct transport_end *end)
{
    destroy(owner);
}

void refusal_set_init(struct refusal_set *set, struct engine *engine)
{
    *set = (struct refusal_set){.engine = engine};
    list_init(&set->all);
}

void refusal_create(struct refusal_set *set, struct transport *transport,
                    const struct rpc_status *status)
{
    static const struct h2_events events = {.turn = FLUSH_FIRST, .on_end = on_h2_end};
    if (set->count == REFUSAL_MAX) {
        transport_close(transport);
        return;
    }
    struct refusal *refusal = xcalloc(1, sizeof *refusal);
    refusal->set = set;
    refusal->status = *status;
    list_append(&set->all, &refusal->link);
    set->count++;
    uv_timer_init(set->engine->loop, &refusal->timer);
    refusal->timer.data = refusal;
    uv_timer_start(&refusal->timer, on_timeout, REFUSAL_MAX_MS, 0);
    if (h2_start(&refusal->h2, set->engine, create_session(refusal), transport, NULL, &events,
                 refusal) < 0)
        destroy(refusal);
}

void refusal_set_finish(struct refusal_set *set)
{
    list_for_each(node, &set->all) destroy(container_of(node, struct refusal, link));
}
