/* The workspace of a benchmark: a gRPC server over TLS (or plain, for the direct way) that is fast
 * enough not to be what is measured. One thread, one epoll.
 *
 *   backend PORT TOKEN [CERTIFICATE KEY]
 *
 * It listens on 127.0.0.1 and answers by the method of the path: Config with a small message,
 * ExecutePlan with as many bytes as the request's text says ("BYTES PIECE", in messages of PIECE
 * bytes) or, if that is "wait", never, with a line on standard output for each that waits; anything
 * else, once it has come whole, with a small message. After ReleaseSession it takes no more calls
 * on the connection. A call without the token gets 401, so that no peer can leave out its work. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    STAGE_BYTES = 128 * 1024,
    STAGE_ROOM = 20 * 1024, /* for one more frame */
    READ_BYTES = 128 * 1024,
    WINDOW_BYTES = 1024 * 1024,
    MOST_STREAMS = 1000,
    QUESTION_BYTES = 64,
    PREFIX_BYTES = 5, /* of a gRPC message */
};

static const char *token;
static SSL_CTX *tls;
static int epoll;

struct connection {
    int fd;
    SSL *ssl; /* NULL: plain */
    nghttp2_session *session;
    uint8_t stage[STAGE_BYTES];
    size_t staged, written;
    bool wants_to_write;
};

struct stream {
    bool is_download, is_last, is_allowed;
    char question[QUESTION_BYTES]; /* the request's first message with its prefix */
    size_t question_len;
    uint64_t left;      /* bytes of the answer, prefixes included */
    uint32_t piece, at; /* of messages; where the next byte stands in its message */
};

static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

/* ---- answers ------------------------------------------------------------------------------------
 */

static nghttp2_nv field(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value),
                        NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

static ssize_t on_read_answer(nghttp2_session *session, int32_t id, uint8_t *buf, size_t len,
                              uint32_t *flags, nghttp2_data_source *source, void *user_data)
{
    struct stream *stream = source->ptr;
    size_t n = len < stream->left ? len : (size_t)stream->left;
    uint32_t message = stream->piece + PREFIX_BYTES;
    memset(buf, 'x', n);
    for (size_t i = 0; i < n;) { /* the prefixes among these bytes */
        if (stream->at < PREFIX_BYTES) {
            uint8_t prefix[PREFIX_BYTES] = {0, (uint8_t)(stream->piece >> 24),
                                            (uint8_t)(stream->piece >> 16),
                                            (uint8_t)(stream->piece >> 8), (uint8_t)stream->piece};
            buf[i++] = prefix[stream->at++];
            continue;
        }
        uint32_t rest = message - stream->at;
        uint32_t step = rest < n - i ? rest : (uint32_t)(n - i);
        stream->at = (stream->at + step) % message;
        i += step;
    }
    stream->left -= n;
    if (stream->left == 0) {
        nghttp2_nv trailers[] = {field("grpc-status", "0")};
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        nghttp2_submit_trailer(session, id, trailers, 1);
    }
    return (ssize_t)n;
}

static void answer(nghttp2_session *session, int32_t id, struct stream *stream)
{
    nghttp2_nv refusal[] = {field(":status", "401")};
    nghttp2_nv headers[] = {field(":status", "200"), field("content-type", "application/grpc")};
    nghttp2_data_provider provider = {.source.ptr = stream, .read_callback = on_read_answer};
    unsigned long long bytes = 16, piece = 16;
    if (!stream->is_allowed) {
        nghttp2_submit_response(session, id, refusal, 1, NULL);
        return;
    }
    stream->question[stream->question_len] = '\0';
    if (stream->is_download && strcmp(stream->question + PREFIX_BYTES, "wait") == 0) {
        puts("a call waits");
        fflush(stdout);
        return;
    }
    if (stream->is_download) {
        char *next;
        bytes = strtoull(stream->question + PREFIX_BYTES, &next, 10);
        piece = strtoull(next, NULL, 10);
    }
    if (piece == 0 || piece > UINT32_MAX - PREFIX_BYTES || bytes < piece)
        bytes = piece = 16;
    stream->piece = (uint32_t)piece;
    stream->left = bytes / piece * (piece + PREFIX_BYTES);
    nghttp2_submit_response(session, id, headers, 2, &provider);
    if (stream->is_last)
        nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR, NULL, 0);
}

/* ---- nghttp2's callbacks ------------------------------------------------------------------------
 */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        die("calloc");
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
    return 0;
}

static bool is(const uint8_t *bytes, size_t len, const char *text)
{
    return len == strlen(text) && memcmp(bytes, text, len) == 0;
}

static bool ends(const uint8_t *bytes, size_t len, const char *text)
{
    size_t n = strlen(text);
    return len >= n && memcmp(bytes + len - n, text, n) == 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user_data)
{
    struct stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (stream == NULL)
        return 0;
    if (is(name, name_len, ":path")) {
        stream->is_download = ends(value, value_len, "/ExecutePlan");
        stream->is_last = ends(value, value_len, "/ReleaseSession");
    } else if (is(name, name_len, "authorization"))
        stream->is_allowed = is(value, value_len, token);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                   size_t len, void *user_data)
{
    struct stream *stream = nghttp2_session_get_stream_user_data(session, id);
    size_t room = sizeof stream->question - 1 - (stream != NULL ? stream->question_len : 0);
    if (stream == NULL || room == 0)
        return 0;
    size_t n = len < room ? len : room;
    memcpy(stream->question + stream->question_len, bytes, n);
    stream->question_len += n;
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    bool is_of_request = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (stream != NULL && is_of_request && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
        answer(session, frame->hd.stream_id, stream);
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user_data)
{
    free(nghttp2_session_get_stream_user_data(session, id));
    return 0;
}

static nghttp2_session *make_session(struct connection *connection)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_session *session;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, MOST_STREAMS},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_BYTES},
    };
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_server_new(&session, callbacks, connection);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, 2);
    nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, 16 * WINDOW_BYTES);
    return session;
}

/* ---- connections --------------------------------------------------------------------------------
 */

/* As read() and write(): 0 is the end, -1 with EAGAIN means later. */
static ssize_t transfer(struct connection *connection, void *bytes, size_t len, bool write_them)
{
    if (connection->ssl == NULL)
        return write_them ? send(connection->fd, bytes, len, MSG_NOSIGNAL)
                          : recv(connection->fd, bytes, len, 0);
    ERR_clear_error();
    int n = write_them ? SSL_write(connection->ssl, bytes, (int)len)
                       : SSL_read(connection->ssl, bytes, (int)len);
    if (n > 0)
        return n;
    int error = SSL_get_error(connection->ssl, n);
    errno = EAGAIN;
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? -1 : 0;
}

static void watch(struct connection *connection, bool to_write)
{
    struct epoll_event event = {.events = EPOLLIN | (to_write ? EPOLLOUT : 0),
                                .data.ptr = connection};
    if (connection->wants_to_write != to_write)
        epoll_ctl(epoll, EPOLL_CTL_MOD, connection->fd, &event);
    connection->wants_to_write = to_write;
}

static bool write_stage(struct connection *connection, bool *ret_blocked)
{
    *ret_blocked = false;
    while (connection->written < connection->staged) {
        ssize_t n = transfer(connection, connection->stage + connection->written,
                             connection->staged - connection->written, true);
        if (n < 0 && errno == EAGAIN) {
            *ret_blocked = true;
            return true;
        }
        if (n <= 0)
            return false;
        connection->written += (size_t)n;
    }
    connection->staged = connection->written = 0;
    return true;
}

static bool flush(struct connection *connection)
{
    bool blocked, more = true;
    if (!write_stage(connection, &blocked))
        return false;
    while (!blocked && more) {
        const uint8_t *bytes;
        ssize_t n = 0;
        while (connection->staged < STAGE_BYTES - STAGE_ROOM &&
               (n = nghttp2_session_mem_send(connection->session, &bytes)) > 0) {
            memcpy(connection->stage + connection->staged, bytes, (size_t)n);
            connection->staged += (size_t)n;
        }
        if (n < 0)
            return false;
        more = connection->staged > 0;
        if (!write_stage(connection, &blocked))
            return false;
    }
    watch(connection, blocked);
    return nghttp2_session_want_read(connection->session) ||
           nghttp2_session_want_write(connection->session);
}

static bool take(struct connection *connection)
{
    static uint8_t bytes[READ_BYTES];
    for (;;) {
        ssize_t n = transfer(connection, bytes, sizeof bytes, false);
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n <= 0 || nghttp2_session_mem_recv(connection->session, bytes, (size_t)n) < 0)
            return false;
        if (connection->ssl == NULL || SSL_pending(connection->ssl) == 0)
            return true; /* level-triggered: what is left comes again */
    }
}

static void end(struct connection *connection)
{
    nghttp2_session_del(connection->session);
    SSL_free(connection->ssl);
    close(connection->fd);
    free(connection);
}

static void accept_one(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        die("calloc");
    connection->fd = fd;
    if (tls != NULL) {
        connection->ssl = SSL_new(tls);
        SSL_set_fd(connection->ssl, fd);
        SSL_set_accept_state(connection->ssl);
    }
    connection->session = make_session(connection);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

/* ---- the process --------------------------------------------------------------------------------
 */

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *in, unsigned in_len, void *arg)
{
    return SSL_select_next_proto((unsigned char **)out, out_len, (const unsigned char *)"\2h2", 3,
                                 in, in_len) == OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static SSL_CTX *make_tls(const char *certificate, const char *key)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
        ERR_print_errors_fp(stderr);
        exit(EXIT_FAILURE);
    }
    SSL_CTX_set_alpn_select_cb(context, on_alpn, NULL);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return context;
}

static int listen_on(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1024) != 0)
        die("bind");
    return fd;
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 5) {
        fprintf(stderr, "usage: %s PORT TOKEN [CERTIFICATE KEY]\n", argv[0]);
        return EXIT_FAILURE;
    }
    char bearer[256];
    snprintf(bearer, sizeof bearer, "Bearer %s", argv[2]);
    token = bearer;
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes by write() */
    tls = argc == 5 ? make_tls(argv[3], argv[4]) : NULL;
    epoll = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_on((int)strtol(argv[1], NULL, 10));
    struct epoll_event event = {.events = EPOLLIN}, events[256];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (connection == NULL)
                accept_one(listener);
            else if (!take(connection) || !flush(connection))
                end(connection);
        }
    }
}
