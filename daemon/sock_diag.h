/*
 * Asks the kernel for one TCP socket by its exact addresses (NETLINK_SOCK_DIAG, sock_diag(7)).
 *
 * No privilege is needed. The kernel answers while the request is being sent, so that the answer is
 * there when sending returns and nothing ever waits. The descriptor is kept; after an error it is
 * closed and the next query opens another, but for an inherited one, which we could not get again.
 * The bytes that come back are the kernel's, which is trusted; they are checked all the same,
 * because whatever is not understood has to mean "not known".
 *
 * Owner: whoever embeds it; sock_diag_finish(). Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_SOCK_DIAG_H
#define SPARKBRIDGE_DAEMON_SOCK_DIAG_H

#include <linux/inet_diag.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The name of an inherited descriptor (FileDescriptorName= of systemd.socket(5)). One that was
 * opened by PID 1 sees the user ids of the host, also where the daemon has a user namespace. */
#define SOCK_DIAG_INHERITED_NAME "inet-diag"

struct sock_diag {
    int fd; /* -1: none is open */
    uint32_t sequence;
    bool inherited; /* it is never closed before the end */
};

/* A socket as the kernel knows it. */
struct sock_diag_socket {
    int state;      /* TCP_ESTABLISHED ... of netinet/tcp.h */
    uid_t uid;      /* of its creator; in the user namespace of the descriptor's opener */
    uint64_t inode; /* 0: no process has it any more, and then the uid means nothing */
};

/* The two ends as the socket that is looked for sees them. */
struct sock_diag_query {
    union {
        struct sockaddr sa;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } local, remote;
};

/* Opens nothing yet; an inherited descriptor is taken over. */
void sock_diag_init(struct sock_diag *diag);
void sock_diag_finish(struct sock_diag *diag);

/* Returns 0, or a negative errno: -ENOENT where the kernel says that there is no such socket in
 * this network namespace, anything else where it could not be asked. */
int sock_diag_find(struct sock_diag *diag, const struct sock_diag_query *query,
                   struct sock_diag_socket *ret_socket);

/* The request's addresses in the kernel's form; IPv4-mapped ones become IPv4, as whose sockets the
 * kernel keeps them. For IPv6 `scope` is the interface of link-local addresses. -EAFNOSUPPORT for
 * ends that are not of one family. */
int sock_diag_request(const struct sock_diag_query *query, struct inet_diag_req_v2 *ret_request);

/* Reads one datagram of the kernel's. Returns 0 where it answers the request of that number,
 * -EAGAIN where it answers another, a negative errno where it says so or cannot be understood. */
int sock_diag_parse(const void *bytes, size_t len, uint32_t sequence,
                    const struct inet_diag_req_v2 *request, struct sock_diag_socket *ret_socket);

/* ---- for daemon/unix_diag.c ---------------------------------------------------------------- */

/* One question and who reads the answer. */
struct sock_diag_exchange {
    const void *request; /* borrowed */
    size_t request_len;
    /* As sock_diag_parse(): fills in `ret`. */
    int (*parse)(const struct sock_diag_exchange *exchange, const void *bytes, size_t len,
                 uint32_t sequence);
    void *ret; /* borrowed */
};

/* Returns what `parse` does, or why the kernel could not be asked. */
int sock_diag_ask(struct sock_diag *diag, const struct sock_diag_exchange *exchange);

/* Looks at the header of a datagram of *len bytes: 0, and in *len the length of what follows it, or
 * an error as of sock_diag_parse(). */
int sock_diag_payload(const void *bytes, size_t *len, uint32_t sequence);

#endif
