/*
 * Asks the kernel who has the other end of a connected Unix socket (NETLINK_SOCK_DIAG,
 * sock_diag(7)).
 *
 * For a daemon with a user namespace of its own: there SO_PEERCRED shows all other users as one,
 * while a netlink socket that PID 1 opened sees them as they are. The answer is the user who made
 * the peer's socket, not the one who connected it, as it is with TCP. Linux 5.3.
 */
#ifndef SPARKBRIDGE_DAEMON_UNIX_DIAG_H
#define SPARKBRIDGE_DAEMON_UNIX_DIAG_H

#include "daemon/sock_diag.h"

/* The peer of the connected socket `fd`. Returns 0, -ENOENT where it is gone, or another negative
 * errno where the kernel could not be asked. */
int unix_diag_find_peer(struct sock_diag *diag, int fd, uid_t *ret_uid);

#endif
