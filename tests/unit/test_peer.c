/* Who is at the other end of a connection: each rule alone, and the kernel's answers. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/peer.h"

enum { OVERFLOW_UID = 65534, SOME_UID = 20001 };

/* A connection over the loopback: both ends, as a daemon would have accepted it. */
struct pair {
    int listener, client, server;
};

static void address_of(int family, struct sockaddr_storage *ret_address, socklen_t *ret_len)
{
    *ret_address = (struct sockaddr_storage){.ss_family = (sa_family_t)family};
    *ret_len = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    if (family == AF_INET)
        ((struct sockaddr_in *)ret_address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        ((struct sockaddr_in6 *)ret_address)->sin6_addr = in6addr_loopback;
}

/* The listener of a mapped pair takes both families, and the client comes by IPv4. */
static struct pair connect_pair(int family, bool mapped)
{
    struct sockaddr_storage address;
    socklen_t len;
    struct pair pair = {.listener = socket(family, SOCK_STREAM, 0)};
    assert_true(pair.listener >= 0);
    address_of(family, &address, &len);
    if (mapped)
        ((struct sockaddr_in6 *)&address)->sin6_addr = in6addr_any;
    assert_int_equal(bind(pair.listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(pair.listener, 1), 0);
    assert_int_equal(getsockname(pair.listener, (struct sockaddr *)&address, &len), 0);
    if (mapped) {
        in_port_t port = ((struct sockaddr_in6 *)&address)->sin6_port;
        address_of(AF_INET, &address, &len);
        ((struct sockaddr_in *)&address)->sin_port = port;
    }
    pair.client = socket(mapped ? AF_INET : family, SOCK_STREAM, 0);
    assert_int_equal(connect(pair.client, (struct sockaddr *)&address, len), 0);
    pair.server = accept(pair.listener, NULL, NULL);
    assert_true(pair.server >= 0);
    return pair;
}

static void close_pair(const struct pair *pair)
{
    if (pair->client >= 0)
        close(pair->client);
    close(pair->server);
    close(pair->listener);
}

/* Until the server has heard of what the client did. */
static void wait_for_end(const struct pair *pair)
{
    struct pollfd poll_fd = {.fd = pair->server, .events = POLLRDHUP};
    assert_int_equal(poll(&poll_fd, 1, 5000), 1);
}

static struct peer identify(int fd)
{
    struct peer_finder finder;
    peer_finder_init(&finder);
    struct peer peer = peer_identify(&finder, fd);
    peer_finder_finish(&finder);
    return peer;
}

static void test_states(void **state)
{
    for (int tcp_state = 0; tcp_state <= 13; tcp_state++) {
        bool counts = tcp_state == TCP_ESTABLISHED || tcp_state == TCP_FIN_WAIT1 ||
                      tcp_state == TCP_FIN_WAIT2 || tcp_state == TCP_CLOSE_WAIT;
        struct sock_diag_socket socket = {.state = tcp_state, .uid = SOME_UID, .inode = 7};
        struct peer peer = peer_from_socket(&socket, OVERFLOW_UID);
        assert_int_equal(peer.known, counts);
        assert_int_equal(peer.uid, counts ? SOME_UID : 0);
        assert_int_equal(peer.unknown == NULL, counts);
        socket.inode = 0; /* a client that wrote and closed; the kernel says uid 0 of it */
        socket.uid = 0;
        assert_false(peer_from_socket(&socket, OVERFLOW_UID).known);
    }
}

static void test_overflow_uid(void **state)
{
    struct sock_diag_socket socket = {.state = TCP_ESTABLISHED, .uid = OVERFLOW_UID, .inode = 7};
    assert_false(peer_from_socket(&socket, OVERFLOW_UID).known);
    assert_true(peer_from_socket(&socket, 4711).known);
    socket.uid = (uid_t)-1;
    assert_false(peer_from_socket(&socket, OVERFLOW_UID).known);
}

static void test_own_connections(void **state)
{
    static const struct {
        int family;
        bool mapped;
    } cases[] = {{AF_INET, false}, {AF_INET6, false}, {AF_INET6, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pair pair = connect_pair(cases[i].family, cases[i].mapped);
        struct peer peer = identify(pair.server);
        assert_true(peer.known);
        assert_int_equal(peer.uid, geteuid());
        /* A client that has said all it has to say is still there. */
        assert_int_equal(shutdown(pair.client, SHUT_WR), 0);
        wait_for_end(&pair);
        assert_true(identify(pair.server).known);
        close_pair(&pair);
    }
}

/* gRPC and Java connect to 127.0.0.1 by IPv6 sockets, and the kernel answers with their form. */
static void test_ipv6_client_of_an_ipv4_listener(void **state)
{
    struct pair pair = connect_pair(AF_INET, false);
    struct sockaddr_in v4;
    socklen_t len = sizeof v4;
    getsockname(pair.listener, (struct sockaddr *)&v4, &len);
    close(pair.client);
    close(pair.server);
    struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_port = v4.sin_port};
    inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr);
    pair.client = socket(AF_INET6, SOCK_STREAM, 0);
    assert_int_equal(connect(pair.client, (struct sockaddr *)&mapped, sizeof mapped), 0);
    pair.server = accept(pair.listener, NULL, NULL);
    struct peer peer = identify(pair.server);
    assert_true(peer.known);
    assert_int_equal(peer.uid, geteuid());
    close_pair(&pair);
}

static void test_written_and_closed(void **state)
{
    struct pair pair = connect_pair(AF_INET, false);
    assert_int_equal(write(pair.client, "x", 1), 1);
    close(pair.client);
    pair.client = -1;
    wait_for_end(&pair);
    assert_false(identify(pair.server).known);
    close_pair(&pair);
}

static void test_reset(void **state)
{
    struct pair pair = connect_pair(AF_INET, false);
    struct linger linger = {.l_onoff = 1};
    assert_int_equal(setsockopt(pair.client, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    assert_int_equal(write(pair.client, "x", 1), 1);
    close(pair.client);
    pair.client = -1;
    wait_for_end(&pair);
    assert_false(identify(pair.server).known);
    close_pair(&pair);
}

/* The descriptor is kept: a thousand questions, each with its own answer. */
static void test_many_questions(void **state)
{
    struct peer_finder finder;
    peer_finder_init(&finder);
    struct pair open = connect_pair(AF_INET, false), closed = connect_pair(AF_INET, false);
    close(closed.client);
    closed.client = -1;
    wait_for_end(&closed);
    assert_true(peer_identify(&finder, open.server).known);
    int fd = finder.diag.fd;
    for (int i = 0; i < 1000; i++) {
        assert_true(peer_identify(&finder, open.server).known);
        assert_false(peer_identify(&finder, closed.server).known);
    }
    assert_int_equal(finder.diag.fd, fd);
    /* One that has become useless is replaced. */
    close(finder.diag.fd);
    finder.diag.fd = dup(STDIN_FILENO);
    assert_true(peer_identify(&finder, open.server).known);
    peer_finder_finish(&finder);
    close_pair(&open);
    close_pair(&closed);
}

static void test_stale_answers(void **state)
{
    struct peer_finder finder;
    peer_finder_init(&finder);
    struct pair pair = connect_pair(AF_INET, false);
    assert_true(peer_identify(&finder, pair.server).known);
    /* A question whose answer nobody reads: it must not be taken for the next one's. */
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 request;
    } other = {
        .header = {.nlmsg_len = sizeof other,
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST,
                   .nlmsg_seq = finder.diag.sequence - 1},
        .request = {.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP},
    };
    for (int i = 0; i < 5; i++)
        assert_int_equal(send(finder.diag.fd, &other, sizeof other, 0), (ssize_t)sizeof other);
    assert_true(peer_identify(&finder, pair.server).known);
    peer_finder_finish(&finder);
    close_pair(&pair);
}

static void test_unix(void **state)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct peer peer = identify(fds[0]);
    assert_true(peer.known);
    assert_int_equal(peer.uid, geteuid());
    assert_int_equal(peer.pid, getpid());
    char program[PEER_PROGRAM_SIZE];
    peer_program(peer.pid, program);
    assert_string_equal(program, "test_peer");
    peer_program(0, program);
    assert_string_equal(program, "");
    close(fds[0]);
    close(fds[1]);
}

static void test_no_connection(void **state)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_false(identify(fd).known);
    close(fd);
    assert_false(identify(-1).known);
}

static int bring_up_loopback(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    int result = ioctl(fd, SIOCSIFFLAGS, &request);
    close(fd);
    return result;
}

/* In a process of its own: the descriptor asks of one network namespace, the client's socket is in
 * another. */
static int ask_across_namespaces(void)
{
    struct peer_finder finder;
    peer_finder_init(&finder);
    struct pair here = connect_pair(AF_INET, false);
    bool knows_here = peer_identify(&finder, here.server).known;
    if (unshare(CLONE_NEWNET) < 0 || bring_up_loopback() < 0)
        return 77;
    struct pair there = connect_pair(AF_INET, false);
    bool knows_there = peer_identify(&finder, there.server).known;
    bool asked_there = identify(there.server).known; /* by a descriptor of that namespace */
    return knows_here && !knows_there && asked_there ? 0 : 1;
}

static void test_other_network_namespace(void **state)
{
    pid_t child = fork();
    if (child == 0)
        _exit(ask_across_namespaces());
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("skipped: making a network namespace needs root\n");
        skip();
    }
    assert_int_equal(status, 0);
}

/* ---- what the kernel says, byte by byte -------------------------------------------------------
 */

static struct sock_diag_query some_query(void)
{
    struct sock_diag_query query = {
        .local.v4 = {.sin_family = AF_INET,
                     .sin_port = htons(40000),
                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
        .remote.v4 = {.sin_family = AF_INET,
                      .sin_port = htons(15002),
                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
    };
    return query;
}

struct answer {
    struct nlmsghdr header;
    struct inet_diag_msg message;
};

static struct answer some_answer(const struct inet_diag_req_v2 *request)
{
    return (struct answer){
        .header = {.nlmsg_len = sizeof(struct answer),
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_seq = 5},
        .message = {.idiag_family = AF_INET,
                    .idiag_state = TCP_ESTABLISHED,
                    .id = request->id,
                    .idiag_uid = SOME_UID,
                    .idiag_inode = 99},
    };
}

static void test_answers(void **state)
{
    struct sock_diag_query query = some_query();
    struct inet_diag_req_v2 request;
    struct sock_diag_socket socket = {0};
    assert_int_equal(sock_diag_request(&query, &request), 0);
    struct answer good = some_answer(&request), bad;
    assert_int_equal(sock_diag_parse(&good, sizeof good, 5, &request, &socket), 0);
    assert_int_equal(socket.uid, SOME_UID);
    assert_int_equal(socket.inode, 99);
    assert_int_equal(socket.state, TCP_ESTABLISHED);

    assert_int_equal(sock_diag_parse(&good, sizeof good, 6, &request, &socket), -EAGAIN);
    for (size_t len = 0; len < sizeof good; len++)
        assert_int_equal(sock_diag_parse(&good, len, 5, &request, &socket), -EBADMSG);
    bad = good;
    bad.message.id.idiag_dport = 0; /* a listener on the client's port */
    assert_int_equal(sock_diag_parse(&bad, sizeof bad, 5, &request, &socket), -ENOENT);
    bad = good;
    bad.message.id.idiag_src[0] = 0;
    assert_int_equal(sock_diag_parse(&bad, sizeof bad, 5, &request, &socket), -ENOENT);
    bad = good;
    bad.header.nlmsg_type = NLMSG_DONE;
    assert_int_equal(sock_diag_parse(&bad, sizeof bad, 5, &request, &socket), -EBADMSG);
    bad = good;
    bad.header.nlmsg_len = sizeof bad.header;
    assert_int_equal(sock_diag_parse(&bad, sizeof bad, 5, &request, &socket), -EBADMSG);
}

static void test_errors(void **state)
{
    struct sock_diag_query query = some_query();
    struct inet_diag_req_v2 request;
    struct sock_diag_socket socket;
    assert_int_equal(sock_diag_request(&query, &request), 0);
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
    } message = {
        .header = {.nlmsg_len = sizeof message, .nlmsg_type = NLMSG_ERROR, .nlmsg_seq = 5},
        .error = {.error = -ENOENT},
    };
    assert_int_equal(sock_diag_parse(&message, sizeof message, 5, &request, &socket), -ENOENT);
    message.error.error = -EPERM;
    assert_int_equal(sock_diag_parse(&message, sizeof message, 5, &request, &socket), -EPERM);
    message.error.error = 0; /* an acknowledgement is no answer */
    assert_int_equal(sock_diag_parse(&message, sizeof message, 5, &request, &socket), -EBADMSG);
}

static void test_requests(void **state)
{
    struct sock_diag_query query = some_query();
    struct inet_diag_req_v2 request;
    assert_int_equal(sock_diag_request(&query, &request), 0);
    assert_int_equal(request.id.idiag_sport, htons(40000));
    assert_int_equal(request.id.idiag_dport, htons(15002));
    query.remote.sa.sa_family = AF_INET6;
    assert_int_equal(sock_diag_request(&query, &request), -EAFNOSUPPORT);
    query.local.sa.sa_family = query.remote.sa.sa_family = AF_UNIX;
    assert_int_equal(sock_diag_request(&query, &request), -EAFNOSUPPORT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_overflow_uid),
        cmocka_unit_test(test_own_connections),
        cmocka_unit_test(test_ipv6_client_of_an_ipv4_listener),
        cmocka_unit_test(test_written_and_closed),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_many_questions),
        cmocka_unit_test(test_stale_answers),
        cmocka_unit_test(test_unix),
        cmocka_unit_test(test_no_connection),
        cmocka_unit_test(test_other_network_namespace),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_requests),
    };
    return cmocka_run_group_tests_name("peer", tests, NULL, NULL);
}
