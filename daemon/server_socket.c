/* Sockets that listen. */
#include "daemon/server_socket.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "common/alloc.h"
#include "common/log.h"

enum { BACKLOG = 511, FREE_PORT_TRIES = 20 };

union address {
    struct sockaddr sa;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
};

/* ---- what they are called ------------------------------------------------------------------- */

static bool is_v6(const char *host)
{
    return strchr(host, ':') != NULL;
}

static void format_address(const char *host, unsigned port, char ret_name[SERVER_SOCKET_NAME_SIZE])
{
    bool v6 = is_v6(host);
    snprintf(ret_name, SERVER_SOCKET_NAME_SIZE, "%s%s%s:%u", v6 ? "[" : "", host, v6 ? "]" : "",
             port);
}

static unsigned port_of(const union address *address)
{
    return ntohs(address->sa.sa_family == AF_INET6 ? address->v6.sin6_port : address->v4.sin_port);
}

static unsigned bound_port(int fd)
{
    union address address = {0};
    socklen_t len = sizeof address;
    return getsockname(fd, &address.sa, &len) == 0 ? port_of(&address) : 0;
}

void server_socket_name(const struct server_socket *socket, char ret_name[SERVER_SOCKET_NAME_SIZE])
{
    union address address = {0};
    socklen_t len = sizeof address;
    char host[INET6_ADDRSTRLEN] = "";
    if (socket->path != NULL) { /* it was bound under another name */
        snprintf(ret_name, SERVER_SOCKET_NAME_SIZE, "unix:%s", socket->path);
        return;
    }
    getsockname(socket->fd, &address.sa, &len);
    if (socket->is_unix) {
        bool is_abstract = address.local.sun_path[0] == '\0'; /* unix(7) */
        snprintf(ret_name, SERVER_SOCKET_NAME_SIZE, "unix:%s%.*s", is_abstract ? "@" : "",
                 (int)(sizeof address.local.sun_path - is_abstract),
                 address.local.sun_path + is_abstract);
        return;
    }
    uv_ip_name(&address.sa, host, sizeof host);
    format_address(host, port_of(&address), ret_name);
}

/* ---- TCP ------------------------------------------------------------------------------------ */

static int fail_and_close(int fd)
{
    int error = -errno;
    close(fd);
    return error;
}

/* Returns a socket that listens, or a negative errno. */
static int listen_tcp(const char *host, unsigned port)
{
    static const int on = 1;
    union address address = {0};
    bool v6 = is_v6(host);
    if (v6)
        uv_ip6_addr(host, (int)port, &address.v6);
    else
        uv_ip4_addr(host, (int)port, &address.v4);
    int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    /* The port of a process that has just ended is free again. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        (v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0) ||
        bind(fd, &address.sa, v6 ? sizeof address.v6 : sizeof address.v4) < 0 ||
        listen(fd, BACKLOG) < 0)
        return fail_and_close(fd);
    return fd;
}

static bool tcp_error(struct err *err, const char *host, unsigned port, int error)
{
    char name[SERVER_SOCKET_NAME_SIZE];
    const char *remedy = "";
    if (error == -EADDRINUSE)
        remedy = "; another process has this port: stop it, or choose another by --listen";
    else if (error == -EACCES)
        remedy = "; ports below 1024 need privileges: choose another by --listen";
    format_address(host, port, name);
    return err_set(err, EX_CANTCREAT, "cannot listen on %s: %s%s", name, uv_strerror(error),
                   remedy);
}

static void add(struct server_sockets *sockets, int fd, bool is_unix)
{
    assert(sockets->count < SERVER_SOCKETS_MAX);
    sockets->sockets[sockets->count++] = (struct server_socket){.fd = fd, .is_unix = is_unix};
}

static bool open_one(const struct listen_address *address, struct server_sockets *sockets,
                     struct err *err)
{
    int fd = listen_tcp(address->host, address->port);
    if (fd < 0)
        return tcp_error(err, address->host, address->port, fd);
    add(sockets, fd, false);
    return true;
}

/* Both families, so that nobody else can take the other one and pass for us. A machine without an
 * IPv6 loopback has only one, and there nobody can. */
static bool open_localhost(unsigned port, struct server_sockets *sockets, struct err *err)
{
    static const char *const v4 = "127.0.0.1", *const v6 = "::1";
    int second = 0;
    for (int i = 0; i < FREE_PORT_TRIES; i++) {
        int first = listen_tcp(v4, port);
        if (first < 0)
            return tcp_error(err, v4, port, first);
        second = listen_tcp(v6, bound_port(first));
        bool has_no_v6 = second == -EADDRNOTAVAIL || second == -EAFNOSUPPORT;
        if (has_no_v6)
            log_info("this machine has no IPv6 loopback: only 127.0.0.1 is listened on");
        if (second >= 0 || has_no_v6) {
            add(sockets, first, false);
            if (second >= 0)
                add(sockets, second, false);
            return true;
        }
        close(first);
        if (port != 0 || second != -EADDRINUSE)
            break; /* a port that the kernel chose may be taken on the other family: once more */
    }
    return tcp_error(err, v6, port, second);
}

/* ---- others --------------------------------------------------------------------------------- */

static bool open_unix(const char *path, unsigned mode, struct server_sockets *sockets,
                      struct err *err)
{
    struct unix_socket unix_socket;
    if (!unix_socket_listen(path, "--listen", mode, &unix_socket, err))
        return false;
    add(sockets, unix_socket.fd, true);
    sockets->sockets[0].unix_socket = unix_socket;
    sockets->sockets[0].path = xstrdup(path);
    return true;
}

static bool open_inherited_one(const struct listen_address *address, int inherited,
                               struct server_sockets *sockets, struct err *err)
{
    int fd = inherited_take(inherited, address->name, err), domain = AF_UNSPEC;
    socklen_t len = sizeof domain;
    if (fd < 0)
        return false;
    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
    if (listen(fd, BACKLOG) < 0)
        return err_set(err, EX_CANTCREAT, "cannot listen on %s: %s", address->text,
                       uv_strerror(fail_and_close(fd)));
    add(sockets, fd, domain == AF_UNIX);
    return true;
}

/* All sockets of that name. */
static bool open_inherited(const struct listen_address *address, struct server_sockets *sockets,
                           struct err *err)
{
    int fds[INHERITED_MAX];
    size_t count = inherited_find(address->name, fds);
    if (count == 0)
        return err_set(err, EX_CANTCREAT,
                       "cannot listen on %s: systemd has passed no socket of that name; it is the "
                       "FileDescriptorName= of a socket unit, which has to be started first",
                       address->text);
    bool ok = true;
    for (size_t i = 0; i < count && ok; i++)
        ok = open_inherited_one(address, fds[i], sockets, err);
    for (size_t i = 0; i < sockets->count && !ok; i++)
        server_socket_finish(&sockets->sockets[i]);
    return ok;
}

bool server_sockets_open(const struct listen_address *address, unsigned socket_mode,
                         struct server_sockets *ret_sockets, struct err *err)
{
    ret_sockets->count = 0;
    if (address->kind == ADDRESS_UNIX)
        return open_unix(address->path, socket_mode, ret_sockets, err);
    if (address->kind == ADDRESS_INHERITED)
        return open_inherited(address, ret_sockets, err);
    if (strcmp(address->host, "localhost") == 0)
        return open_localhost(address->port, ret_sockets, err);
    return open_one(address, ret_sockets, err);
}

void server_socket_finish(struct server_socket *socket)
{
    if (socket->path != NULL)
        unix_socket_remove(&socket->unix_socket, socket->path);
    free(socket->path);
    close(socket->fd);
    *socket = (struct server_socket){.fd = -1};
}
