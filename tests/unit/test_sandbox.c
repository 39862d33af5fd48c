/* Which system calls and what memory the sandbox leaves, tried from inside. */
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/sandbox.h"
#include "tests/unit/trial.h"

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

static int ask_privileges(void)
{
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
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
        {"asking for privileges", ask_privileges, 0, 1},
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
        cmocka_unit_test(test_seccomp),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
