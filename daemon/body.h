/*
 * A body on its way from one HTTP/2 stream to another: the bytes that have arrived and not left,
 * and who has to be told when they leave. A call has two, one each way.
 *
 * A request's body keeps what it has sent until it is settled, so that a call which provably did
 * not run can be sent again. Owner: the call. The sessions at both ends are weak and are set to
 * NULL when they end. What is queued is bounded by the window of the stream it came from, because
 * credit is given back only when bytes leave, plus what is kept. Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_BODY_H
#define SPARKBRIDGE_DAEMON_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/byte_queue.h"
#include "daemon/h2.h"

enum {
    BODY_KEEP_BYTES = 64 * 1024, /* a longer body is settled once so much has been sent */
    BODY_CREDIT_PARTS = 16,      /* credit goes back in sixteenths of the window */
};

/* The end of a body that it leaves by: a stream of a session. */
struct body_destination {
    struct h2 *h2; /* weak, NULL when the session is gone or not there yet */
    int32_t stream_id;
};

/* The end of a body that it comes in by, with the state of that stream's window. */
struct body_source {
    struct h2 *h2; /* weak, as above */
    int32_t stream_id;
    uint32_t window_bytes, max_window_bytes;
    uint32_t owed_bytes; /* have left, and the stream has no credit for them yet */
    /* To the peer, 0 until it is known; borrowed with h2. NULL where the window never grows. */
    const uint64_t *rtt_ns;
    uint64_t epoch_ns;    /* when the current round trip began ... */
    uint64_t epoch_bytes; /* ... and what has left since */
};

struct body {
    struct byte_queue queue;
    struct body_source from; /* its window holds the queued bytes past `credited` */
    struct body_destination to;
    uint32_t sent;        /* of the queue's front: sent, and kept */
    uint32_t credited;    /* of the queue's front: given back to `from` */
    bool keeps;           /* what is sent stays until it is settled */
    bool ended;           /* nothing more will be pushed */
    bool deferred;        /* nghttp2 waits for body_resume() at `to` */
    uint64_t moved_bytes; /* that have left */
};

void body_init(struct body *body, struct byte_pool *pool);

/* Bytes arrived at `from`: queued, and `to` is woken. */
void body_push(struct body *body, const uint8_t *bytes, size_t len);

/* The same without a copy, where they are many and may leave at once: true. They must stay as they
 * are until they have left, or body_keep() has copied what has not. False: not queued. */
bool body_lend(struct body *body, const uint8_t *bytes, size_t len);
void body_keep(struct body *body);

/* The last byte has been pushed. */
void body_end(struct body *body);

/* Makes nghttp2 ask again at `to`. */
void body_resume(struct body *body);

/* For a read callback at `to`: how many bytes to send now, at most `max`; sets EOF where the body
 * ends with them. NGHTTP2_ERR_DEFERRED where there are none yet. */
ssize_t body_offer(struct body *body, size_t max, uint32_t *data_flags);

/* For a send_data callback at `to`: stages `len` offered bytes and gives credit back at `from`. */
int body_send(struct body *body, const uint8_t *frame_header, size_t len);

/* What has been sent need not be sent again. */
void body_settle(struct body *body);

/* All of it will be sent again, to another stream: only while it keeps. */
void body_rewind(struct body *body);

/* The stream at `to` is gone: nobody is woken any more. */
void body_forget_destination(struct body *body);

/* The stream at `from` may go before the queued bytes have left: gives their credit back now. */
void body_forget_source(struct body *body);

/* Drops what is queued, or what is queued past `keep` bytes, and gives the credit back. */
void body_drop(struct body *body, size_t keep);

#endif
