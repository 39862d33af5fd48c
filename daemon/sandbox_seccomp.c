/*
 * seccomp: which system calls, seccomp(2).
 *
 * Three answers. What the loop, the resolver's threads, the C library and a reload call is allowed.
 * What only somebody calls who took the process over - to run a program, to look into another
 * process, to change the kernel - kills the process, as a try must not be repeated until it works.
 * Everything else gets ENOSYS, on which a C library newer than this list falls back to an older
 * call, where EPERM would be an error to it.
 */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>
#include <uv.h>

#include "daemon/sandbox.h"

#ifndef SPARKBRIDGE_CHECKS

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

static const int allowed[] = {
    /* the loop and its sockets */
    SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6),
    SCMP_SYS(eventfd2), SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime), SCMP_SYS(pipe2),
    SCMP_SYS(inotify_init1), SCMP_SYS(inotify_add_watch), SCMP_SYS(inotify_rm_watch),
    SCMP_SYS(socketpair), SCMP_SYS(bind), SCMP_SYS(connect), SCMP_SYS(listen), SCMP_SYS(accept),
    SCMP_SYS(accept4), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg),
    SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(recvmmsg), SCMP_SYS(shutdown), SCMP_SYS(read),
    SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(close), SCMP_SYS(dup),
    SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(fcntl),
    /* files: which ones is Landlock's part */
    SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(pread64), SCMP_SYS(lseek),
    SCMP_SYS(fstat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(statx),
    SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(access), SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getdents64),
    SCMP_SYS(getcwd), SCMP_SYS(fadvise64), SCMP_SYS(flock), SCMP_SYS(umask),
    /* sockets in the file system */
    SCMP_SYS(link), SCMP_SYS(linkat), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename),
    SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(chmod), SCMP_SYS(fchmod), SCMP_SYS(fchmodat),
    SCMP_SYS(chown), SCMP_SYS(fchown), SCMP_SYS(lchown), SCMP_SYS(fchownat),
    /* memory; mmap and mprotect are below */
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(mlock),
    SCMP_SYS(mlock2), SCMP_SYS(munlock), SCMP_SYS(membarrier),
    /* threads, their signals and their end; clone is below */
    SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(set_tid_address), SCMP_SYS(rseq),
    SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(getcpu), SCMP_SYS(gettid),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group),
    /* time */
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday), SCMP_SYS(time),
    /* who and where we are */
    SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(getpgrp), SCMP_SYS(getuid), SCMP_SYS(geteuid),
    SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getresuid), SCMP_SYS(getresgid),
    SCMP_SYS(getgroups), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrusage),
    SCMP_SYS(getrlimit), SCMP_SYS(getrandom)};

static const int deadly[] = {SCMP_SYS(execve),
                             SCMP_SYS(execveat),
                             SCMP_SYS(fork),
                             SCMP_SYS(vfork),
                             SCMP_SYS(ptrace),
                             SCMP_SYS(process_vm_readv),
                             SCMP_SYS(process_vm_writev),
                             SCMP_SYS(process_madvise),
                             SCMP_SYS(kcmp),
                             SCMP_SYS(pidfd_getfd),
                             SCMP_SYS(mount),
                             SCMP_SYS(umount2),
                             SCMP_SYS(pivot_root),
                             SCMP_SYS(chroot),
                             SCMP_SYS(move_mount),
                             SCMP_SYS(open_tree),
                             SCMP_SYS(fsopen),
                             SCMP_SYS(unshare),
                             SCMP_SYS(setns),
                             SCMP_SYS(bpf),
                             SCMP_SYS(perf_event_open),
                             SCMP_SYS(userfaultfd),
                             SCMP_SYS(keyctl),
                             SCMP_SYS(add_key),
                             SCMP_SYS(request_key),
                             SCMP_SYS(init_module),
                             SCMP_SYS(finit_module),
                             SCMP_SYS(delete_module),
                             SCMP_SYS(kexec_load),
                             SCMP_SYS(kexec_file_load),
                             SCMP_SYS(reboot),
                             SCMP_SYS(swapon),
                             SCMP_SYS(iopl),
                             SCMP_SYS(ioperm),
                             SCMP_SYS(open_by_handle_at),
                             SCMP_SYS(setuid),
                             SCMP_SYS(setgid),
                             SCMP_SYS(setreuid),
                             SCMP_SYS(setregid),
                             SCMP_SYS(setresuid),
                             SCMP_SYS(setresgid),
                             SCMP_SYS(setgroups),
                             SCMP_SYS(setfsuid),
                             SCMP_SYS(capset),
                             SCMP_SYS(personality),
                             SCMP_SYS(mknod),
                             SCMP_SYS(mknodat)};

/* A call that is allowed where one argument is right: where (argument & mask) == value. */
struct condition {
    int number;
    unsigned argument;
    uint64_t mask, value;
};

enum { WHOLE = -1 };

static const struct condition conditions[] = {
    {SCMP_SYS(socket), 0, (uint64_t)WHOLE, AF_UNIX},
    {SCMP_SYS(socket), 0, (uint64_t)WHOLE, AF_INET},
    {SCMP_SYS(socket), 0, (uint64_t)WHOLE, AF_INET6},
    {SCMP_SYS(socket), 0, (uint64_t)WHOLE, AF_NETLINK}, /* who is the peer; which addresses */
    /* Memory is written or run, never both; a page does not become one to run. */
    {SCMP_SYS(mmap), 2, PROT_EXEC, 0},
    {SCMP_SYS(mmap), 2, PROT_WRITE, 0},
    {SCMP_SYS(mprotect), 2, PROT_EXEC, 0},
    /* Threads, not processes. The flags of clone3 cannot be seen: it gets ENOSYS. */
    {SCMP_SYS(clone), 0, CLONE_THREAD, CLONE_THREAD},
    {SCMP_SYS(prlimit64), 2, (uint64_t)WHOLE, 0}, /* only asks */
    {SCMP_SYS(prctl), 0, (uint64_t)WHOLE, PR_SET_NAME},
    {SCMP_SYS(prctl), 0, (uint64_t)WHOLE, PR_SET_VMA},
    {SCMP_SYS(prctl), 0, (uint64_t)WHOLE, PR_GET_DUMPABLE},
    {SCMP_SYS(prctl), 0, (uint64_t)WHOLE, PR_GET_NO_NEW_PRIVS},
    {SCMP_SYS(ioctl), 1, (uint64_t)WHOLE, FIONBIO},
    {SCMP_SYS(ioctl), 1, (uint64_t)WHOLE, FIOCLEX},
    {SCMP_SYS(ioctl), 1, (uint64_t)WHOLE, FIONREAD},
    {SCMP_SYS(ioctl), 1, (uint64_t)WHOLE, TCGETS},
    {SCMP_SYS(ioctl), 1, (uint64_t)WHOLE, SIOCGIFINDEX}, /* a name server on one link */
};

static int add_rules(scmp_filter_ctx filter)
{
    int error = 0;
    for (size_t i = 0; error == 0 && i < sizeof allowed / sizeof allowed[0]; i++)
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    for (size_t i = 0; error == 0 && i < sizeof deadly / sizeof deadly[0]; i++)
        error = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, deadly[i], 0);
    for (size_t i = 0; error == 0 && i < sizeof conditions / sizeof conditions[0]; i++) {
        const struct condition *condition = &conditions[i];
        error = seccomp_rule_add(
            filter, SCMP_ACT_ALLOW, condition->number, 1,
            SCMP_CMP64(condition->argument, SCMP_CMP_MASKED_EQ, condition->mask, condition->value));
    }
    /* abort() and the like: signals to ourselves. */
    if (error == 0)
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                 SCMP_A0_64(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
    return error;
}

const char *sandbox_seccomp(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    if (filter == NULL)
        return "libseccomp does not know this machine";
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree instead of a list */
    int error = add_rules(filter);
    if (error == 0)
        error = seccomp_load(filter); /* with no_new_privs */
    seccomp_release(filter);
    return error == 0 ? NULL : strerror(-error);
}

void sandbox_forbid_io_uring(void)
{
    enum { LIBUV_WITH_IO_URING = 0x012d00 }; /* 1.45 */
    if (uv_version() < LIBUV_WITH_IO_URING)
        return;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (filter == NULL)
        return;
    if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(io_uring_setup), 0) == 0)
        seccomp_load(filter);
    seccomp_release(filter);
}

#else

void sandbox_forbid_io_uring(void)
{
}

const char *sandbox_seccomp(void)
{
    return "the sanitizers of this build need other system calls";
}

#endif
