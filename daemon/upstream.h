/*
 * One HTTP/2 connection to the workspace, from looking its name up to the last of its streams.
 *
 * Owner: the pool, which hears of its end by on_end and then destroys it; that may not happen
 * inside one of nghttp2's callbacks. A stream is embedded in its call; the upstream links it while
 * it is attached and detaches it when either ends. It knows HTTP/2 and TLS, not Spark. Loop thread
 * only.
 */
#ifndef SPARKBRIDGE_DAEMON_UPSTREAM_H
#define SPARKBRIDGE_DAEMON_UPSTREAM_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/list.h"
#include "daemon/body.h"
#include "daemon/connect.h"
#include "daemon/engine.h"
#include "daemon/h2.h"
#include "daemon/header_list.h"

enum {
    /* What may be under way on one stream at first; the most is upstream_target's. */
    UPSTREAM_FIRST_WINDOW_BYTES = 1024 * 1024,
};

/* Why there is no connection, in terms that lead to a remedy. */
enum upstream_fault_kind {
    UPSTREAM_FAULT_DNS,
    UPSTREAM_FAULT_CONNECT,
    UPSTREAM_FAULT_PROXY, /* the proxy on the way refused */
    UPSTREAM_FAULT_TIMEOUT,
    UPSTREAM_FAULT_UNTRUSTED,
    UPSTREAM_FAULT_WRONG_NAME,
    UPSTREAM_FAULT_EXPIRED,
    UPSTREAM_FAULT_NOT_TLS,
    UPSTREAM_FAULT_NO_H2,
    UPSTREAM_FAULT_TLS,
    UPSTREAM_FAULT_LOST, /* it was open and ended */
};

struct upstream_fault {
    enum upstream_fault_kind kind;
    char address[CONNECT_ADDRESS_SIZE]; /* the last address tried, or empty */
    char text[192];                     /* a phrase: "Connection refused" */
};

/* How a stream ended for which no END_STREAM came. */
struct upstream_reset {
    uint32_t error_code;                /* HTTP/2's, NGHTTP2_NO_ERROR for a lost connection */
    const struct upstream_fault *fault; /* of a lost connection, else NULL */
    bool did_not_run; /* provably: refused, above GOAWAY's last stream, or never sent */
};

struct upstream_stream_events {
    void (*on_ready)(void *call); /* attached: submit the request now */
    void (*on_refused)(void *call, const struct upstream_fault *fault); /* none could be had */
    /* A header block of the response. `last`: END_STREAM came with it. Borrowed for the call. */
    void (*on_headers)(void *call, struct header_list *headers, bool last);
    void (*on_data)(void *call, const uint8_t *bytes, size_t len);
    void (*on_last)(void *call); /* END_STREAM came with DATA */
    void (*on_reset)(void *call, const struct upstream_reset *reset);
};

struct upstream;

struct upstream_stream {
    struct list link;          /* on the upstream's list, or the pool's of those that wait */
    struct upstream *upstream; /* weak: NULL while not attached */
    int32_t id;                /* 0 until submitted */
    bool open;                 /* submitted, and HTTP/2 has not closed it */
    bool sent;                 /* its HEADERS have left */
    uint64_t waiting_since_ms; /* the pool's */
    struct body *request;      /* borrowed from the call */
    const struct upstream_stream_events *events;
    void *call;
};

struct upstream_events {
    void (*on_open)(void *pool, struct upstream *upstream);
    void (*on_room)(void *pool); /* a stream closed or the limit rose */
    void (*on_end)(void *pool, struct upstream *upstream, const struct upstream_fault *fault);
};

/* Where to and how; all borrowed, and outlives the upstream. */
struct upstream_target {
    struct engine *engine;
    struct connector *connector;
    struct tls_context *tls;
    struct connect_target address;
    struct tls_ticket *ticket;   /* of the last connection */
    unsigned connect_timeout_ms; /* for everything until the peer's SETTINGS */
    /* What may be under way on one stream at most. Spark's server keeps 10 MB behind what it has
     * sent for clients that re-attach; with a window near that they fail. */
    unsigned stream_window_bytes;
};

/* Starts to connect. No event comes before this returns. */
struct upstream *upstream_create(const struct upstream_target *target,
                                 const struct upstream_events *events, void *pool);
/* Only without attached streams, or from on_end, which has detached them. */
void upstream_destroy(struct upstream *upstream);

/* The pool's list of its upstreams. */
struct list *upstream_link(struct upstream *upstream);
struct upstream *upstream_from_link(struct list *link);

/* Connected, and may more streams be opened on it? */
bool upstream_has_room(const struct upstream *upstream);
/* Connected, but for now its peer takes no call at all, as it would on another connection. */
bool upstream_is_paused(const struct upstream *upstream);
/* Less than an eighth of its streams is left: time for another connection. */
bool upstream_is_nearly_full(const struct upstream *upstream);
bool upstream_is_open(const struct upstream *upstream);
/* No new stream will ever be possible: GOAWAY came, or it is being closed. */
bool upstream_is_draining(const struct upstream *upstream);

/* Attaches the stream; on_ready is the pool's to call. */
void upstream_attach(struct upstream *upstream, struct upstream_stream *stream);

/* Submits the request of an attached stream, whose fields nghttp2 copies. A stream->request with
 * nothing in it that has ended makes a request without a body. Returns 0 or nghttp2's error. */
int upstream_submit(struct upstream_stream *stream, const nghttp2_nv *fields, size_t count);

/* Where the body of a submitted stream's response comes from. */
struct body_source upstream_source(const struct upstream_stream *stream);

/* Cancels the stream if it is open, and detaches it. The call's bodies must have been dropped. */
void upstream_detach(struct upstream_stream *stream);

#endif
