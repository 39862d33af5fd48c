/* What the kernel says about Unix sockets, and what is made of answers that are not as they should
 * be. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>

#include "daemon/unix_diag.h"

enum { ATTRIBUTE_UID = 7, SEQUENCE = 5, INODE = 4711, PEER = 815, SOME_UID = 1234 };

struct number {
    struct rtattr attribute;
    uint32_t value;
};

struct answer {
    struct nlmsghdr header;
    struct unix_diag_msg message;
    struct number peer, unknown, uid;
};

static struct number some_number(unsigned short type, uint32_t value)
{
    return (struct number){{.rta_len = sizeof(struct number), .rta_type = type}, value};
}

static struct answer some_answer(void)
{
    return (struct answer){
        .header = {.nlmsg_len = sizeof(struct answer),
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_seq = SEQUENCE},
        .message = {.udiag_family = AF_UNIX, .udiag_ino = INODE},
        .peer = some_number(UNIX_DIAG_PEER, PEER),
        .unknown = some_number(99, 99),
        .uid = some_number(ATTRIBUTE_UID, SOME_UID),
    };
}

static int parse(const struct answer *answer, size_t len, struct unix_diag_socket *ret_socket)
{
    return unix_diag_parse(answer, len, SEQUENCE, INODE, ret_socket);
}

static void test_answer(void **state)
{
    struct answer answer = some_answer();
    struct unix_diag_socket socket;
    assert_int_equal(parse(&answer, sizeof answer, &socket), 0);
    assert_true(socket.has_peer);
    assert_int_equal(socket.peer, PEER);
    assert_true(socket.has_uid);
    assert_int_equal(socket.uid, SOME_UID);
    assert_int_equal(unix_diag_parse(&answer, sizeof answer, SEQUENCE + 1, INODE, &socket),
                     -EAGAIN);
    assert_int_equal(unix_diag_parse(&answer, sizeof answer, SEQUENCE, INODE + 1, &socket),
                     -EBADMSG);
}

/* A datagram that was cut, and a message that is shorter than its parts: in memory of just that
 * size, so that a sanitizer sees what is read behind it. */
static void test_short_answers(void **state)
{
    const struct answer good = some_answer();
    for (size_t len = 0; len < sizeof good; len++) {
        struct unix_diag_socket socket = {.peer = 1};
        char *bytes = test_malloc(len + 1);
        memcpy(bytes, &good, len);
        assert_int_equal(unix_diag_parse(bytes, len, SEQUENCE, INODE, &socket), -EBADMSG);
        if (len >= sizeof good.header) {
            struct nlmsghdr header = good.header;
            header.nlmsg_len = (uint32_t)len;
            memcpy(bytes, &header, sizeof header);
            int error = unix_diag_parse(bytes, len, SEQUENCE, INODE, &socket);
            assert_true(error == 0 || error == -EBADMSG);
            assert_false(error == 0 && socket.has_uid);
        }
        test_free(bytes);
    }
}

static void test_attributes(void **state)
{
    struct unix_diag_socket socket = {.peer = 1};
    struct answer bad = some_answer();
    for (unsigned short len = 0; len < (unsigned short)sizeof(struct rtattr); len++) {
        bad.unknown.attribute.rta_len = len; /* it would never end */
        assert_int_equal(parse(&bad, sizeof bad, &socket), -EBADMSG);
    }
    bad = some_answer();
    bad.uid.attribute.rta_len = UINT16_MAX;
    assert_int_equal(parse(&bad, sizeof bad, &socket), -EBADMSG);
    assert_int_equal(socket.peer, 1); /* as it was */
    bad = some_answer();
    bad.uid.attribute.rta_len = sizeof(struct rtattr) + 2;
    assert_int_equal(parse(&bad, sizeof bad, &socket), 0);
    assert_false(socket.has_uid);
    bad = some_answer();
    bad.peer.attribute.rta_type = 98;
    assert_int_equal(parse(&bad, sizeof bad, &socket), 0);
    assert_false(socket.has_peer);
}

static void test_other_messages(void **state)
{
    struct unix_diag_socket socket;
    struct answer bad = some_answer();
    bad.message.udiag_family = AF_INET;
    assert_int_equal(parse(&bad, sizeof bad, &socket), -EBADMSG);
    bad = some_answer();
    bad.header.nlmsg_type = NLMSG_DONE;
    assert_int_equal(parse(&bad, sizeof bad, &socket), -EBADMSG);
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
    } error = {
        .header = {.nlmsg_len = sizeof error, .nlmsg_type = NLMSG_ERROR, .nlmsg_seq = SEQUENCE},
        .error = {.error = -ENOENT},
    };
    assert_int_equal(unix_diag_parse(&error, sizeof error, SEQUENCE, INODE, &socket), -ENOENT);
}

/* The kernel itself. */
static void test_connected_and_not(void **state)
{
    struct sock_diag diag;
    int ends[2], other[2];
    uid_t uid = (uid_t)-1;
    sock_diag_init(&diag);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(unix_diag_find_peer(&diag, ends[0], &uid), 0);
    assert_int_equal(uid, geteuid());
    close(ends[1]);
    assert_int_equal(unix_diag_find_peer(&diag, ends[0], &uid), -ENOENT);
    close(ends[0]);
    int alone = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(unix_diag_find_peer(&diag, alone, &uid), -ENOENT);
    close(alone);
    assert_int_equal(pipe(other), 0);
    assert_int_equal(unix_diag_find_peer(&diag, other[0], &uid), -ENOTSOCK);
    close(other[0]);
    close(other[1]);
    sock_diag_finish(&diag);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_short_answers),
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_other_messages),
        cmocka_unit_test(test_connected_and_not),
    };
    return cmocka_run_group_tests_name("unix_diag", tests, NULL, NULL);
}
