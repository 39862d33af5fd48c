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
            err_set(err, EX_NOINPUT, "%s: cannot be read: %s", path, strerror(errno));
            secret_finish(&content);
            return false;
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

bool read_file(const char *path, size_t max_bytes, struct secret *ret_content,
               struct stat *ret_status, struct err *err)
{
    /* Without O_NONBLOCK opening a FIFO would wait for somebody to write. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int open_errno = errno;
    struct stat status = {0};
    if (fd < 0) {
        /* access(2) asks the file's mode alone. */
        bool sandboxed = open_errno == EACCES && access(path, R_OK) == 0;
        err_set(err, EX_NOINPUT, "%s: cannot be opened: %s%s", path, strerror(open_errno),
                sandboxed ? "; its directory is none that the sandbox of this process lets in, "
                            "which were chosen at its start: restart it"
                          : "");
        errno = open_errno;
        return false;
    }
    bool ok = fstat(fd, &status) == 0 && S_ISREG(status.st_mode)
                  ? read_all(fd, path, max_bytes, ret_content, err)
                  : err_set(err, EX_NOINPUT, "%s: is %s, not a regular file", path,
                            kind_of(status.st_mode));
    close(fd);
    if (ok && ret_status != NULL)
        *ret_status = status;
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
