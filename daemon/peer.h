/*
 * Who is at the other end of an accepted connection.
 *
 * Unix sockets: SO_PEERCRED, the credentials at the time of connect(). Loopback TCP: the kernel's
 * entry of the client's own socket. The rules that make the answer hold for the life of the
 * connection:
 * - it is asked for right after accept(), before a byte is read;
 * - by the exact addresses, never by a port alone;
 * - it counts only while a process has the socket: a client that wrote and closed leaves one
 * without an inode, of which the kernel says uid 0;
 * - only in the states of a connection that was established and is not over: SYN_SENT would be
 *   somebody else's new connect() on addresses that have just become free;
 * - afterwards our own end must still be ESTABLISHED or CLOSE_WAIT. Then no other socket can have
 *   had these addresses meanwhile: any new connection on them would have reset our end.
 * Whatever does not fit is "not known", and so is the overflow uid, which stands for every user of
 * another user namespace. A socket's user is the one who created it: a process that passes a
 * connected socket on passes its identity on.
 *
 * Owner: the caller's struct. Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_PEER_H
#define SPARKBRIDGE_DAEMON_PEER_H

#include <stdbool.h>
#include <sys/types.h>

#include "daemon/sock_diag.h"
#include "daemon/user.h"

/* What a look at connections needs. Owner: whoever embeds it; peer_finder_finish(). */
struct peer_finder {
    struct sock_diag diag;
    uid_t overflow_uid; /* the user id that stands for users who have none here */
};

struct peer {
    bool known;
    uid_t uid;           /* where known */
    pid_t pid;           /* of who called connect() on a Unix socket; 0: not known */
    const char *unknown; /* static text, a phrase: why the user is not known */
    struct user *user;   /* owned: what the user database says, where that was asked; else NULL */
};

void peer_finder_init(struct peer_finder *finder);
void peer_finder_finish(struct peer_finder *finder);

/* Asks about the connected socket `fd`. Never blocks. The caller ends the answer by peer_finish().
 */
struct peer peer_identify(struct peer_finder *finder, int fd);
void peer_finish(struct peer *peer); /* accepts what is zeroed */

/* What is found of a TCP client's socket; apart so that every case can be tested. */
struct peer peer_from_socket(const struct sock_diag_socket *socket, uid_t overflow_uid);

/* The program of the process, for the log; "" where it cannot be told. It is a name that the
 * process gave itself, and the process may be gone. A TCP client's process cannot be told: an
 * unprivileged daemon may not look into the descriptors of other users' processes. */
enum { PEER_PROGRAM_SIZE = 32 };
void peer_program(pid_t pid, char ret_name[PEER_PROGRAM_SIZE]);

#endif
