/* A small file that only root or the daemon's own user can have put where it is. */
#include "conf/trusted_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "conf/read_file.h"

/* Where the walk is: an open descriptor, and the part of the path that leads there. */
struct place {
    int fd;
    const char *path;
    int len; /* of the part */
};

static bool check(const struct place *place, struct stat *ret_status, struct err *err)
{
    const int len = place->len;
    struct stat *status = ret_status;
    if (fstat(place->fd, status) < 0)
        return err_set(err, EX_NOINPUT, "%.*s: cannot be looked at: %s", len, place->path,
                       strerror(errno));
    if (S_ISLNK(status->st_mode))
        return err_set(err, EX_NOPERM,
                       "%.*s: is a symbolic link, which is not followed on behalf of other users; "
                       "write the path it leads to",
                       len, place->path);
    if (status->st_uid != 0 && status->st_uid != geteuid())
        return err_set(err, EX_NOPERM,
                       "%.*s: belongs to the user with uid %u, who could make it lead anywhere; "
                       "files for other users have to be where only root or the daemon's user "
                       "can write",
                       len, place->path, (unsigned)status->st_uid);
    bool sticky = S_ISDIR(status->st_mode) && (status->st_mode & S_ISVTX) != 0;
    if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0 && !sticky)
        return err_set(err, EX_NOPERM, "%.*s: others can write to it; chmod go-w it", len,
                       place->path);
    return true;
}

/* From the directory at `place` to the entry that ends `len` bytes into the path. The last one is
 * opened to be read. */
static bool step(struct place *place, int len, bool last, struct err *err)
{
    char *name = xstrndup(place->path + place->len, (size_t)(len - place->len));
    const char *entry = name + strspn(name, "/");
    int flags = O_CLOEXEC | O_NOFOLLOW | (last ? O_RDONLY | O_NONBLOCK | O_NOCTTY : O_PATH);
    int fd = openat(place->fd, entry, flags);
    int open_errno = errno;
    if (fd < 0 && open_errno == ELOOP) /* to be told as what it is, by check() */
        fd = openat(place->fd, entry, O_CLOEXEC | O_NOFOLLOW | O_PATH);
    free(name);
    if (fd < 0) {
        err_set(err, EX_NOINPUT, "%.*s: cannot be opened: %s", len, place->path,
                strerror(open_errno));
        errno = open_errno;
        return false;
    }
    close(place->fd);
    place->fd = fd;
    place->len = len;
    return true;
}

static bool walk(struct place *place, struct stat *ret_status, struct err *err)
{
    for (;;) {
        if (!check(place, ret_status, err)) {
            errno = 0;
            return false;
        }
        const char *rest = place->path + place->len;
        size_t slashes = strspn(rest, "/");
        if (rest[slashes] == '\0')
            return true;
        int len = place->len + (int)(slashes + strcspn(rest + slashes, "/"));
        if (!step(place, len, place->path[len] == '\0', err))
            return false;
    }
}

bool read_trusted_file(const char *path, size_t max_bytes, struct secret *ret_content,
                       struct stat *ret_status, struct err *err)
{
    errno = 0;
    if (path[0] != '/')
        return err_set(err, EX_CONFIG, "%s: has to be an absolute path", path);
    struct place place = {.fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), .path = path};
    struct stat status;
    place.len = 1;
    bool ok = walk(&place, &status, err);
    int walk_errno = errno;
    if (ok) {
        ok = read_open_file(place.fd, path, max_bytes, ret_content, ret_status, err);
        walk_errno = 0;
    }
    close(place.fd);
    errno = walk_errno;
    return ok;
}
