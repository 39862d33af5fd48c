/*
 * What the daemon gives up, so that whoever takes it over by a fault in it gets little: its memory
 * is hidden from other processes before a secret is read, and once everything is open it keeps
 * only the files (Landlock) and system calls (seccomp) that serving and reloading need, for good.
 *
 * Each part is taken where the system has it, also inside the stronger sandbox that systemd's unit
 * gives, and `status` says what is in force. A reload opens files in the same directories as
 * before; others need a restart.
 */
#ifndef SPARKBRIDGE_DAEMON_SANDBOX_H
#define SPARKBRIDGE_DAEMON_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/setup.h"

enum { SANDBOX_MAX_PATHS = 1024 };

/* Paths that the daemon needs after its start. Owner: the caller, sandbox_paths_finish(). */
struct sandbox_paths {
    char *read[SANDBOX_MAX_PATHS]; /* owned; files, or directories with all that is in them */
    size_t read_count;
    char *sockets[SANDBOX_MAX_PATHS]; /* owned; directories in which sockets come and go */
    size_t sockets_count;
    size_t left_out;      /* for which there was no room */
    char *first_left_out; /* owned; NULL where none was */
};

/* What came of it; the reasons are static text, NULL where it is in force. */
struct sandbox {
    const char *landlock_off;
    int landlock_abi; /* what the kernel offers, 0: nothing */
    const char *seccomp_off;
};

/* No core dump, no ptrace(2), no /proc/PID/mem for other processes of the same user: prctl(2),
 * PR_SET_DUMPABLE. */
void sandbox_hide_memory(void);

/* Before the loop is made: a newer libuv would use io_uring from its beginning, which is a way
 * around the filter of system calls, and ends the process when the filter takes it away. */
void sandbox_forbid_io_uring(void);

/* Gives up the rest for this process. There must not be any threads yet. */
void sandbox_enter(const struct setup *setup, const char *control_path, char *const *environment,
                   struct sandbox *ret_sandbox);

/* ---- its parts, for sandbox.c and the tests ----------------------------------------------- */

void sandbox_paths_collect(const struct setup *setup, const char *control_path,
                           char *const *environment, struct sandbox_paths *ret_paths);
void sandbox_paths_finish(struct sandbox_paths *paths);

/* NULL, or why not. Both set no_new_privs, see prctl(2). */
const char *sandbox_landlock(const struct sandbox_paths *paths, int *ret_abi);
const char *sandbox_seccomp(void);

#endif
