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

static bool path_is_free(const struct sockaddr_un *address, struct err *err)
{
    struct stat st;
    if (lstat(address->sun_path, &st) < 0) {
        if (errno == ENOENT)
            return true;
        return err_set(err, EX_CANTCREAT, "cannot listen on unix:%s: %s", address->sun_path,
                       strerror(errno));
    }
    if (!S_ISSOCK(st.st_mode))
        return err_set(err, EX_CANTCREAT,
                       "cannot listen on unix:%s: something that is not a socket is there; remove "
                       "it or choose another path",
                       address->sun_path);
    if (is_answered(address))
        return err_set(err, EX_CANTCREAT,
                       "cannot listen on unix:%s: another process is listening there already",
                       address->sun_path);
    return true;
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
static bool temporary_name(const char *path, struct sockaddr_un *address, struct err *err)
{
    char name[sizeof address->sun_path + 32];
    const char *slash = strrchr(path, '/');
    int dir_len = slash == NULL ? 0 : (int)(slash - path) + 1;
    snprintf(name, sizeof name, "%.*s.sb%d", dir_len, path, (int)getpid());
    return fill_address(address, name, err);
}

bool unix_socket_listen(const char *path, mode_t mode, struct unix_socket *ret_socket,
                        struct err *err)
{
    struct sockaddr_un address, temporary;
    struct stat st;
    if (!fill_address(&address, path, err) || !temporary_name(path, &temporary, err) ||
        !path_is_free(&address, err))
        return false;

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set(err, EX_OSERR, "cannot make a Unix socket: %s", strerror(errno));
    unlink(temporary.sun_path); /* of a process that died here with our number */
    mode_t old_mask = umask(0777 & ~mode);
    int bound = bind(fd, (const struct sockaddr *)&temporary, sizeof temporary);
    int bind_errno = errno;
    umask(old_mask);
    if (bound < 0) {
        close(fd);
        return err_set(err, EX_CANTCREAT, "cannot listen on unix:%s: %s", path,
                       strerror(bind_errno));
    }
    if (listen(fd, BACKLOG) < 0 || lstat(temporary.sun_path, &st) < 0 ||
        rename(temporary.sun_path, path) < 0) {
        err_set(err, EX_CANTCREAT, "cannot listen on unix:%s: %s", path, strerror(errno));
        unlink(temporary.sun_path);
        close(fd);
        return false;
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
