/* The race of addresses, with sockets of this machine: 127.0.0.2 is as good as another host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/open_files.h"
#include "daemon/race.h"

enum { MAX_SOCKETS = 8 };

/* What a test needs; each begins with a fresh one. */
static struct {
    uv_loop_t loop;
    size_t files; /* that were open at its start */
    struct sockaddr_storage bytes[RACE_MAX_ADDRESSES + 4];
    struct addrinfo list[RACE_MAX_ADDRESSES + 4];
    size_t count;
    int sockets[MAX_SOCKETS];
    size_t socket_count;
    int ends;
    struct connect_end end;
} scene;

static int begin(void **state)
{
    memset(&scene, 0, sizeof scene);
    int error = uv_loop_init(&scene.loop);
    scene.files = open_files(NULL);
    return error;
}

/* Nothing is left open, on the loop or beside it. */
static int finish(void **state)
{
    for (size_t i = 0; i < scene.socket_count; i++)
        close(scene.sockets[i]);
    uv_run(&scene.loop, UV_RUN_DEFAULT);
    if (scene.end.fd > 0)
        close(scene.end.fd);
    size_t files = open_files(NULL);
    return uv_loop_close(&scene.loop) != 0 || files != scene.files;
}

static void on_end(void *owner, const struct connect_end *end)
{
    assert_ptr_equal(owner, &scene);
    scene.ends++;
    scene.end = *end;
}

/* ---- addresses ----------------------------------------------------------------------------------
 */

static void add(int family, const void *address, socklen_t size)
{
    struct addrinfo *info = &scene.list[scene.count];
    memcpy(&scene.bytes[scene.count], address, size);
    *info = (struct addrinfo){
        .ai_family = family,
        .ai_addr = (struct sockaddr *)&scene.bytes[scene.count],
        .ai_addrlen = size,
    };
    if (scene.count > 0)
        scene.list[scene.count - 1].ai_next = info;
    scene.count++;
}

static struct sockaddr_in v4(const char *ip, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    assert_int_equal(inet_pton(AF_INET, ip, &address.sin_addr), 1);
    return address;
}

static void add_v4(const char *ip, uint16_t port)
{
    struct sockaddr_in address = v4(ip, port);
    add(AF_INET, &address, sizeof address);
}

static void add_v6(const char *ip, uint16_t port)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    assert_int_equal(inet_pton(AF_INET6, ip, &address.sin6_addr), 1);
    add(AF_INET6, &address, sizeof address);
}

static int keep(int fd)
{
    assert_true(fd >= 0 && scene.socket_count < MAX_SOCKETS);
    scene.sockets[scene.socket_count++] = fd;
    return fd;
}

/* Somebody listens there; port 0 lets the kernel choose. Returns the port. */
static uint16_t answer_at(const char *ip, uint16_t port, int backlog)
{
    int fd = keep(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    struct sockaddr_in address = v4(ip, port);
    socklen_t size = sizeof address;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

/* The queue of a listener without a backlog is full: no SYN is answered any more. */
static void fill_queue(const char *ip, uint16_t port)
{
    for (int i = 0; i < 2; i++) {
        int fd = keep(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        struct sockaddr_in address = v4(ip, port);
        if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
            assert_int_equal(errno, EINPROGRESS);
    }
}

static void be_silent_at(const char *ip, uint16_t port)
{
    answer_at(ip, port, 0);
    fill_queue(ip, port);
}

/* ---- the order ----------------------------------------------------------------------------------
 */

/* The order of these families: each digit is one, and the address's last byte its place. */
static void check_order(const char *families, const char *expected)
{
    const struct addrinfo *order[RACE_MAX_ADDRESSES];
    char found[RACE_MAX_ADDRESSES + 1] = "";
    scene.count = 0;
    for (const char *c = families; *c != '\0'; c++)
        if (*c == '6')
            add_v6("::1", 1);
        else
            add_v4("127.0.0.1", 1);
    size_t count = race_order(scene.list, order);
    for (size_t i = 0; i < count; i++)
        found[i] = (char)('a' + (order[i] - scene.list));
    assert_string_equal(found, expected);
}

static void test_families_take_turns(void **state)
{
    check_order("4", "a");
    check_order("46", "ab");
    check_order("6644", "acbd");
    check_order("4466", "acbd");
    check_order("6464", "abcd");
    check_order("6666444", "aebfcgd");
    check_order("4666", "abcd");
    check_order("6664", "adbc");
    check_order("444", "abc");
}

/* Also where the first sixteen are of one family. */
static void test_no_more_than_a_limit(void **state)
{
    check_order("66666666666666666644", "asbtcdefghijklmn");
    check_order("44444444444444444444", "abcdefghijklmnop");
}

/* ---- races --------------------------------------------------------------------------------------
 */

/* The milliseconds that so many addresses have a start. */
static uint64_t moments(uint64_t count)
{
    return count * RACE_ATTEMPT_DELAY_MS;
}

static struct race *start(void)
{
    struct race *race = race_start(&scene.loop, scene.list, on_end, &scene);
    assert_int_equal(scene.ends, 0); /* never from within */
    return race;
}

/* Runs until the callback; the milliseconds that it took. */
static uint64_t run(void)
{
    uint64_t began = uv_hrtime();
    start();
    while (scene.ends == 0)
        uv_run(&scene.loop, UV_RUN_ONCE);
    return (uv_hrtime() - began) / 1000000;
}

static void check_reached(const char *ip, uint16_t port)
{
    char text[64];
    struct sockaddr_in peer = {0};
    socklen_t size = sizeof peer;
    snprintf(text, sizeof text, "%s:%u", ip, port);
    assert_string_equal(scene.end.address, text);
    assert_int_equal(getpeername(scene.end.fd, (struct sockaddr *)&peer, &size), 0);
    assert_int_equal(peer.sin_addr.s_addr, v4(ip, port).sin_addr.s_addr);
}

static void check_failed(const char *address, const char *text)
{
    assert_int_equal(scene.end.fd, -1);
    assert_int_equal(scene.end.failure, CONNECT_FAILED_CONNECT);
    assert_string_equal(scene.end.address, address);
    assert_string_equal(scene.end.text, text);
}

static void test_one_that_refuses_makes_room_at_once(void **state)
{
    uint16_t port = answer_at("127.0.0.1", 0, 8);
    add_v6("::1", port);
    for (int i = 0; i < 8; i++)
        add_v4("127.0.0.2", port);
    add_v4("127.0.0.1", port);
    assert_true(run() < moments(8));
    check_reached("127.0.0.1", port);
}

static void test_a_silent_one_gives_way_after_a_moment(void **state)
{
    uint16_t port = answer_at("127.0.0.1", 0, 8);
    be_silent_at("127.0.0.2", port);
    add_v4("127.0.0.2", port);
    add_v4("127.0.0.1", port);
    assert_true(run() >= moments(1));
    check_reached("127.0.0.1", port);
}

/* One that is slow, but not slower than those after it, wins all the same. */
static void test_earlier_ones_go_on(void **state)
{
    uint16_t port = answer_at("127.0.0.2", 0, 0);
    int listener = scene.sockets[0];
    be_silent_at("127.0.0.3", port);
    fill_queue("127.0.0.2", port);
    add_v4("127.0.0.2", port);
    add_v4("127.0.0.3", port);
    uint64_t began = uv_hrtime();
    start();
    while ((uv_hrtime() - began) / 1000000 < moments(2))
        uv_run(&scene.loop, UV_RUN_NOWAIT);
    assert_int_equal(scene.ends, 0);
    close(accept(listener, NULL, NULL)); /* there is room now, for the SYN that is sent again */
    while (scene.ends == 0) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0)
            close(fd);
        uv_run(&scene.loop, UV_RUN_NOWAIT);
    }
    check_reached("127.0.0.2", port);
}

static void test_all_refuse(void **state)
{
    uint16_t port = answer_at("127.0.0.1", 0, 8);
    char text[64];
    add_v4("127.0.0.2", port);
    add_v4("127.0.0.3", port);
    run();
    snprintf(text, sizeof text, "127.0.0.3:%u", port);
    check_failed(text, "Connection refused");
}

static void test_ipv6_in_words(void **state)
{
    uint16_t port = answer_at("127.0.0.1", 0, 8);
    char text[64];
    add_v6("::1", port);
    run();
    snprintf(text, sizeof text, "[::1]:%u", port);
    assert_string_equal(scene.end.address, text);
}

/* An address that cannot be tried says less than one that could. */
static void test_no_way_to_an_address(void **state)
{
    uint16_t port = answer_at("127.0.0.1", 0, 8);
    char text[64];
    add_v4("255.255.255.255", port);
    add_v4("127.0.0.2", port);
    add_v4("255.255.255.255", port);
    run();
    snprintf(text, sizeof text, "127.0.0.2:%u", port);
    check_failed(text, "Connection refused");
}

static void test_no_way_to_any_address(void **state)
{
    add_v4("255.255.255.255", 443);
    add_v4("255.255.255.254", 0);
    scene.list[1].ai_addr->sa_family = AF_APPLETALK;
    run();
    check_failed("255.255.255.255:443", "Network is unreachable");
}

/* ---- a Unix socket ------------------------------------------------------------------------------
 */

static void test_a_unix_socket(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char text[sizeof address.sun_path + 8];
    snprintf(address.sun_path, sizeof address.sun_path, "/tmp/sparkbridge-race-%d", (int)getpid());
    snprintf(text, sizeof text, "unix:%s", address.sun_path);
    add(AF_UNIX, &address, sizeof address);
    run();
    check_failed(text, "No such file or directory");

    int fd = keep(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 8), 0);
    scene.ends = 0;
    run();
    unlink(address.sun_path);
    assert_true(scene.end.fd >= 0);
    assert_string_equal(scene.end.address, text);
}

/* ---- cancelled ----------------------------------------------------------------------------------
 */

static void on_timeout(uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, NULL);
    race_cancel(timer->data);
}

/* At this time, after its start; nothing is called back, and nothing left: finish() looks. */
static void cancel_after(uint64_t ms)
{
    uv_timer_t timer;
    uint16_t port = answer_at("127.0.0.1", 0, 8);
    be_silent_at("127.0.0.2", port);
    add_v4("127.0.0.2", port);
    add_v4("127.0.0.2", port);
    uv_timer_init(&scene.loop, &timer);
    timer.data = start();
    uv_timer_start(&timer, on_timeout, ms, 0);
    uv_run(&scene.loop, UV_RUN_DEFAULT);
    assert_int_equal(scene.ends, 0);
}

static void test_cancelled_before_the_first(void **state)
{
    add_v4("127.0.0.1", 1);
    race_cancel(start());
    uv_run(&scene.loop, UV_RUN_DEFAULT);
    assert_int_equal(scene.ends, 0);
    race_cancel(NULL);
}

static void test_cancelled_during_the_first(void **state)
{
    cancel_after(moments(1) / 5);
}

static void test_cancelled_during_the_last(void **state)
{
    cancel_after(moments(2));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)
    const struct CMUnitTest tests[] = {
        TEST(test_families_take_turns),
        TEST(test_no_more_than_a_limit),
        TEST(test_one_that_refuses_makes_room_at_once),
        TEST(test_a_silent_one_gives_way_after_a_moment),
        TEST(test_earlier_ones_go_on),
        TEST(test_all_refuse),
        TEST(test_ipv6_in_words),
        TEST(test_no_way_to_an_address),
        TEST(test_no_way_to_any_address),
        TEST(test_a_unix_socket),
        TEST(test_cancelled_before_the_first),
        TEST(test_cancelled_during_the_first),
        TEST(test_cancelled_during_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
