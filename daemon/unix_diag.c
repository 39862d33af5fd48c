/* Asks the kernel who has the other end of a connected Unix socket. */
#include "daemon/unix_diag.h"

#include <assert.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/unix_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* Of <linux/unix_diag.h> since Linux 5.3. */
enum { SHOW_UID = 0x40, ATTRIBUTE_UID = 7 };

/* The answer and its attributes follow the header without a gap. */
static_assert(sizeof(struct unix_diag_msg) % NLMSG_ALIGNTO == 0, "attributes begin aligned");

/* What an exchange is about: the socket that is asked for, and what is said of it. */
struct exchange {
    uint32_t inode;
    struct unix_diag_socket *socket;
};

static bool read_number(const struct rtattr *attribute, const char *bytes, uint32_t *ret)
{
    if (attribute->rta_len != RTA_LENGTH(sizeof *ret))
        return false;
    memcpy(ret, bytes + RTA_LENGTH(0), sizeof *ret);
    return true;
}

/* Attributes that were not asked for are left out: the kernel may add some. */
static int read_attributes(const char *bytes, size_t len, struct unix_diag_socket *socket)
{
    struct rtattr attribute;
    while (len >= sizeof attribute) {
        memcpy(&attribute, bytes, sizeof attribute);
        if (attribute.rta_len < sizeof attribute || attribute.rta_len > len)
            return -EBADMSG;
        if (attribute.rta_type == UNIX_DIAG_PEER)
            socket->has_peer = read_number(&attribute, bytes, &socket->peer);
        else if (attribute.rta_type == ATTRIBUTE_UID)
            socket->has_uid = read_number(&attribute, bytes, &socket->uid);
        size_t step = RTA_ALIGN(attribute.rta_len);
        if (step >= len)
            break;
        bytes += step;
        len -= step;
    }
    return 0;
}

int unix_diag_parse(const void *bytes, size_t len, uint32_t sequence, uint32_t inode,
                    struct unix_diag_socket *ret_socket)
{
    struct unix_diag_socket socket = {0};
    struct unix_diag_msg answer;
    size_t payload_len = len;
    int error = sock_diag_payload(bytes, &payload_len, sequence);
    if (error < 0)
        return error;
    if (payload_len < sizeof answer)
        return -EBADMSG;
    const char *payload = (const char *)bytes + NLMSG_HDRLEN;
    memcpy(&answer, payload, sizeof answer);
    if (answer.udiag_family != AF_UNIX || answer.udiag_ino != inode)
        return -EBADMSG;
    error = read_attributes(payload + sizeof answer, payload_len - sizeof answer, &socket);
    if (error == 0)
        *ret_socket = socket;
    return error;
}

static int parse(const struct sock_diag_exchange *exchange, const void *bytes, size_t len,
                 uint32_t sequence)
{
    const struct exchange *about = exchange->ret;
    return unix_diag_parse(bytes, len, sequence, about->inode, about->socket);
}

static int ask(struct sock_diag *diag, uint32_t inode, uint64_t cookie,
               struct unix_diag_socket *ret_socket)
{
    const struct unix_diag_req request = {
        .sdiag_family = AF_UNIX,
        .udiag_states = UINT32_MAX,
        .udiag_ino = inode,
        .udiag_show = UDIAG_SHOW_PEER | SHOW_UID,
        .udiag_cookie = {(uint32_t)cookie, (uint32_t)(cookie >> 32)},
    };
    struct exchange about = {inode, ret_socket};
    const struct sock_diag_exchange exchange = {&request, sizeof request, parse, &about};
    return sock_diag_ask(diag, &exchange);
}

/* Numbers of sockets are 32 bits that count up and begin anew, so that two sockets may have the
 * same. Our own is named by its cookie too, which no other ever gets; the peer's is the one whose
 * own peer we are, and not another user's with the same number. */
int unix_diag_find_peer(struct sock_diag *diag, int fd, uid_t *ret_uid)
{
    struct stat st;
    struct unix_diag_socket own, peer;
    uint64_t cookie;
    socklen_t cookie_len = sizeof cookie;
    if (fstat(fd, &st) < 0 || getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &cookie_len) < 0)
        return -errno;
    if (st.st_ino > UINT32_MAX)
        return -EOVERFLOW;
    int error = ask(diag, (uint32_t)st.st_ino, cookie, &own);
    if (error < 0)
        return error;
    if (!own.has_peer || own.peer == 0)
        return -ENOENT;
    error = ask(diag, own.peer, UINT64_MAX, &peer); /* any cookie */
    if (error < 0)
        return error;
    if (!peer.has_peer || peer.peer != (uint32_t)st.st_ino)
        return -ENOENT;
    if (!peer.has_uid)
        return -EOPNOTSUPP;
    *ret_uid = (uid_t)peer.uid;
    return 0;
}
