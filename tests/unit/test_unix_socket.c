/* Two processes that want the same path at the same moment: one gets it, the other is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/unix_socket.h"

static char directory[] = "/tmp/sparkbridge-socket-XXXXXX";
static char path[64];

/* What happens once while a socket is made, after its path was looked at. */
static void (*meanwhile)(void);
static pid_t rival;

/* Takes the place of libc's for the whole program. */
int listen_meanwhile(int fd, int backlog) __asm__("listen");

int listen_meanwhile(int fd, int backlog)
{
    void (*happen)(void) = meanwhile;
    meanwhile = NULL;
    if (happen != NULL)
        happen();
    return (int)syscall(SYS_listen, fd, backlog);
}

/* Returns when another process listens at the path. */
static void start_rival(void)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    rival = fork();
    if (rival == 0) {
        struct unix_socket socket;
        if (unix_socket_listen(path, "--control", 0600, &socket, NULL) &&
            write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
}

static void end_rival(void)
{
    kill(rival, SIGKILL);
    assert_int_equal(waitpid(rival, NULL, 0), rival);
    rival = 0;
}

static int make_directory(void **state)
{
    memset(directory + strlen(directory) - 6, 'X', 6);
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/sb.sock", directory);
    return 0;
}

/* Nothing is left but the socket, and in a test that failed the rival. */
static int remove_directory(void **state)
{
    if (rival > 0)
        end_rival();
    unlink(path);
    return rmdir(directory);
}

static bool answers(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return connected;
}

static void lose(void)
{
    struct unix_socket socket;
    struct err err = {0};
    meanwhile = start_rival;
    assert_false(unix_socket_listen(path, "--control", 0600, &socket, &err));
    assert_int_equal(err.exit_code, EX_CANTCREAT);
    assert_non_null(strstr(err.message, "another process is listening there already"));
    assert_non_null(strstr(err.message, "choose another path by --control"));
    assert_true(answers());
    end_rival();
    assert_false(answers());
}

static void test_a_free_path_is_taken_meanwhile(void **state)
{
    lose();
}

static void test_a_dead_socket_is_replaced_meanwhile(void **state)
{
    start_rival();
    end_rival();
    assert_int_equal(access(path, F_OK), 0);
    lose();
}

static void test_a_dead_socket_is_replaced(void **state)
{
    struct unix_socket socket;
    struct stat st;
    start_rival();
    end_rival();
    assert_true(unix_socket_listen(path, "--control", 0640, &socket, NULL));
    assert_true(answers());
    assert_int_equal(lstat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    unix_socket_remove(&socket, path);
    assert_int_not_equal(access(path, F_OK), 0);
    close(socket.fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        TEST(test_a_free_path_is_taken_meanwhile),
        TEST(test_a_dead_socket_is_replaced_meanwhile),
        TEST(test_a_dead_socket_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
