/*
 * An HTTP/2 session on a transport: feeds bytes to nghttp2, gathers its frames into full writes,
 * and keeps the account of flow-control credit. It serves both roles and knows no gRPC.
 *
 * Owner: the downstream or upstream that embeds it. h2_finish() ends session and transport at
 * once; it must not be called from an nghttp2 callback of the same session, but any event here may
 * call it. After on_end the owner must call it. Loop thread only.
 *
 * What to know of nghttp2 (1.52) when changing this:
 * - Its callbacks must not enter the same session by mem_send or mem_recv, in whatever way. They
 *   may submit, resume and consume; then h2_mark_dirty().
 * - Back-pressure is flow-control credit and nothing else: whoever takes bytes counts them by
 *   h2_received(), and whoever passes them on or drops them gives them back by h2_consume(), once,
 *   also after the stream has closed. A stream's own credit is apart: h2_credit_stream().
 * - A send_data callback never returns WOULDBLOCK: the stage always has room for one more frame,
 *   and PAUSE after a frame ends the round when it has not for the next.
 * - nghttp2_session_del() does not call on_stream_close: owners keep their own lists.
 */
#ifndef SPARKBRIDGE_DAEMON_H2_H
#define SPARKBRIDGE_DAEMON_H2_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/engine.h"
#include "daemon/transport.h"

enum {
    H2_FRAME_HEADER_BYTES = 9,
    H2_CONNECTION_WINDOW_BYTES = 0x7fffffff, /* so that no stalled stream holds up the others */
};

struct h2_events {
    enum flush_turn turn;
    void (*on_open)(void *owner);                                 /* TLS is up; or NULL */
    void (*on_end)(void *owner, const struct transport_end *end); /* the last event */
    /* For a server, or NULL: the peer's first bytes are not HTTP/2; on_end follows. A server sends
     * nothing before the client has, so that the answer may be in the client's own protocol. */
    void (*on_bad_preface)(void *owner, const uint8_t *bytes, size_t len);
    /* For a server, or NULL: nghttp2 has taken these bytes. */
    void (*on_fed)(void *owner, const uint8_t *bytes, size_t len);
};

struct h2 {
    struct flushable flushable;
    struct engine *engine;       /* borrowed */
    nghttp2_session *session;    /* owned */
    struct transport *transport; /* owned */
    const struct h2_events *events;
    void *owner;       /* weak: it embeds us */
    size_t unconsumed; /* bytes received and not yet given back */
    int32_t found_id;  /* the stream that was asked for last, or 0, ... */
    void *found_data;  /* ... and its data */
    bool fed;          /* bytes have come */
    bool stage_full;   /* the flush must write the stage before it goes on */
};

/* Takes over `session` and the connected `transport`, with
 * `tls` inside unless that is NULL. Returns 0 or a negative errno; after an error only h2_finish()
 * may follow. */
int h2_start(struct h2 *h2, struct engine *engine, nghttp2_session *session,
             struct transport *transport, struct tls *tls, const struct h2_events *events,
             void *owner);

void h2_finish(struct h2 *h2);

/* Something was submitted: frames may be waiting. */
void h2_mark_dirty(struct h2 *h2);

/* DATA of `len` bytes arrived and will be given back by h2_consume(). */
void h2_received(struct h2 *h2, size_t len);

/* Gives the connection's credit for received bytes back. */
void h2_consume(struct h2 *h2, size_t len);

/* Gives a stream credit for `len` bytes more; nothing happens where it is closed. nghttp2 by itself
 * would wait until half the window is consumed, which costs half the throughput over a distance. */
void h2_credit_stream(struct h2 *h2, int32_t stream_id, size_t len);

/* The owner's data of a stream, or NULL. nghttp2 keeps it, and looks streams up in a hash table; a
 * call's events come in a row, so that the last one found is mostly the next one wanted. */
void *h2_stream_data(struct h2 *h2, int32_t stream_id);
void h2_set_stream_data(struct h2 *h2, int32_t stream_id, void *data);

/* From on_stream_close. */
void h2_forget_stream(struct h2 *h2, int32_t stream_id);

/* From a send_data callback: stages the frame's header, then its payload piece by piece; what
 * `stays` does so until it is written. The callback returns h2_staged(). */
void h2_stage_header(struct h2 *h2, const uint8_t *frame_header);
void h2_stage_payload(struct h2 *h2, const uint8_t *bytes, size_t len, bool stays);
int h2_staged(struct h2 *h2);

#endif
