/* Asks the kernel for one socket. */
#include "daemon/sock_diag.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "daemon/inherited.h"

enum {
    ANSWER_BYTES = 4096, /* no attributes are asked for; an answer has about 100 bytes */
    MAX_STALE = 16,      /* answers to earlier queries that are read away before giving up */
};

/* The netlink socket of that name among those that the service manager passed, or -1. */
static int find_inherited(void)
{
    int fds[INHERITED_MAX];
    size_t count = inherited_find(SOCK_DIAG_INHERITED_NAME, fds);
    for (size_t i = 0; i < count; i++)
        if (sd_is_socket(fds[i], AF_NETLINK, 0, -1) > 0)
            return fds[i];
    return -1;
}

void sock_diag_init(struct sock_diag *diag)
{
    int fd = find_inherited();
    *diag = (struct sock_diag){.fd = fd, .inherited = fd >= 0};
}

void sock_diag_finish(struct sock_diag *diag)
{
    if (diag->fd >= 0)
        close(diag->fd);
    diag->fd = -1;
}

static int open_socket(struct sock_diag *diag)
{
    if (diag->fd >= 0)
        return 0;
    diag->fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
    return diag->fd < 0 ? -errno : 0;
}

static bool is_mapped(const struct sockaddr_in6 *address)
{
    return IN6_IS_ADDR_V4MAPPED(&address->sin6_addr);
}

static __be32 mapped_part(const struct sockaddr_in6 *address)
{
    __be32 part;
    memcpy(&part, &address->sin6_addr.s6_addr[12], sizeof part);
    return part;
}

int sock_diag_request(const struct sock_diag_query *query, struct inet_diag_req_v2 *ret_request)
{
    struct inet_diag_req_v2 request = {
        .sdiag_family = AF_INET,
        .sdiag_protocol = IPPROTO_TCP,
        .idiag_states = UINT32_MAX,
        .id.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE},
    };
    struct inet_diag_sockid *id = &request.id;
    if (query->local.sa.sa_family != query->remote.sa.sa_family)
        return -EAFNOSUPPORT;
    if (query->local.sa.sa_family == AF_INET) {
        id->idiag_sport = query->local.v4.sin_port;
        id->idiag_dport = query->remote.v4.sin_port;
        id->idiag_src[0] = query->local.v4.sin_addr.s_addr;
        id->idiag_dst[0] = query->remote.v4.sin_addr.s_addr;
    } else if (query->local.sa.sa_family == AF_INET6) {
        const struct sockaddr_in6 *local = &query->local.v6, *remote = &query->remote.v6;
        if (is_mapped(local) != is_mapped(remote))
            return -EAFNOSUPPORT;
        id->idiag_sport = local->sin6_port;
        id->idiag_dport = remote->sin6_port;
        if (is_mapped(local)) {
            id->idiag_src[0] = mapped_part(local);
            id->idiag_dst[0] = mapped_part(remote);
        } else {
            request.sdiag_family = AF_INET6;
            id->idiag_if = local->sin6_scope_id;
            memcpy(id->idiag_src, &local->sin6_addr, sizeof id->idiag_src);
            memcpy(id->idiag_dst, &remote->sin6_addr, sizeof id->idiag_dst);
        }
    } else {
        return -EAFNOSUPPORT;
    }
    *ret_request = request;
    return 0;
}

/* An IPv4 socket's two ends as the kernel writes them of a client whose socket is an IPv6 one, as
 * those of gRPC and of Java are: ::ffff:127.0.0.1. */
static struct inet_diag_sockid mapped_id(const struct inet_diag_sockid *id)
{
    struct inet_diag_sockid mapped = *id;
    const __be32 prefix[] = {0, 0, htonl(0xffff)};
    memcpy(mapped.idiag_src, prefix, sizeof prefix);
    memcpy(mapped.idiag_dst, prefix, sizeof prefix);
    mapped.idiag_src[3] = id->idiag_src[0];
    mapped.idiag_dst[3] = id->idiag_dst[0];
    return mapped;
}

/* The socket that was asked for, and not a listening one on its port, which the kernel offers where
 * there is no other. */
static bool is_same(const struct inet_diag_msg *answer, const struct inet_diag_req_v2 *request)
{
    const struct inet_diag_sockid *a = &answer->id;
    struct inet_diag_sockid b = request->id;
    size_t address_len =
        answer->idiag_family == AF_INET ? sizeof a->idiag_src[0] : sizeof a->idiag_src;
    if (answer->idiag_family == AF_INET6 && request->sdiag_family == AF_INET)
        b = mapped_id(&request->id);
    else if (answer->idiag_family != request->sdiag_family)
        return false;
    return a->idiag_sport == b.idiag_sport && a->idiag_dport == b.idiag_dport &&
           memcmp(a->idiag_src, b.idiag_src, address_len) == 0 &&
           memcmp(a->idiag_dst, b.idiag_dst, address_len) == 0;
}

int sock_diag_payload(const void *bytes, size_t *len, uint32_t sequence)
{
    struct nlmsghdr header;
    struct nlmsgerr error;
    if (*len < sizeof header)
        return -EBADMSG;
    memcpy(&header, bytes, sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > *len)
        return -EBADMSG;
    if (header.nlmsg_seq != sequence)
        return -EAGAIN;
    *len = header.nlmsg_len - NLMSG_HDRLEN;
    if (header.nlmsg_type == NLMSG_ERROR && *len >= sizeof error) {
        memcpy(&error, (const char *)bytes + NLMSG_HDRLEN, sizeof error);
        return error.error < 0 ? error.error : -EBADMSG;
    }
    return header.nlmsg_type == SOCK_DIAG_BY_FAMILY ? 0 : -EBADMSG;
}

int sock_diag_parse(const void *bytes, size_t len, uint32_t sequence,
                    const struct inet_diag_req_v2 *request, struct sock_diag_socket *ret_socket)
{
    struct inet_diag_msg answer;
    size_t payload_len = len;
    int error = sock_diag_payload(bytes, &payload_len, sequence);
    if (error < 0)
        return error;
    if (payload_len < sizeof answer)
        return -EBADMSG;
    memcpy(&answer, (const char *)bytes + NLMSG_HDRLEN, sizeof answer);
    if (!is_same(&answer, request))
        return -ENOENT;
    *ret_socket = (struct sock_diag_socket){
        .state = answer.idiag_state,
        .uid = answer.idiag_uid,
        .inode = answer.idiag_inode,
    };
    return 0;
}

static int send_request(const struct sock_diag *diag, const void *request, size_t len)
{
    struct nlmsghdr header = {
        .nlmsg_len = (uint32_t)(sizeof header + len),
        .nlmsg_type = SOCK_DIAG_BY_FAMILY,
        .nlmsg_flags = NLM_F_REQUEST, /* without NLM_F_DUMP: exactly one */
        .nlmsg_seq = diag->sequence,
    };
    struct iovec parts[] = {{&header, sizeof header}, {(void *)request, len}};
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    struct msghdr message = {
        .msg_name = &kernel, .msg_namelen = sizeof kernel, .msg_iov = parts, .msg_iovlen = 2};
    ssize_t n;
    do {
        n = sendmsg(diag->fd, &message, MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

/* One datagram of the kernel's; other processes' are left out (a negative number of bytes is an
 * errno, 0 a datagram to skip). */
static ssize_t receive(const struct sock_diag *diag, void *bytes, size_t size)
{
    struct sockaddr_nl from = {0};
    socklen_t from_len = sizeof from;
    ssize_t n;
    do {
        n = recvfrom(diag->fd, bytes, size, MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    return from_len == sizeof from && from.nl_pid == 0 ? n : 0;
}

static int ask(struct sock_diag *diag, const struct sock_diag_exchange *exchange)
{
    char bytes[ANSWER_BYTES];
    diag->sequence++;
    int error = send_request(diag, exchange->request, exchange->request_len);
    for (int i = 0; error == 0 && i < MAX_STALE; i++) {
        ssize_t n = receive(diag, bytes, sizeof bytes);
        if (n < 0)
            return n == -EAGAIN ? -ETIMEDOUT : (int)n;
        int result = exchange->parse(exchange, bytes, (size_t)n, diag->sequence);
        if (n > 0 && result != -EAGAIN)
            return result;
    }
    return error < 0 ? error : -ETIMEDOUT;
}

int sock_diag_ask(struct sock_diag *diag, const struct sock_diag_exchange *exchange)
{
    int error = 0;
    /* A second time with a new descriptor: what is wrong may be wrong with the old one. */
    for (int i = 0; i < 2; i++) {
        error = open_socket(diag);
        if (error == 0)
            error = ask(diag, exchange);
        if (error == 0 || error == -ENOENT)
            return error;
        if (!diag->inherited)
            sock_diag_finish(diag);
    }
    return error;
}

static int parse_inet(const struct sock_diag_exchange *exchange, const void *bytes, size_t len,
                      uint32_t sequence)
{
    return sock_diag_parse(bytes, len, sequence, exchange->request, exchange->ret);
}

int sock_diag_find(struct sock_diag *diag, const struct sock_diag_query *query,
                   struct sock_diag_socket *ret_socket)
{
    struct inet_diag_req_v2 request;
    const struct sock_diag_exchange exchange = {&request, sizeof request, parse_inet, ret_socket};
    int error = sock_diag_request(query, &request);
    return error < 0 ? error : sock_diag_ask(diag, &exchange);
}
