/* A small regular file, read whole. */
#include "conf/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "conf/diag.h"

static const char *kind_of(mode_t mode)
{
    return S_ISDIR(mode)    ? "a directory"
           : S_ISFIFO(mode) ? "a FIFO"
           : S_ISSOCK(mode) ? "a socket"
                            : "a device";
}

static void set_open_error(struct err *err, const char *path, int error)
{
    if (error == ENOENT)
        err_set(err, EX_NOINPUT, "%s: there is no such file: check the path", path);
    else if (error == EACCES && access(path, R_OK) == 0) /* access(2) asks the file's mode alone */
        err_set(err, EX_NOINPUT,
                "%s: its directory is none that the sandbox of this process lets in, which were "
                "chosen at its start: restart it",
                path);
    else if (error == EACCES)
        err_set(err, EX_NOINPUT, "%s: permission denied: let the user with id %u read it", path,
                (unsigned)geteuid());
    else
        err_set(err, EX_NOINPUT, "%s: cannot be opened: %s", path, strerror(error));
}

static bool fail_read(const char *path, int error, struct err *err)
{
    return err_set(err, EX_NOINPUT, "%s: cannot be read: %s", path, strerror(error));
}

/* Reads until the end or `max_bytes` + 1; the file may grow meanwhile. */
static bool read_all(int fd, const char *path, size_t max_bytes, struct secret *ret_content,
                     struct err *err)
{
    struct secret content = {0};
    secret_reserve(&content, max_bytes + 1);
    while (content.len <= max_bytes) {
        ssize_t n = read(fd, content.bytes + content.len, max_bytes + 1 - content.len);
        if (n == 0)
            break;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int error = errno;
            secret_finish(&content);
            return fail_read(path, error, err);
        }
        content.len += (size_t)n;
    }
    if (content.len > max_bytes) {
        secret_finish(&content);
        return err_set(err, EX_NOINPUT, "%s: is larger than %zu KiB, more than it may be", path,
                       max_bytes >> 10);
    }
    secret_move(ret_content, &content);
    return true;
}

static bool is_unchanged(const struct stat *before, const struct stat *after, size_t len)
{
    return after->st_size == before->st_size && (off_t)len == before->st_size &&
           after->st_mtim.tv_sec == before->st_mtim.tv_sec &&
           after->st_mtim.tv_nsec == before->st_mtim.tv_nsec;
}

bool read_open_file(int fd, const char *path, size_t max_bytes, struct secret *ret_content,
                    struct stat *ret_status, struct err *err)
{
    struct stat before = {0}, after;
    if (fstat(fd, &before) < 0) {
        int error = errno;
        errno = 0;
        return fail_read(path, error, err);
    }
    errno = 0;
    if (!S_ISREG(before.st_mode))
        return err_set(err, EX_NOINPUT, "%s: is %s, not a regular file", path,
                       kind_of(before.st_mode));
    for (int attempt = 0; attempt < 2; attempt++) {
        bool ok = lseek(fd, 0, SEEK_SET) == 0 && fstat(fd, &before) == 0;
        ok = ok ? read_all(fd, path, max_bytes, ret_content, err) : fail_read(path, errno, err);
        errno = 0;
        if (!ok)
            return false;
        /* Another program may be writing to it, and this be half of the old and of the new. */
        if (fstat(fd, &after) == 0 && is_unchanged(&before, &after, ret_content->len)) {
            if (ret_status != NULL)
                *ret_status = after;
            return true;
        }
    }
    secret_finish(ret_content);
    return err_set(err, EX_TEMPFAIL, "%s: it changed while it was read: try again", path);
}

bool read_file(const char *path, size_t max_bytes, struct secret *ret_content,
               struct stat *ret_status, struct err *err)
{
    /* Without O_NONBLOCK opening a FIFO would wait for somebody to write. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int open_errno = errno;
    if (fd < 0) {
        set_open_error(err, path, open_errno);
        errno = open_errno;
        return false;
    }
    bool ok = read_open_file(fd, path, max_bytes, ret_content, ret_status, err);
    close(fd);
    errno = 0;
    return ok;
}

bool check_private(const char *path, const struct stat *status, const char *what, struct err *err)
{
    mode_t forbidden = S_IROTH | S_IWOTH;
    if (status->st_uid == geteuid())
        forbidden |= S_IRGRP | S_IWGRP;
    if ((status->st_mode & forbidden) == 0)
        return true;
    return err_set(err, EX_NOPERM, "%s: holds %s, and others may %s it (mode %04o): chmod 600 %s",
                   path, what,
                   (status->st_mode & forbidden & (S_IRGRP | S_IROTH)) != 0 ? "read" : "change",
                   status->st_mode & 07777U, path);
}
