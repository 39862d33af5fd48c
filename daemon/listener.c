/* The sockets of one entry of the configuration. */
#include "daemon/listener.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/log.h"
#include "daemon/unix_socket.h"

enum { BACKLOG = 511, FREE_PORT_TRIES = 20 };

/* One listening socket. */
struct server_socket {
    struct list link; /* the listener's list */
    struct listener *listener;
    union {
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } handle;
    struct unix_socket unix_socket; /* with `path` */
    char *path;                     /* owned; NULL for TCP */
};

struct listener {
    struct downstream_set *set;
    struct pool *pool; /* owned reference */
    struct list sockets;
    size_t handles;  /* that libuv has */
    bool destroying;
};

static void free_if_done(struct listener *listener)
{
    if (!listener->destroying || listener->handles > 0)
        return;
    pool_unref(listener->pool);
    free(listener);
}

static void on_socket_closed(uv_handle_t *handle)
{
    struct server_socket *socket = handle->data;
    struct listener *listener = socket->listener;
    free(socket->path);
    free(socket);
    listener->handles--;
    free_if_done(listener);
}

static void socket_close(struct server_socket *socket)
{
    list_remove(&socket->link);
    if (socket->path != NULL)
        unix_socket_remove(&socket->unix_socket, socket->path);
    uv_close((uv_handle_t *)&socket->handle, on_socket_closed);
}

static struct server_socket *socket_create(struct listener *listener, bool tcp)
{
    struct server_socket *socket = xcalloc(1, sizeof *socket);
    socket->listener = listener;
    if (tcp)
        uv_tcp_init(listener->set->engine->loop, &socket->handle.tcp);
    else
        uv_pipe_init(listener->set->engine->loop, &socket->handle.pipe, 0);
    socket->handle.stream.data = socket;
    list_append(&listener->sockets, &socket->link);
    listener->handles++;
    return socket;
}

static void on_connection(uv_stream_t *server, int status)
{
    struct server_socket *socket = server->data;
    struct listener *listener = socket->listener;
    struct engine *engine = listener->set->engine;
    if (status < 0) {
        log_warn("a connection could not be accepted: %s", uv_strerror(status));
        return;
    }
    struct transport *transport =
        socket->path == NULL ? transport_create_tcp(engine) : transport_create_pipe(engine);
    int error = uv_accept(server, transport_stream(transport));
    if (error < 0) {
        log_warn("a connection could not be accepted: %s", uv_strerror(error));
        transport_close(transport);
        return;
    }
    downstream_create(listener->set, transport, listener->pool);
}

static void log_listening(const char *host, unsigned port)
{
    char address[80];
    bool v6 = strchr(host, ':') != NULL;
    snprintf(address, sizeof address, "%s%s%s:%u", v6 ? "[" : "", host, v6 ? "]" : "", port);
    log_fields(LOG_LEVEL_INFO, "listening", {"address", address});
}

static unsigned bound_port(const uv_tcp_t *tcp)
{
    struct sockaddr_storage address;
    int len = sizeof address;
    if (uv_tcp_getsockname(tcp, (struct sockaddr *)&address, &len) < 0)
        return 0;
    if (address.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

/* Returns the socket, or NULL with libuv's error. */
static struct server_socket *listen_tcp(struct listener *listener, const char *host, unsigned port,
                                        int *ret_error)
{
    struct sockaddr_storage address;
    bool v6 = strchr(host, ':') != NULL;
    if (v6)
        uv_ip6_addr(host, (int)port, (struct sockaddr_in6 *)&address);
    else
        uv_ip4_addr(host, (int)port, (struct sockaddr_in *)&address);

    struct server_socket *socket = socket_create(listener, true);
    int error = uv_tcp_bind(&socket->handle.tcp, (const struct sockaddr *)&address,
                            v6 ? UV_TCP_IPV6ONLY : 0);
    if (error == 0)
        error = uv_listen(&socket->handle.stream, BACKLOG, on_connection);
    if (error == 0)
        return socket;
    socket_close(socket);
    *ret_error = error;
    return NULL;
}

static bool tcp_error(struct err *err, const char *host, unsigned port, int error)
{
    bool v6 = strchr(host, ':') != NULL;
    const char *remedy = "";
    if (error == UV_EADDRINUSE)
        remedy = "; another process has this port: stop it, or choose another by --listen";
    else if (error == UV_EACCES)
        remedy = "; ports below 1024 need privileges: choose another by --listen";
    return err_set(err, EX_CANTCREAT, "cannot listen on %s%s%s:%u: %s%s", v6 ? "[" : "", host,
                   v6 ? "]" : "", port, uv_strerror(error), remedy);
}

static bool open_one(struct listener *listener, const char *host, unsigned port, struct err *err)
{
    int error;
    struct server_socket *socket = listen_tcp(listener, host, port, &error);
    if (socket == NULL)
        return tcp_error(err, host, port, error);
    log_listening(host, bound_port(&socket->handle.tcp));
    return true;
}

/* Both families, so that nobody else can take the other one and pass for us. A machine without an
 * IPv6 loopback has only one, and there nobody can. */
static bool open_localhost(struct listener *listener, unsigned port, struct err *err)
{
    static const char *const v4 = "127.0.0.1", *const v6 = "::1";
    int error = 0;
    for (int i = 0; i < FREE_PORT_TRIES; i++) {
        struct server_socket *first = listen_tcp(listener, v4, port, &error);
        if (first == NULL)
            return tcp_error(err, v4, port, error);
        unsigned chosen = bound_port(&first->handle.tcp);
        struct server_socket *second = listen_tcp(listener, v6, chosen, &error);
        if (second != NULL) {
            log_listening(v4, chosen);
            log_listening(v6, chosen);
            return true;
        }
        if (error == UV_EADDRNOTAVAIL || error == UV_EAFNOSUPPORT) {
            log_info("this machine has no IPv6 loopback: only 127.0.0.1 is listened on");
            log_listening(v4, chosen);
            return true;
        }
        socket_close(first);
        if (port != 0 || error != UV_EADDRINUSE)
            break; /* a port that the kernel chose may be taken on the other family: once more */
    }
    return tcp_error(err, v6, port, error);
}

static bool open_unix(struct listener *listener, const char *path, unsigned mode, struct err *err)
{
    struct unix_socket unix_socket;
    if (!unix_socket_listen(path, mode, &unix_socket, err))
        return false;
    struct server_socket *socket = socket_create(listener, false);
    socket->unix_socket = unix_socket;
    socket->path = xstrdup(path);
    int error = uv_pipe_open(&socket->handle.pipe, unix_socket.fd);
    if (error < 0)
        close(unix_socket.fd);
    else
        error = uv_listen(&socket->handle.stream, BACKLOG, on_connection);
    if (error < 0) {
        socket_close(socket);
        return err_set(err, EX_CANTCREAT, "cannot listen on unix:%s: %s", path,
                       uv_strerror(error));
    }
    char address[128];
    snprintf(address, sizeof address, "unix:%s", path);
    log_fields(LOG_LEVEL_INFO, "listening", {"address", address});
    return true;
}

bool listener_open(struct listener *listener, const struct listen_address *address,
                   unsigned socket_mode, struct err *err)
{
    if (address->kind == ADDRESS_UNIX)
        return open_unix(listener, address->path, socket_mode, err);
    if (strcmp(address->host, "localhost") == 0)
        return open_localhost(listener, address->port, err);
    return open_one(listener, address->host, address->port, err);
}

struct listener *listener_create(struct downstream_set *set, struct pool *pool)
{
    struct listener *listener = xcalloc(1, sizeof *listener);
    listener->set = set;
    listener->pool = pool_ref(pool);
    list_init(&listener->sockets);
    return listener;
}

void listener_set_pool(struct listener *listener, struct pool *pool)
{
    pool_ref(pool);
    pool_unref(listener->pool);
    listener->pool = pool;
}

void listener_destroy(struct listener *listener)
{
    if (listener == NULL)
        return;
    struct server_socket *socket;
    while ((socket = list_first(&listener->sockets, struct server_socket, link)) != NULL)
        socket_close(socket);
    listener->destroying = true;
    free_if_done(listener);
}
