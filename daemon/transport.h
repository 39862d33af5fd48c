/*
 * A byte pipe to a peer: a TCP or Unix socket, with TLS inside where there is one.
 *
 * Owner: created by an owner that hears its events; transport_close() ends it, after which the
 * owner hears nothing more and the transport frees itself when libuv has let go of its handles.
 * Everything it reads is handed over within the callback; nothing is kept. What cannot be written
 * at once is kept (at most one stage of the engine), and then transport_is_writable() is false
 * until on_writable. Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_TRANSPORT_H
#define SPARKBRIDGE_DAEMON_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/engine.h"
#include "daemon/tls.h"

enum {
    TRANSPORT_LINGER_MS = 1000,
    TRANSPORT_UNSENT_BYTES =
        128 * 1024, /* what the kernel may hold that the peer has no room for */
};

/* Why a transport ended by itself. */
struct transport_end {
    enum tls_fault fault;
    const char *text; /* a phrase, valid during the callback */
};

struct transport_events {
    void (*on_open)(void *owner); /* TLS handshake complete; never without TLS */
    void (*on_bytes)(void *owner, const uint8_t *bytes, size_t len);
    void (*on_writable)(void *owner);
    void (*on_end)(void *owner, const struct transport_end *end); /* the last event */
};

struct transport;

/* An unconnected transport whose stream is set up for TCP or for a Unix socket. */
struct transport *transport_create_tcp(struct engine *engine);
struct transport *transport_create_pipe(struct engine *engine);

/* For a peer on this machine: the kernel takes little more than the peer has room for. Otherwise it
 * takes megabytes for a client that reads nothing, which looks like one that reads fast. */
void transport_limit_unsent(struct transport *transport);

/* The libuv stream, to connect or accept with, before transport_start(). Borrowed. */
uv_stream_t *transport_stream(struct transport *transport);

/* Begins to read and to report to `owner`. With `tls`, which the transport then owns, begins the
 * handshake. Returns 0 or a negative errno of libuv: UV_EPROTO where TLS cannot even begin, and
 * tls_fault() says why. */
int transport_start(struct transport *transport, const struct transport_events *events, void *owner,
                    struct tls *tls);

/* A Unix socket, not TCP? */
bool transport_is_unix_socket(const struct transport *transport);

bool transport_is_writable(const struct transport *transport);

/* Sends all of it or keeps a copy of the rest; only while transport_is_writable(). Where there is
 * TLS inside, it must be in one piece. */
void transport_write(struct transport *transport, const uv_buf_t *pieces, unsigned count);

/* Are several pieces sent as they are? */
bool transport_takes_pieces(const struct transport *transport);

/* Ends it, once; may be called from its own events, and with NULL. Without TLS the peer is given
 * TRANSPORT_LINGER_MS to read what was written last. */
void transport_close(struct transport *transport);

#endif
