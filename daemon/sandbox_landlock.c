/*
 * Landlock: which files, landlock(7). The C library has no functions for it, and the header of the
 * build machine may be older than the kernel, so what is newer than Linux 6.1 is written out.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/sandbox.h"

enum {
    ABI_REFER = 2,
    ABI_TRUNCATE = 3,
    ABI_IOCTL_DEV = 5,
    ABI_SCOPE = 6,
};

static const uint64_t access_truncate = UINT64_C(1) << 14, access_ioctl_dev = UINT64_C(1) << 15;
static const uint64_t scope_signal = UINT64_C(1) << 1;

/* struct landlock_ruleset_attr as of ABI 6. */
struct ruleset_attr {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;
    uint64_t scoped;
};

static struct ruleset_attr what_to_handle(int abi)
{
    uint64_t fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1; /* all of ABI 1 */
    if (abi >= ABI_REFER)
        fs |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= ABI_TRUNCATE)
        fs |= access_truncate;
    if (abi >= ABI_IOCTL_DEV)
        fs |= access_ioctl_dev;
    /* Ports are left alone: which ones the workspaces of per-user profiles have is not known yet.
     * Abstract sockets too: that of systemd's notifications may be one. */
    return (struct ruleset_attr){
        .handled_access_fs = fs,
        .scoped = abi >= ABI_SCOPE ? scope_signal : 0, /* signals to processes outside */
    };
}

/* A path that is not there needs no rule. */
static void allow(int ruleset, const char *path, uint64_t access)
{
    struct stat st;
    struct landlock_path_beneath_attr rule = {
        .allowed_access = access,
        .parent_fd = open(path, O_PATH | O_CLOEXEC),
    };
    if (rule.parent_fd < 0)
        return;
    if (fstat(rule.parent_fd, &st) == 0) {
        if (!S_ISDIR(st.st_mode)) /* of a file only what files have is accepted */
            rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
        syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    }
    close(rule.parent_fd);
}

static int create_ruleset(int abi)
{
    struct ruleset_attr attr = what_to_handle(abi);
    size_t size =
        abi >= ABI_SCOPE ? sizeof attr : sizeof attr.handled_access_fs; /* what it knows of it */
    return (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
}

const char *sandbox_landlock(const struct sandbox_paths *paths, int *ret_abi)
{
    const uint64_t reads = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
    /* A socket is made under another name, renamed, and removed at the end. */
    const uint64_t sockets = LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE;

    int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    *ret_abi = abi > 0 ? abi : 0;
    if (abi <= 0)
        return errno == EOPNOTSUPP ? "switched off in this kernel" : "not in this kernel";
    int ruleset = create_ruleset(abi);
    if (ruleset < 0)
        return strerror(errno);
    for (size_t i = 0; i < paths->read_count; i++)
        allow(ruleset, paths->read[i], reads);
    for (size_t i = 0; i < paths->sockets_count; i++)
        allow(ruleset, paths->sockets[i], sockets);
    allow(ruleset, "/dev/null", LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
    const char *failed = NULL;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
        failed = strerror(errno);
    close(ruleset);
    return failed;
}
