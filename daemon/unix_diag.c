/* Asks the kernel who has the other end of a connected Unix socket. */
#include "daemon/unix_diag.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/unix_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* Of <linux/unix_diag.h> since Linux 5.3. */
enum { SHOW_UID = 0x40, ATTRIBUTE_UID = 7 };

struct wanted {
    unsigned short attribute;
    uint32_t inode; /* of the socket that is asked for */
    uint32_t value;
};

static int read_attribute(const char *bytes, size_t len, struct wanted *wanted)
{
    struct rtattr attribute;
    while (len >= sizeof attribute) {
        memcpy(&attribute, bytes, sizeof attribute);
        if (attribute.rta_len < sizeof attribute || attribute.rta_len > len)
            return -EBADMSG;
        if (attribute.rta_type == wanted->attribute &&
            attribute.rta_len >= RTA_LENGTH(sizeof wanted->value)) {
            memcpy(&wanted->value, bytes + RTA_LENGTH(0), sizeof wanted->value);
            return 0;
        }
        size_t step = RTA_ALIGN(attribute.rta_len);
        if (step >= len)
            break;
        bytes += step;
        len -= step;
    }
    return -ENOENT;
}

static int parse(const struct sock_diag_exchange *exchange, const void *bytes, size_t len,
                 uint32_t sequence)
{
    struct wanted *wanted = exchange->ret;
    struct unix_diag_msg answer;
    const size_t begin = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof answer);
    size_t payload_len = len;
    int error = sock_diag_payload(bytes, &payload_len, sequence);
    if (error < 0)
        return error;
    if (payload_len < sizeof answer)
        return -EBADMSG;
    memcpy(&answer, (const char *)bytes + NLMSG_HDRLEN, sizeof answer);
    if (answer.udiag_family != AF_UNIX || answer.udiag_ino != wanted->inode)
        return -EBADMSG;
    return read_attribute((const char *)bytes + begin, NLMSG_HDRLEN + payload_len - begin, wanted);
}

static int ask(struct sock_diag *diag, uint32_t show, struct wanted *wanted)
{
    const struct unix_diag_req request = {
        .sdiag_family = AF_UNIX,
        .udiag_states = UINT32_MAX,
        .udiag_ino = wanted->inode,
        .udiag_show = show,
        .udiag_cookie = {UINT32_MAX, UINT32_MAX}, /* any */
    };
    const struct sock_diag_exchange exchange = {&request, sizeof request, parse, wanted};
    return sock_diag_ask(diag, &exchange);
}

int unix_diag_find_peer(struct sock_diag *diag, int fd, uid_t *ret_uid)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    struct wanted peer = {.attribute = UNIX_DIAG_PEER, .inode = (uint32_t)st.st_ino};
    int error = ask(diag, UDIAG_SHOW_PEER, &peer);
    if (error < 0)
        return error;
    struct wanted user = {.attribute = ATTRIBUTE_UID, .inode = peer.value};
    error = peer.value != 0 ? ask(diag, SHOW_UID, &user) : -ENOENT;
    /* Still the same: the number cannot have become another socket's meanwhile. */
    if (error == 0)
        error = ask(diag, UDIAG_SHOW_PEER, &peer);
    if (error == 0 && peer.value != user.inode)
        error = -ENOENT;
    if (error == 0)
        *ret_uid = (uid_t)user.value;
    return error;
}
