/*
 * Somebody who took the daemon over: preloaded into it, this does on SIGUSR1 what $INTRUDER_ACT
 * says, from inside and with all that the daemon has left itself, and says how that went.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *act = "", *path = "";
static pid_t other;

static long read_file(void)
{
    return open(path, O_RDONLY | O_CLOEXEC);
}

static long write_file(void)
{
    return open(path, O_WRONLY | O_CLOEXEC);
}

static long run_program(void)
{
    char *argv[] = {(char *)"false", NULL};
    return execv("/bin/false", argv);
}

static long fork_child(void)
{
    long child = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (child == 0)
        _exit(0);
    return child;
}

/* There is nothing at the address, but whether it may look is asked before. */
static long look_into(void)
{
    char byte;
    struct iovec to = {&byte, 1}, from = {(void *)1, 1};
    long result = process_vm_readv(other, &to, 1, &from, 1, 0);
    return result < 0 && errno == EFAULT ? 0 : result;
}

static long signal_other(void)
{
    return kill(other, 0);
}

static long run_data(void)
{
    void *page =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? -1 : 0;
}

static long show_memory(void)
{
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/* In the C library's place: who wants to see the memory wants core files, too. */
int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
    if (resource == RLIMIT_CORE && strcmp(act, "show memory") == 0)
        return 0;
    return prlimit(0, resource, limit, NULL);
}

static const struct {
    const char *name;
    long (*function)(void);
} acts[] = {
    {"read", read_file},    {"write", write_file},        {"execute", run_program},
    {"fork", fork_child},   {"look into", look_into},     {"signal", signal_other},
    {"run data", run_data}, {"show memory", show_memory},
};

/* It comes while the loop waits, so that it interrupts nothing.
 * NOLINTBEGIN(bugprone-signal-handler,cert-sig30-c) */
static void on_signal(int number)
{
    char said[64];
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        if (strcmp(acts[i].name, act) != 0)
            continue;
        long result = acts[i].function();
        int len = snprintf(said, sizeof said, "intruder: %s\n",
                           result < 0 ? strerrorname_np(errno) : "done");
        if (write(STDERR_FILENO, said, (size_t)len) != len)
            _exit(1);
    }
}
/* NOLINTEND(bugprone-signal-handler,cert-sig30-c) */

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value != NULL ? value : "";
}

static void __attribute__((constructor)) enter(void)
{
    act = variable("INTRUDER_ACT");
    path = variable("INTRUDER_PATH");
    other = (pid_t)strtol(variable("INTRUDER_PID"), NULL, 10);
    signal(SIGUSR1, on_signal);
}
