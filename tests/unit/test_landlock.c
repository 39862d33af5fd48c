/* Which files the sandbox leaves, tried from inside. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "daemon/sandbox.h"
#include "tests/unit/trial.h"

static char directory[] = "/tmp/sparkbridge-sandbox-XXXXXX";
static int landlock_abi;

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int make_files(void **state)
{
    if (mkdtemp(directory) == NULL || chdir(directory) != 0)
        return -1;
    mkdir("read", 0700);
    mkdir("sockets", 0700);
    mkdir("other", 0700);
    write_text("read/file", "configuration\n");
    write_text("other/file", "somebody's key\n");
    write_text("single", "a file\n");
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    return remove(path);
}

static int remove_files(void **state)
{
    return nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void enter_landlock(void)
{
    struct sandbox_paths paths = {
        .read = {(char *)"read", (char *)"single", (char *)"missing", (char *)"/proc"},
        .read_count = 4,
        .sockets = {(char *)"sockets"},
        .sockets_count = 1,
    };
    int abi;
    if (sandbox_landlock(&paths, &abi) != NULL)
        _exit(255);
}

static int open_as(const char *path, int flags)
{
    int fd = open(path, flags, 0600);
    return result(fd);
}

static int read_allowed(void)
{
    return open_as("read/file", O_RDONLY);
}

static int read_single(void)
{
    return open_as("single", O_RDONLY);
}

static int list_allowed(void)
{
    return open_as("read", O_RDONLY | O_DIRECTORY);
}

static int read_other(void)
{
    return open_as("other/file", O_RDONLY);
}

static int read_other_by_link(void)
{
    return open_as("/proc/self/cwd/read/../other/file", O_RDONLY);
}

static int list_other(void)
{
    return open_as("other", O_RDONLY | O_DIRECTORY);
}

static int read_key(void)
{
    return open_as("/var/lib/dpkg/status", O_RDONLY);
}

static int read_parent_memory(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", (int)getppid());
    return open_as(path, O_RDONLY);
}

/* What ptrace(2) is needed for is hidden in /proc, whoever the user is. */
static int look_into_parent(void)
{
    char path[64], target[256];
    snprintf(path, sizeof path, "/proc/%d/exe", (int)getppid());
    return result(readlink(path, target, sizeof target));
}

static int write_allowed(void)
{
    return open_as("read/file", O_WRONLY);
}

static int write_other(void)
{
    return open_as("other/file", O_WRONLY);
}

static int truncate_allowed(void)
{
    return result(truncate("read/file", 14));
}

static int create_in_sockets(void)
{
    return open_as("sockets/file", O_WRONLY | O_CREAT);
}

static int make_directory(void)
{
    int made = result(mkdir("sockets/directory", 0700));
    rmdir("sockets/directory");
    return made;
}

static int make_link(void)
{
    int made = result(symlink("/", "sockets/link"));
    unlink("sockets/link");
    return made;
}

static int run_program(void)
{
    char *argv[] = {(char *)"true", NULL};
    return result(execv("/bin/true", argv));
}

/* As a listener does it: under another name, linked to its own, and removed at the end. */
static int socket_in(const char *where)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/.sb", where);
    char *path = xasprintf("%s/sock", where);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    bool ok = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
              link(address.sun_path, path) == 0 && unlink(address.sun_path) == 0 &&
              unlink(path) == 0;
    free(path);
    return ok ? 0 : errno;
}

static int socket_in_sockets(void)
{
    return socket_in("sockets");
}

static int socket_in_read(void)
{
    return socket_in("read");
}

static int socket_in_other(void)
{
    return socket_in("other");
}

static int signal_self(void)
{
    return result(kill(getpid(), 0));
}

static int has_no_new_privs(void)
{
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
}

static int replaced_file(void)
{
    /* Done by another process, which the sandbox does not hold. */
    return open_as("read/replaced", O_RDONLY);
}

static void test_landlock(void **state)
{
    static const struct trial trials[] = {
        {"read what is allowed", read_allowed, 0, 0},
        {"read a single file", read_single, 0, 0},
        {"list what is allowed", list_allowed, 0, 0},
        {"read another file", read_other, 0, EACCES},
        {"read another file by a detour", read_other_by_link, 0, EACCES},
        {"list another directory", list_other, 0, EACCES},
        {"read a file of the system", read_key, 0, EACCES},
        {"read another process's memory", read_parent_memory, 0, EACCES},
        {"look into another process", look_into_parent, 0, EACCES},
        {"write what may be read", write_allowed, 0, EACCES},
        {"write another file", write_other, 0, EACCES},
        {"create a file beside the sockets", create_in_sockets, 0, EACCES},
        {"make a directory beside the sockets", make_directory, 0, EACCES},
        {"make a link beside the sockets", make_link, 0, EACCES},
        {"run a program", run_program, 0, EACCES},
        {"a socket where they go", socket_in_sockets, 0, 0},
        {"a socket where files are read", socket_in_read, 0, EACCES},
        {"a socket elsewhere", socket_in_other, 0, EACCES},
        {"signal itself", signal_self, 0, 0},
        {"no new privileges", has_no_new_privs, 0, 1},
    };
    static const struct trial with_truncate[] = {{"truncate", truncate_allowed, 0, EACCES}};
    static const struct trial with_scope[] = {{"signal", signal_parent, 0, EPERM}};
    if (landlock_abi <= 0)
        skip();
    try_all(trials, sizeof trials / sizeof trials[0], enter_landlock);
    if (landlock_abi >= 3)
        try_all(with_truncate, 1, enter_landlock);
    if (landlock_abi >= 6)
        try_all(with_scope, 1, enter_landlock);
}

/* A rule is for a directory, so that a file that was replaced is read at the next reload. */
static void enter_and_replace(void)
{
    int ends[2];
    char byte = 0;
    if (pipe(ends) != 0)
        _exit(254);
    pid_t other = fork();
    if (other == 0) {
        if (read(ends[0], &byte, 1) != 1)
            _exit(1);
        write_text("read/new", "x\n");
        _exit(rename("read/new", "read/replaced") == 0 ? 0 : 1);
    }
    enter_landlock();
    int status = 0;
    if (write(ends[1], &byte, 1) != 1 || waitpid(other, &status, 0) != other || status != 0)
        _exit(253);
}

static void test_replaced_file(void **state)
{
    if (landlock_abi <= 0)
        skip();
    assert_int_equal(try_in_child(replaced_file, NULL), ENOENT);
    assert_int_equal(try_in_child(replaced_file, enter_and_replace), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_landlock),
        cmocka_unit_test(test_replaced_file),
    };
    landlock_abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
    return cmocka_run_group_tests_name("landlock", tests, make_files, remove_files);
}
