/* A listening Unix socket at a path. */
#include "daemon/unix_socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 511 };

/* Somebody accepts connections at the path. */
static bool is_answered(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    /* EAGAIN: its backlog is full, so somebody has it. */
    bool answered = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ||
                    errno == EAGAIN || errno == EINPROGRESS;
    close(fd);
    return answered;
}

static bool fill_address(struct sockaddr_un *address, const char *path, struct err *err)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address->sun_path)
        return err_set(err, EX_CANTCREAT,
                       "cannot listen on unix:%s: the path has more than %zu bytes", path,
                       sizeof address->sun_path - 1);
    memcpy(address->sun_path, path, strlen(path) + 1);
    return true;
}

/* A short name in the same directory, so that it fits wherever the path does not end early. */
static bool name_beside(const char *path, const char *prefix, struct sockaddr_un *address,
                        struct err *err)
{
    char name[sizeof address->sun_path + 32];
    const char *slash = strrchr(path, '/');
    int dir_len = slash == NULL ? 0 : (int)(slash - path) + 1;
    snprintf(name, sizeof name, "%.*s.%s%d", dir_len, path, prefix, (int)getpid());
    return fill_address(address, name, err);
}

static bool fail(const char *path, int error, struct err *err)
{
    const char *remedy = error == EACCES || error == EPERM
                             ? ": this user may not create it there; choose another directory"
                         : error == ENOENT || error == ENOTDIR
                             ? ": create the directory first, or choose another"
                             : "";
    return err_set(err, EX_CANTCREAT, "cannot listen on unix:%s: %s%s", path, strerror(error),
                   remedy);
}

static bool fail_taken(const char *path, const char *option, struct err *err)
{
    return err_set(err, EX_CANTCREAT,
                   "cannot listen on unix:%s: another process is listening there already: stop it, "
                   "or choose another path by %s",
                   path, option);
}

/* Nothing is at the path, or what a dead process left there. */
static bool path_is_free(const struct sockaddr_un *address, const char *option, bool *ret_dead,
                         struct err *err)
{
    struct stat st;
    const char *path = address->sun_path;
    *ret_dead = false;
    if (lstat(path, &st) < 0)
        return errno == ENOENT || fail(path, errno, err);
    if (!S_ISSOCK(st.st_mode))
        return err_set(err, EX_CANTCREAT,
                       "cannot listen on unix:%s: something that is not a socket is there; remove "
                       "it or choose another path",
                       path);
    *ret_dead = true;
    return !is_answered(address) || fail_taken(path, option, err);
}

/* Removes a dead socket. Another process may have done so a moment ago and be listening now: what
 * was moved is looked at again, and a living one goes back. */
static void remove_dead(const struct sockaddr_un *address)
{
    struct sockaddr_un aside;
    if (!name_beside(address->sun_path, "dead", &aside, NULL) ||
        rename(address->sun_path, aside.sun_path) < 0)
        return;
    if (!is_answered(&aside) || link(aside.sun_path, address->sun_path) == 0)
        unlink(aside.sun_path);
}

/* A socket that listens at `address` with this mode; -1 on failure, with errno. */
static int listen_at(const struct sockaddr_un *address, mode_t mode)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    unlink(address->sun_path); /* of a process that died here with our number */
    mode_t old_mask = umask(0777 & ~mode);
    int result = bind(fd, (const struct sockaddr *)address, sizeof *address);
    int error = errno;
    umask(old_mask);
    if (result == 0) {
        result = listen(fd, BACKLOG);
        error = errno;
    }
    if (result == 0)
        return fd;
    unlink(address->sun_path);
    close(fd);
    errno = error;
    return -1;
}

bool unix_socket_listen(const char *path, const char *option, mode_t mode,
                        struct unix_socket *ret_socket, struct err *err)
{
    struct sockaddr_un address, temporary;
    bool dead;
    if (!fill_address(&address, path, err) || !name_beside(path, "sb", &temporary, err) ||
        !path_is_free(&address, option, &dead, err))
        return false;
    int fd = listen_at(&temporary, mode);
    if (fd < 0)
        return fail(path, errno, err);
    if (dead)
        remove_dead(&address);
    struct stat st;
    int linked = link(temporary.sun_path, path), error = errno;
    bool ok = linked == 0 && lstat(temporary.sun_path, &st) == 0;
    unlink(temporary.sun_path);
    if (!ok) {
        close(fd);
        return error == EEXIST ? fail_taken(path, option, err) : fail(path, error, err);
    }
    *ret_socket = (struct unix_socket){.fd = fd, .device = st.st_dev, .inode = st.st_ino};
    return true;
}

void unix_socket_remove(const struct unix_socket *socket, const char *path)
{
    struct stat st;
    if (lstat(path, &st) == 0 && st.st_dev == socket->device && st.st_ino == socket->inode)
        unlink(path);
}
