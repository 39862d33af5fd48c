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

/* A Unix socket as the kernel describes it. */
struct unix_diag_socket {
    bool has_peer, has_uid; /* whether it says so */
    uint32_t peer;          /* the other end's inode; 0: that end is closed */
    uint32_t uid;           /* in the user namespace of the descriptor's opener */
};

/* The peer of the connected socket `fd`. Returns 0, -ENOENT where it is gone, or another negative
 * errno where the kernel could not be asked (-EOPNOTSUPP: it is too old). */
int unix_diag_find_peer(struct sock_diag *diag, int fd, uid_t *ret_uid);

/* Reads one datagram of the kernel's about the socket `inode`; returns as sock_diag_parse(), and
 * leaves *ret_socket alone where that is not 0. */
int unix_diag_parse(const void *bytes, size_t len, uint32_t sequence, uint32_t inode,
                    struct unix_diag_socket *ret_socket);

#endif
