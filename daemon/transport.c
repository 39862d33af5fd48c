/* A byte pipe to a peer, with TLS inside where there is one. */
#include "daemon/transport.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

struct transport {
    struct engine *engine; /* borrowed: outlives every transport */
    union {
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } handle;
    const struct transport_events *events;
    void *owner;     /* weak: NULL once closed */
    struct tls *tls; /* owned, or NULL */
    bool tls_open;
    bool ended;         /* on_end was reported, or nothing may be reported any more */
    uv_timer_t *linger; /* owned; runs while the peer is given time to read the last bytes */
    uv_shutdown_t shutdown_request;
    uv_write_t write_request;
    uint8_t *unsent; /* owned while write_request is in flight */
};

static struct transport *create(struct engine *engine)
{
    struct transport *transport = xcalloc(1, sizeof *transport);
    transport->engine = engine;
    engine_transport_opened(engine);
    return transport;
}

struct transport *transport_create_tcp(struct engine *engine)
{
    struct transport *transport = create(engine);
    uv_tcp_init(engine->loop, &transport->handle.tcp);
    transport->handle.stream.data = transport;
    return transport;
}

struct transport *transport_create_pipe(struct engine *engine)
{
    struct transport *transport = create(engine);
    uv_pipe_init(engine->loop, &transport->handle.pipe, 0);
    transport->handle.stream.data = transport;
    return transport;
}

void transport_limit_unsent(struct transport *transport)
{
    uv_os_fd_t fd;
    const int bytes = TRANSPORT_UNSENT_BYTES;
    if (uv_fileno((uv_handle_t *)&transport->handle, &fd) == 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof bytes);
}

uv_stream_t *transport_stream(struct transport *transport)
{
    return &transport->handle.stream;
}

bool transport_is_unix_socket(const struct transport *transport)
{
    return transport->handle.stream.type == UV_NAMED_PIPE;
}

static void report_end(struct transport *transport, const char *text)
{
    if (transport->ended)
        return;
    transport->ended = true;
    uv_read_stop(&transport->handle.stream);
    struct transport_end end = {.text = text};
    if (transport->tls != NULL)
        end.fault = tls_fault(transport->tls);
    transport->events->on_end(transport->owner, &end);
}

static void send_ciphertext(struct transport *transport);

static void on_write(uv_write_t *request, int status)
{
    struct transport *transport = request->data;
    free(transport->unsent);
    transport->unsent = NULL;
    if (transport->ended)
        return;
    if (status < 0) {
        report_end(transport, uv_strerror(status));
        return;
    }
    if (transport->tls != NULL)
        send_ciphertext(transport);
    if (transport->unsent == NULL)
        transport->events->on_writable(transport->owner);
}

static size_t length_of(const uv_buf_t *pieces, unsigned count)
{
    size_t len = 0;
    for (unsigned i = 0; i < count; i++)
        len += pieces[i].len;
    return len;
}

/* A copy of what comes after the first `skipped` bytes: `len` of them. */
static uint8_t *copy_rest(const uv_buf_t *pieces, size_t skipped, size_t len)
{
    uint8_t *rest = xrealloc(NULL, len);
    for (size_t at = 0; at < len; pieces++) {
        size_t skip = skipped < pieces->len ? skipped : pieces->len;
        memcpy(rest + at, pieces->base + skip, pieces->len - skip);
        at += pieces->len - skip;
        skipped -= skip;
    }
    return rest;
}

/* Sends bytes as they are, keeping a copy of what the kernel does not take now. */
static void send_raw(struct transport *transport, const uv_buf_t *pieces, unsigned count)
{
    size_t len = length_of(pieces, count);
    int sent = uv_try_write(&transport->handle.stream, pieces, count);
    if (sent == (int)len)
        return;
    if (sent < 0)
        sent = 0; /* EAGAIN; any other error comes back through uv_write() */
    size_t rest = len - (size_t)sent;
    transport->unsent = copy_rest(pieces, (size_t)sent, rest);
    uv_buf_t buf = uv_buf_init((char *)transport->unsent, (unsigned)rest);
    transport->write_request.data = transport;
    int error = uv_write(&transport->write_request, &transport->handle.stream, &buf, 1, on_write);
    if (error < 0) { /* the stream is not connected any more; reading reports it */
        free(transport->unsent);
        transport->unsent = NULL;
    }
}

static void send_ciphertext(struct transport *transport)
{
    size_t len;
    const uint8_t *bytes = tls_pending(transport->tls, &len);
    if (len == 0)
        return;
    if (transport->unsent == NULL) {
        uv_buf_t buf = uv_buf_init((char *)bytes, (unsigned)len);
        send_raw(transport, &buf, 1);
        tls_sent(transport->tls);
    }
    /* Else it waits in the filter: alerts and key updates answered while a write is in flight. */
}

static void report_tls_fault(struct transport *transport)
{
    send_ciphertext(transport); /* the alert that says why */
    report_end(transport, tls_fault_text(transport->tls));
}

static void pass_plaintext(struct transport *transport)
{
    struct engine *engine = transport->engine;
    while (!transport->ended) {
        ssize_t n = tls_read(transport->tls, engine->plain_buffer, ENGINE_PLAIN_BYTES);
        if (n > 0) {
            transport->events->on_bytes(transport->owner, engine->plain_buffer, (size_t)n);
            engine_end_read(engine);
            continue;
        }
        send_ciphertext(transport);
        if (n == -1)
            report_tls_fault(transport);
        else if (n == -2)
            report_end(transport, "the peer closed the connection");
        return;
    }
}

static void pass_ciphertext(struct transport *transport, const uint8_t *bytes, size_t len)
{
    tls_feed(transport->tls, bytes, len);
    if (!transport->tls_open) {
        int done = tls_handshake(transport->tls);
        if (done < 0) {
            report_tls_fault(transport);
            return;
        }
        send_ciphertext(transport);
        if (done == 0)
            return;
        transport->tls_open = true;
        transport->events->on_open(transport->owner);
    }
    if (!transport->ended)
        pass_plaintext(transport);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct transport *transport = handle->data;
    *buf = uv_buf_init((char *)transport->engine->read_buffer, ENGINE_READ_BYTES);
}

static void close_now(struct transport *transport);

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct transport *transport = stream->data;
    if (transport->linger != NULL && n < 0)
        close_now(transport);
    if (transport->ended || n == 0)
        return;
    if (n < 0) {
        report_end(transport, n == UV_EOF ? "the peer closed the connection" : uv_strerror((int)n));
        return;
    }
    if (transport->tls != NULL) {
        pass_ciphertext(transport, (const uint8_t *)buf->base, (size_t)n);
        return;
    }
    transport->events->on_bytes(transport->owner, (const uint8_t *)buf->base, (size_t)n);
    engine_end_read(transport->engine);
}

int transport_start(struct transport *transport, const struct transport_events *events, void *owner,
                    struct tls *tls)
{
    transport->events = events;
    transport->owner = owner;
    transport->tls = tls;
    if (transport->handle.stream.type == UV_TCP)
        uv_tcp_nodelay(&transport->handle.tcp, 1);
    int error = uv_read_start(&transport->handle.stream, on_alloc, on_read);
    if (error < 0 || tls == NULL)
        return error;
    if (tls_handshake(tls) < 0) /* only writes the first flight: no bytes have arrived yet */
        return UV_EPROTO;
    send_ciphertext(transport);
    return 0;
}

bool transport_is_writable(const struct transport *transport)
{
    return transport->unsent == NULL && !transport->ended &&
           (transport->tls == NULL || transport->tls_open);
}

bool transport_takes_pieces(const struct transport *transport)
{
    return transport->tls == NULL;
}

void transport_write(struct transport *transport, const uv_buf_t *pieces, unsigned count)
{
    if (transport->tls == NULL) {
        send_raw(transport, pieces, count);
        return;
    }
    assert(count == 1);
    if (tls_write(transport->tls, (const uint8_t *)pieces->base, pieces->len))
        send_ciphertext(transport);
    /* A fault shows again, and is reported, at the next read. */
}

static void on_close(uv_handle_t *handle)
{
    struct transport *transport = handle->data;
    tls_destroy(transport->tls);
    free(transport->unsent);
    engine_transport_closed(transport->engine);
    free(transport);
}

static void on_linger_closed(uv_handle_t *timer)
{
    free(timer);
}

static void close_now(struct transport *transport)
{
    if (transport->linger != NULL)
        uv_close((uv_handle_t *)transport->linger, on_linger_closed);
    transport->linger = NULL;
    uv_close((uv_handle_t *)&transport->handle, on_close);
}

static void on_linger_timeout(uv_timer_t *timer)
{
    close_now(timer->data);
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    /* The end was sent; the peer's is waited for, or the time runs out. */
}

/* Closing a socket with unread bytes resets the connection, and then the peer may lose what was
 * sent last: a GOAWAY or an answer. So the end is sent first, and reading goes on for a moment. */
static bool begin_linger(struct transport *transport)
{
    if (uv_shutdown(&transport->shutdown_request, &transport->handle.stream, on_shutdown) < 0)
        return false;
    transport->linger = xcalloc(1, sizeof *transport->linger);
    uv_timer_init(transport->engine->loop, transport->linger);
    transport->linger->data = transport;
    uv_timer_start(transport->linger, on_linger_timeout, TRANSPORT_LINGER_MS, 0);
    return true;
}

void transport_close(struct transport *transport)
{
    if (transport == NULL)
        return;
    bool open = !transport->ended && transport->events != NULL;
    transport->ended = true;
    transport->owner = NULL;
    if (open && transport->tls == NULL && begin_linger(transport))
        return;
    if (open && transport->tls != NULL && transport->unsent == NULL) {
        tls_shutdown(transport->tls);
        send_ciphertext(transport);
    }
    close_now(transport);
}
