/* What accept4(2) says when there is no connection to take, said in its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/acceptor.h"

enum { CLIENTS = 3 };

/* Errors that come first, in order, up to a 0; then it is the kernel's turn. */
static const int *faults;
static unsigned asked;

/* Takes the place of libc's for the whole program. */
int accept_faulty(int fd, struct sockaddr *peer, socklen_t *len, int flags) __asm__("accept4");

int accept_faulty(int fd, struct sockaddr *peer, socklen_t *len, int flags)
{
    asked++;
    if (*faults == 0)
        return (int)syscall(SYS_accept4, fd, peer, len, flags);
    errno = *faults++;
    return -1;
}

struct scene {
    uv_loop_t loop;
    int fd;
    int clients[CLIENTS];
    struct acceptor *acceptor;
    unsigned accepted, last;
    bool closes; /* the acceptor, at the first connection */
};

static void on_accepted(void *owner, int fd, bool last)
{
    struct scene *scene = owner;
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    close(fd);
    scene->accepted++;
    scene->last += last;
    if (scene->closes || scene->accepted == CLIENTS) {
        acceptor_close(scene->acceptor);
        scene->acceptor = NULL;
    }
}

/* A socket that blocks, as an inherited one may, with clients in its queue. */
static void open_scene(struct scene *scene)
{
    /* unix(7): an abstract name that the kernel chooses */
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t len = sizeof address;
    uv_loop_init(&scene->loop);
    scene->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(scene->fd, (struct sockaddr *)&address, sizeof address.sun_family), 0);
    assert_int_equal(listen(scene->fd, CLIENTS), 0);
    assert_int_equal(getsockname(scene->fd, (struct sockaddr *)&address, &len), 0);
    for (int i = 0; i < CLIENTS; i++) {
        scene->clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(scene->clients[i], (struct sockaddr *)&address, len), 0);
    }
    asked = 0;
}

/* Runs it with these faults until it closes its acceptor. */
static void run(struct scene *scene, const int *these)
{
    int error;
    const struct acceptor_config config = {&scene->loop, "test", on_accepted, scene};
    open_scene(scene);
    faults = these;
    scene->acceptor = acceptor_create(&config, scene->fd, &error);
    assert_non_null(scene->acceptor);
    assert_int_equal(uv_run(&scene->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&scene->loop), 0);
    for (int i = 0; i < CLIENTS; i++)
        close(scene->clients[i]);
    close(scene->fd);
}

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

static void test_connections_that_are_gone(void **state)
{
    struct scene scene = {0};
    run(&scene, (const int[]){ECONNABORTED, EINTR, ECONNABORTED, 0});
    assert_int_equal(scene.accepted, CLIENTS);
    assert_int_equal(asked, CLIENTS + 3);
    assert_int_equal(scene.last, 0);
}

static void test_the_spare_one(void **state)
{
    struct scene scene = {0};
    run(&scene, (const int[]){EMFILE, 0});
    assert_int_equal(scene.accepted, CLIENTS);
    assert_int_equal(scene.last, 1);
}

/* Each error costs one try and a pause, whatever it is. */
static void test_pauses(void **state)
{
    struct scene scene = {0};
    uint64_t begun_ms = now_ms();
    run(&scene, (const int[]){ENOBUFS, EMFILE, EMFILE, EPERM, 0});
    assert_int_equal(scene.accepted, CLIENTS);
    assert_int_equal(asked, CLIENTS + 4);
    assert_int_equal(scene.last, 0);
    assert_true(now_ms() - begun_ms >= 3 * ACCEPTOR_PAUSE_MS - 3);
}

static void test_closed_by_its_owner(void **state)
{
    struct scene scene = {.closes = true};
    run(&scene, (const int[]){0});
    assert_int_equal(scene.accepted, 1);
    assert_int_equal(asked, 1);
}

static void test_no_socket(void **state)
{
    int error, ends[2];
    uv_loop_t loop;
    struct acceptor_config config = {&loop, "test", on_accepted, NULL};
    uv_loop_init(&loop);
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    close(ends[1]);
    assert_null(acceptor_create(&config, ends[0], &error));
    assert_int_equal(error, UV_EBADF);
    assert_int_equal(uv_loop_close(&loop), 0);
    acceptor_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connections_that_are_gone),
        cmocka_unit_test(test_the_spare_one),
        cmocka_unit_test(test_pauses),
        cmocka_unit_test(test_closed_by_its_owner),
        cmocka_unit_test(test_no_socket),
    };
    return cmocka_run_group_tests_name("acceptor", tests, NULL, NULL);
}
