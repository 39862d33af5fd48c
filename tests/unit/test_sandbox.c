/*
 * The sandbox, tried from inside: each act is done by a child with and by one without it, so that
 * what is refused is refused by the sandbox and not for some other reason.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "daemon/sandbox.h"

enum { KILLED = 1000 }; /* and the signal */

/* Returns 0, or errno as a failed system call leaves it. */
typedef int (*act_function)(void);

static int result(long returned)
{
    return returned < 0 ? errno : 0;
}

/* How the act ends in a child that has entered the sandbox by `enter`, which may be NULL. */
static int try_in_child(act_function act, void (*enter)(void))
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        for (int number = 1; number < 32; number++)
            signal(number, SIG_DFL); /* cmocka's and the sanitizers' */
        if (enter != NULL)
            enter();
        _exit(act());
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? KILLED + WTERMSIG(status) : WEXITSTATUS(status);
}

struct trial {
    const char *name;
    act_function act;
    int without, with; /* what is expected; -1: whatever */
};

static void try_all(const struct trial *trials, size_t count, void (*enter)(void))
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        int without = try_in_child(trials[i].act, NULL), with = try_in_child(trials[i].act, enter);
        bool right =
            (trials[i].without == -1 || trials[i].without == without) && trials[i].with == with;
        if (!right)
            print_error("%s: %d without and %d with the sandbox, not %d and %d\n", trials[i].name,
                        without, with, trials[i].without, trials[i].with);
        wrong += !right;
    }
    assert_int_equal(wrong, 0);
}

/* ---- Landlock: which files ------------------------------------------------------------------ */

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

static int remove_files(void **state)
{
    char *command = xasprintf("rm -rf '%s'", directory);
    int status = system(command);
    free(command);
    return status;
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

/* As a listener does it: under another name, renamed, and removed at the end. */
static int socket_in(const char *where)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/.sb", where);
    char *path = xasprintf("%s/sock", where);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    bool ok = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
              rename(address.sun_path, path) == 0 && unlink(path) == 0;
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

static int signal_parent(void)
{
    return result(kill(getppid(), 0));
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

/* ---- seccomp: which system calls ------------------------------------------------------------ */

static void enter_seccomp(void)
{
    if (sandbox_seccomp() != NULL)
        _exit(255);
}

static int run_program_raw(void)
{
    return result(syscall(SYS_execve, "/nowhere", NULL, NULL));
}

static int fork_raw(void)
{
    long child = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (child == 0)
        _exit(0);
    return result(child);
}

static int fork_by_libc(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    return result(child);
}

static int trace(void)
{
    return result(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int new_namespace(void)
{
    return result(unshare(CLONE_FS));
}

static int read_process(void)
{
    return result(syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL, 0, 0));
}

static int keyring(void)
{
    return result(syscall(SYS_keyctl, 0, -3, 0, 0, 0)); /* its own id */
}

static int change_user(void)
{
    return result(syscall(SYS_setuid, geteuid()));
}

static int packet_socket(void)
{
    return result(socket(AF_PACKET, SOCK_DGRAM, 0));
}

static int internet_socket(void)
{
    return result(socket(AF_INET6, SOCK_STREAM, 0));
}

static int netlink_socket(void)
{
    return result(socket(AF_NETLINK, SOCK_DGRAM, 4)); /* NETLINK_SOCK_DIAG */
}

static int pages(int protection)
{
    void *page = mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? errno : 0;
}

static int plain_pages(void)
{
    return pages(PROT_READ | PROT_WRITE);
}

static int code_pages(void)
{
    return pages(PROT_READ | PROT_EXEC);
}

static int writable_code(void)
{
    return pages(PROT_READ | PROT_WRITE | PROT_EXEC);
}

static int data_to_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return result(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int be_dumpable(void)
{
    return result(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int allow_core(void)
{
    const struct rlimit limit = {0, 0};
    return result(setrlimit(RLIMIT_CORE, &limit));
}

static int ask_limit(void)
{
    struct rlimit limit;
    return result(getrlimit(RLIMIT_NOFILE, &limit));
}

static int file_in_memory(void)
{
    return result(memfd_create("x", 0));
}

static int use_io_uring(void)
{
    return result(syscall(SYS_io_uring_setup, 0, NULL)); /* EINVAL or EFAULT where it is known */
}

static int push_to_terminal(void)
{
    char byte = 'x';
    return result(ioctl(0, 0x5412, &byte)); /* TIOCSTI */
}

static void *do_nothing(void *argument)
{
    return argument;
}

static int start_thread(void)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, do_nothing, NULL);
    return error != 0 ? error : pthread_join(thread, NULL);
}

static int resolve_name(void)
{
    struct addrinfo *found = NULL;
    int error = getaddrinfo("localhost", "80", NULL, &found);
    if (error == 0)
        freeaddrinfo(found);
    return error;
}

static int end_by_abort(void)
{
    abort();
}

static void test_seccomp(void **state)
{
    static const struct trial trials[] = {
        {"run a program", run_program_raw, ENOENT, KILLED + SIGSYS},
        {"another process", fork_raw, 0, ENOSYS},
        {"fork()", fork_by_libc, 0, ENOSYS},
        {"ptrace", trace, 0, KILLED + SIGSYS},
        {"namespaces", new_namespace, 0, KILLED + SIGSYS},
        {"another process's memory", read_process, 0, KILLED + SIGSYS},
        {"keyrings", keyring, -1, KILLED + SIGSYS},
        {"another user", change_user, 0, KILLED + SIGSYS},
        {"packets", packet_socket, -1, ENOSYS},
        {"Internet", internet_socket, 0, 0},
        {"sock_diag", netlink_socket, 0, 0},
        {"memory", plain_pages, 0, 0},
        {"a library's code", code_pages, 0, 0},
        {"code that can be written", writable_code, 0, ENOSYS},
        {"data that becomes code", data_to_code, 0, ENOSYS},
        {"a core dump again", be_dumpable, 0, ENOSYS},
        {"a limit", allow_core, 0, ENOSYS},
        {"asking for a limit", ask_limit, 0, 0},
        {"a file in memory", file_in_memory, 0, ENOSYS},
        {"io_uring", use_io_uring, -1, ENOSYS},
        {"typing for the terminal", push_to_terminal, -1, ENOSYS},
        {"signal another process", signal_parent, 0, ENOSYS},
        {"a thread", start_thread, 0, 0},
        {"a name", resolve_name, 0, 0},
        {"abort()", end_by_abort, KILLED + SIGABRT, KILLED + SIGABRT},
    };
    if (try_in_child(plain_pages, enter_seccomp) == 255) {
#ifdef SPARKBRIDGE_CHECKS
        skip(); /* the sanitizers need what is refused here */
#else
        fail_msg("there is no seccomp here");
#endif
    }
    try_all(trials, sizeof trials / sizeof trials[0], enter_seccomp);
}

/* ---- memory --------------------------------------------------------------------------------- */

static void hide(void)
{
    sandbox_hide_memory();
}

static int is_dumpable(void)
{
    return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
}

static int core_limit(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_CORE, &limit);
    return limit.rlim_cur == 0 && limit.rlim_max == 0;
}

static void test_memory(void **state)
{
    static const struct trial trials[] = {
        {"dumpable", is_dumpable, 1, 0},
        {"no core dump", core_limit, -1, 1},
    };
    try_all(trials, sizeof trials / sizeof trials[0], hide);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_landlock),
        cmocka_unit_test(test_replaced_file),
        cmocka_unit_test(test_seccomp),
        cmocka_unit_test(test_memory),
    };
    landlock_abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
    return cmocka_run_group_tests_name("sandbox", tests, make_files, remove_files);
}
