/* The sockets of one entry of the configuration. */
#include "daemon/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/log.h"
#include "daemon/downstream.h"
#include "daemon/inherited.h"
#include "daemon/reception.h"
#include "daemon/unix_socket.h"

enum { BACKLOG = 511, FREE_PORT_TRIES = 20, ADDRESS_SIZE = 128 };

/* One listening socket. */
struct server_socket {
    struct list link; /* the listener's list */
    struct listener *listener;
    union {
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } handle;
    char *address_text;             /* owned; as in the configuration */
    struct unix_socket unix_socket; /* with `path` */
    char *path;                     /* owned; NULL for TCP and what systemd opened */
};

struct listener {
    struct engine *engine;
    struct list sockets;
    struct reception reception;
    struct downstream_set clients;
    int spare; /* owned descriptor; -1 after it was given up */
    struct throttle not_accepted;
    bool stopped;
    void (*on_idle)(void *owner);
    void *owner; /* weak */
};

static void on_socket_closed(uv_handle_t *handle)
{
    struct server_socket *socket = handle->data;
    free(socket->address_text);
    free(socket->path);
    free(socket);
}

static void socket_close(struct server_socket *socket)
{
    list_remove(&socket->link);
    if (socket->path != NULL)
        unix_socket_remove(&socket->unix_socket, socket->path);
    uv_close((uv_handle_t *)&socket->handle, on_socket_closed);
}

static struct server_socket *socket_create(struct listener *listener,
                                           const struct listen_address *address, int family)
{
    struct server_socket *socket = xcalloc(1, sizeof *socket);
    socket->listener = listener;
    socket->address_text = xstrdup(address->text);
    if (family != AF_UNIX)
        uv_tcp_init(listener->engine->loop, &socket->handle.tcp);
    else
        uv_pipe_init(listener->engine->loop, &socket->handle.pipe, 0);
    socket->handle.stream.data = socket;
    list_append(&listener->sockets, &socket->link);
    return socket;
}

static void log_not_accepted(struct listener *listener, int error)
{
    unsigned left_out;
    if (throttle_pass(&listener->not_accepted, uv_now(listener->engine->loop), 1, &left_out))
        log_warn("a connection could not be accepted (and %u before): %s", left_out,
                 uv_strerror(error));
}

static void open_spare(struct listener *listener)
{
    listener->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* libuv calls accept() again as long as it fails for want of a descriptor, so one is found for it:
 * the connection is accepted, and closed. (libuv has a spare one too, but cannot open it anew in
 * the sandbox.) */
static void give_up_spare(struct listener *listener)
{
    if (listener->spare >= 0)
        close(listener->spare);
    listener->spare = -1;
}

static bool is_tcp(const struct server_socket *socket)
{
    return socket->handle.stream.type == UV_TCP;
}

static void on_connection(uv_stream_t *server, int status)
{
    struct server_socket *socket = server->data;
    struct listener *listener = socket->listener;
    struct engine *engine = listener->engine;
    if (status < 0) {
        log_not_accepted(listener, status);
        give_up_spare(listener);
        return;
    }
    struct transport *transport =
        is_tcp(socket) ? transport_create_tcp(engine) : transport_create_pipe(engine);
    int error = uv_accept(server, transport_stream(transport));
    if (error < 0 || listener->spare < 0) {
        transport_close(transport);
        if (listener->spare < 0)
            open_spare(listener);
        return;
    }
    if (is_tcp(socket))
        transport_limit_unsent(transport);
    reception_receive(&listener->reception, transport);
}

static void on_admitted(struct reception *reception, struct transport *transport,
                        struct client *client)
{
    struct listener *listener = container_of(reception, struct listener, reception);
    downstream_create(&listener->clients, transport, client);
}

/* Whether that was the last one whom a stopped listener waited for. */
static void check_idle(struct listener *listener)
{
    if (listener->stopped && listener_is_idle(listener))
        listener->on_idle(listener->owner);
}

static void on_turned_away(struct reception *reception)
{
    check_idle(container_of(reception, struct listener, reception));
}

static void format_address(const char *host, unsigned port, char ret_address[ADDRESS_SIZE])
{
    bool v6 = strchr(host, ':') != NULL;
    snprintf(ret_address, ADDRESS_SIZE, "%s%s%s:%u", v6 ? "[" : "", host, v6 ? "]" : "", port);
}

static void log_listening(const char *host, unsigned port)
{
    char address[ADDRESS_SIZE];
    format_address(host, port, address);
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

static void format_bound(const struct server_socket *socket, char ret_address[ADDRESS_SIZE])
{
    struct sockaddr_storage address;
    int len = sizeof address;
    char host[INET6_ADDRSTRLEN] = "";
    if (socket->path != NULL) {
        snprintf(ret_address, ADDRESS_SIZE, "unix:%s", socket->path);
        return;
    }
    if (!is_tcp(socket)) {
        char path[ADDRESS_SIZE - sizeof "unix:"] = "";
        size_t path_len = sizeof path - 1;
        uv_pipe_getsockname(&socket->handle.pipe, path, &path_len);
        snprintf(ret_address, ADDRESS_SIZE, "unix:%s", path);
        return;
    }
    uv_tcp_getsockname(&socket->handle.tcp, (struct sockaddr *)&address, &len);
    uv_ip_name((const struct sockaddr *)&address, host, sizeof host);
    format_address(host, bound_port(&socket->handle.tcp), ret_address);
}

/* Returns the socket, or NULL with libuv's error. */
static struct server_socket *listen_tcp(struct listener *listener,
                                        const struct listen_address *from, const char *host,
                                        unsigned port, int *ret_error)
{
    struct sockaddr_storage address;
    bool v6 = strchr(host, ':') != NULL;
    if (v6)
        uv_ip6_addr(host, (int)port, (struct sockaddr_in6 *)&address);
    else
        uv_ip4_addr(host, (int)port, (struct sockaddr_in *)&address);

    struct server_socket *socket = socket_create(listener, from, v6 ? AF_INET6 : AF_INET);
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

static bool open_one(struct listener *listener, const struct listen_address *address,
                     struct err *err)
{
    int error;
    const char *host = address->host;
    struct server_socket *socket = listen_tcp(listener, address, host, address->port, &error);
    if (socket == NULL)
        return tcp_error(err, host, address->port, error);
    log_listening(host, bound_port(&socket->handle.tcp));
    return true;
}

/* Both families, so that nobody else can take the other one and pass for us. A machine without an
 * IPv6 loopback has only one, and there nobody can. */
static bool open_localhost(struct listener *listener, const struct listen_address *address,
                           struct err *err)
{
    static const char *const v4 = "127.0.0.1", *const v6 = "::1";
    unsigned port = address->port;
    int error = 0;
    for (int i = 0; i < FREE_PORT_TRIES; i++) {
        struct server_socket *first = listen_tcp(listener, address, v4, port, &error);
        if (first == NULL)
            return tcp_error(err, v4, port, error);
        unsigned chosen = bound_port(&first->handle.tcp);
        struct server_socket *second = listen_tcp(listener, address, v6, chosen, &error);
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

static bool open_unix(struct listener *listener, const struct listen_address *from, unsigned mode,
                      struct err *err)
{
    const char *path = from->path;
    struct unix_socket unix_socket;
    if (!unix_socket_listen(path, "--listen", mode, &unix_socket, err))
        return false;
    struct server_socket *socket = socket_create(listener, from, AF_UNIX);
    socket->unix_socket = unix_socket;
    socket->path = xstrdup(path);
    int error = uv_pipe_open(&socket->handle.pipe, unix_socket.fd);
    if (error < 0)
        close(unix_socket.fd);
    else
        error = uv_listen(&socket->handle.stream, BACKLOG, on_connection);
    if (error < 0) {
        socket_close(socket);
        return err_set(err, EX_CANTCREAT, "cannot listen on unix:%s: %s", path, uv_strerror(error));
    }
    char address[128];
    snprintf(address, sizeof address, "unix:%s", path);
    log_fields(LOG_LEVEL_INFO, "listening", {"address", address});
    return true;
}

static bool open_inherited_one(struct listener *listener, const struct listen_address *from,
                               int inherited, struct err *err)
{
    int fd = inherited_take(inherited, from->name, err);
    if (fd < 0)
        return false;
    bool is_unix = sd_is_socket(fd, AF_UNIX, SOCK_STREAM, 1) > 0;
    struct server_socket *socket = socket_create(listener, from, is_unix ? AF_UNIX : AF_INET);
    int error =
        is_unix ? uv_pipe_open(&socket->handle.pipe, fd) : uv_tcp_open(&socket->handle.tcp, fd);
    if (error < 0)
        close(fd);
    else
        error = uv_listen(&socket->handle.stream, BACKLOG, on_connection);
    if (error < 0) {
        socket_close(socket);
        return err_set(err, EX_CANTCREAT, "cannot listen on %s: %s", from->text,
                       uv_strerror(error));
    }
    char address[ADDRESS_SIZE];
    format_bound(socket, address);
    log_fields(LOG_LEVEL_INFO, "listening", {"address", address}, {"inherited", from->text});
    return true;
}

/* All sockets of that name. */
static bool open_inherited(struct listener *listener, const struct listen_address *address,
                           struct err *err)
{
    int fds[INHERITED_MAX];
    size_t count = inherited_find(address->name, fds);
    if (count == 0)
        return err_set(err, EX_CANTCREAT,
                       "cannot listen on %s: systemd has passed no socket of that name; it is the "
                       "FileDescriptorName= of a socket unit, which has to be started first",
                       address->text);
    for (size_t i = 0; i < count; i++)
        if (!open_inherited_one(listener, address, fds[i], err))
            return false;
    return true;
}

bool listener_open(struct listener *listener, const struct listen_address *address,
                   unsigned socket_mode, struct err *err)
{
    if (address->kind == ADDRESS_UNIX)
        return open_unix(listener, address, socket_mode, err);
    if (address->kind == ADDRESS_INHERITED)
        return open_inherited(listener, address, err);
    if (strcmp(address->host, "localhost") == 0)
        return open_localhost(listener, address, err);
    return open_one(listener, address, err);
}

bool listener_has(const struct listener *listener, const char *address_text)
{
    list_for_each(
        node,
        &listener->sockets) if (strcmp(container_of(node, struct server_socket, link)->address_text,
                                       address_text) == 0) return true;
    return false;
}

void listener_take(struct listener *listener, struct listener *from, const char *address_text)
{
    list_for_each(node, &from->sockets)
    {
        struct server_socket *socket = container_of(node, struct server_socket, link);
        if (strcmp(socket->address_text, address_text) != 0)
            continue;
        list_remove(&socket->link);
        list_append(&listener->sockets, &socket->link);
        socket->listener = listener;
    }
}

void listener_close_sockets(struct listener *listener,
                            bool (*keep)(const void *arg, const char *address_text),
                            const void *arg)
{
    list_for_each(node, &listener->sockets)
    {
        struct server_socket *socket = container_of(node, struct server_socket, link);
        if (!keep(arg, socket->address_text))
            socket_close(socket);
    }
}

static void on_client_ended(struct downstream_set *clients)
{
    check_idle(container_of(clients, struct listener, clients));
}

struct listener *listener_create(const struct reception_config *config,
                                 void (*on_idle)(void *owner), void *owner)
{
    struct listener *listener = xcalloc(1, sizeof *listener);
    listener->engine = config->engine;
    listener->on_idle = on_idle;
    listener->owner = owner;
    list_init(&listener->sockets);
    reception_init(&listener->reception, config);
    listener->reception.on_admitted = on_admitted;
    listener->reception.on_turned_away = on_turned_away;
    downstream_set_init(&listener->clients, config->engine, config->quota, on_client_ended);
    open_spare(listener);
    return listener;
}

void listener_each_address(const struct listener *listener,
                           void (*visit)(void *arg, const char *address), void *arg)
{
    list_for_each(node, &listener->sockets)
    {
        char address[ADDRESS_SIZE];
        format_bound(container_of(node, struct server_socket, link), address);
        visit(arg, address);
    }
}

void listener_count(const struct listener *listener, size_t *ret_clients, size_t *ret_calls)
{
    downstream_set_count(&listener->clients, ret_clients, ret_calls);
}

void listener_use(struct listener *listener, struct access *access)
{
    struct peer_policy *policy = access_peers(access);
    bool changed = !peer_policy_equal(listener->reception.policy, policy);
    reception_use_policy(&listener->reception, policy);
    downstream_set_use(&listener->clients, access);
    if (changed)
        downstream_set_drain(&listener->clients);
}

static bool keep_none(const void *arg, const char *address_text)
{
    return false;
}

void listener_stop(struct listener *listener)
{
    listener_close_sockets(listener, keep_none, NULL);
    reception_stop(&listener->reception);
    listener->clients.stopped = true;
    downstream_set_drain(&listener->clients);
    listener->stopped = true; /* from now on on_idle comes; clients that left already are seen by
                                 listener_is_idle() */
}

bool listener_is_idle(const struct listener *listener)
{
    return list_is_empty(&listener->clients.all) && reception_is_idle(&listener->reception);
}

void listener_abort_calls(struct listener *listener, const char *reason)
{
    downstream_set_abort(&listener->clients, reason);
}

void listener_destroy(struct listener *listener)
{
    if (listener == NULL)
        return;
    listener->stopped = false; /* nobody wants to hear of the end of each client */
    listener_close_sockets(listener, keep_none, NULL);
    reception_finish(&listener->reception);
    downstream_set_finish(&listener->clients);
    give_up_spare(listener);
    free(listener);
}
