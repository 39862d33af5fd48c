/*
 * A listening Unix socket at a path, with its mode right from the first moment.
 *
 * It is bound under a name of its own with the mode set by the umask, listens, and is then linked
 * to its path: nobody ever sees it with another mode, and of two that begin at once one finds the
 * path taken. A socket that a dead process left behind is put aside first; one that somebody still
 * answers on is left alone.
 * Owner: the listener or the control socket, which calls unix_socket_remove() when it ends.
 */
#ifndef SPARKBRIDGE_DAEMON_UNIX_SOCKET_H
#define SPARKBRIDGE_DAEMON_UNIX_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"

struct unix_socket {
    int fd; /* the caller's to close */
    dev_t device;
    ino_t inode; /* of the path, to remove only what is ours */
};

/* Creates and listens. EX_CANTCREAT with the reason and remedy on failure; `option` is the one by
 * which another path can be chosen. */
bool unix_socket_listen(const char *path, const char *option, mode_t mode,
                        struct unix_socket *ret_socket, struct err *err);

/* Unlinks the path if it is still the socket that was made. */
void unix_socket_remove(const struct unix_socket *socket, const char *path);

#endif
