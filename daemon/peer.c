/* Who is at the other end of an accepted connection. */
#include "daemon/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/unix_diag.h"

enum { DEFAULT_OVERFLOW_UID = 65534 };

static ssize_t read_small(const char *path, char *ret_text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = read(fd, ret_text, size - 1);
    close(fd);
    ret_text[n > 0 ? n : 0] = '\0';
    return n;
}

static uid_t read_overflow_uid(void)
{
    char text[16], *end;
    if (read_small("/proc/sys/kernel/overflowuid", text, sizeof text) <= 0)
        return DEFAULT_OVERFLOW_UID;
    unsigned long uid = strtoul(text, &end, 10);
    return end == text ? (uid_t)DEFAULT_OVERFLOW_UID : (uid_t)uid;
}

void peer_program(pid_t pid, char ret_name[PEER_PROGRAM_SIZE])
{
    char path[32];
    ret_name[0] = '\0';
    if (pid <= 0)
        return;
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    if (read_small(path, ret_name, PEER_PROGRAM_SIZE) > 0)
        ret_name[strcspn(ret_name, "\n")] = '\0';
}

static struct peer unknown(const char *why)
{
    return (struct peer){.unknown = why};
}

static struct peer known(uid_t uid, pid_t pid, uid_t overflow_uid)
{
    if (uid == overflow_uid || uid == (uid_t)-1)
        return unknown("the user has no id in this user namespace");
    return (struct peer){.known = true, .uid = uid, .pid = pid};
}

struct peer peer_from_socket(const struct sock_diag_socket *socket, uid_t overflow_uid)
{
    switch (socket->state) {
    case TCP_ESTABLISHED:
    case TCP_FIN_WAIT1:
    case TCP_FIN_WAIT2:
    case TCP_CLOSE_WAIT: break;
    default: return unknown("the client's socket is not connected any more");
    }
    if (socket->inode == 0)
        return unknown("no process has the client's socket any more");
    return known(socket->uid, 0, overflow_uid);
}

/* While our end is open nobody else can have had the client's address and port. */
static bool is_still_open(int fd)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
           (info.tcpi_state == TCP_ESTABLISHED || info.tcpi_state == TCP_CLOSE_WAIT);
}

static struct peer identify_tcp(struct peer_finder *finder, int fd)
{
    struct sock_diag_query query = {0};
    struct sock_diag_socket socket;
    socklen_t local_len = sizeof query.local, remote_len = sizeof query.remote;
    /* The client's socket: what is remote to us is local to it. */
    if (getpeername(fd, &query.local.sa, &local_len) < 0 ||
        getsockname(fd, &query.remote.sa, &remote_len) < 0)
        return unknown("the client has gone");
    int error = sock_diag_find(&finder->diag, &query, &socket);
    if (error == -ENOENT)
        return unknown("the client's socket is gone, or in another network namespace");
    if (error < 0)
        return unknown(
            "the kernel does not say who connects by TCP (no NETLINK_SOCK_DIAG); a unix: "
            "address does not need it");
    struct peer peer = peer_from_socket(&socket, finder->overflow_uid);
    return is_still_open(fd) ? peer : unknown("the client has gone");
}

/* In a user namespace of our own others are known only to a netlink socket from outside. */
static struct peer identify_foreign(struct peer_finder *finder, int fd)
{
    uid_t uid;
    int error = unix_diag_find_peer(&finder->diag, fd, &uid);
    if (error == -ENOENT)
        return unknown("the client has gone");
    return error < 0 ? unknown("the user has no id in this user namespace")
                     : known(uid, 0, finder->overflow_uid);
}

static struct peer identify_unix(struct peer_finder *finder, int fd)
{
    struct ucred credentials;
    socklen_t len = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) < 0)
        return unknown("the kernel does not say who connects");
    if (credentials.uid == finder->overflow_uid)
        return identify_foreign(finder, fd);
    return known(credentials.uid, credentials.pid, finder->overflow_uid);
}

struct peer peer_identify(struct peer_finder *finder, int fd)
{
    int domain = AF_UNSPEC;
    socklen_t len = sizeof domain;
    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
    return domain == AF_UNIX ? identify_unix(finder, fd) : identify_tcp(finder, fd);
}

void peer_finish(struct peer *peer)
{
    user_destroy(peer->user);
    *peer = (struct peer){0};
}

void peer_finder_init(struct peer_finder *finder)
{
    sock_diag_init(&finder->diag);
    finder->overflow_uid = read_overflow_uid();
}

void peer_finder_finish(struct peer_finder *finder)
{
    sock_diag_finish(&finder->diag);
}
