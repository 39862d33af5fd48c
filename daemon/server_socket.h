/*
 * Sockets that listen: those of an address of the configuration, made here or inherited, and what
 * they are called.
 *
 * Owner: the caller of server_sockets_open(), of each one by server_socket_finish().
 */
#ifndef SPARKBRIDGE_DAEMON_SERVER_SOCKET_H
#define SPARKBRIDGE_DAEMON_SERVER_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "conf/address.h"
#include "daemon/inherited.h"
#include "daemon/unix_socket.h"

enum {
    SERVER_SOCKETS_MAX = INHERITED_MAX, /* of one address */
    SERVER_SOCKET_NAME_SIZE = 128,      /* "unix:" and a path, or [::1]:65535 */
};

struct server_socket {
    int fd; /* owned */
    bool is_unix;
    char *path;                     /* owned; NULL for TCP and what systemd opened */
    struct unix_socket unix_socket; /* with `path` */
};

struct server_sockets {
    struct server_socket sockets[SERVER_SOCKETS_MAX];
    size_t count;
};

/* Makes or finds the sockets of one address, all or none, and has them listen. "localhost" is both
 * families. EX_CANTCREAT, with the remedy, on failure. */
bool server_sockets_open(const struct listen_address *address, unsigned socket_mode,
                         struct server_sockets *ret_sockets, struct err *err);

/* The address as it was bound, with the port that the kernel chose. */
void server_socket_name(const struct server_socket *socket, char ret_name[SERVER_SOCKET_NAME_SIZE]);

/* Closes it, and removes the path that was made. */
void server_socket_finish(struct server_socket *socket);

#endif
