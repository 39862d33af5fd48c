/*
 * A small file that only root or the daemon's own user can have put where it is.
 *
 * For files that the daemon reads on behalf of other users: whoever can change a directory of the
 * path could make it lead to a file that the daemon may read and he may not (a confused deputy). So
 * every directory on the way, and the file, has to belong to root or to the daemon's effective
 * user, none may be writable by others, and nothing may be a symbolic link. The walk goes by
 * descriptors, so that what was looked at is what is read; below a directory of somebody else's
 * nothing is opened, which keeps the daemon out of every other user's home.
 */
#ifndef SPARKBRIDGE_CONF_TRUSTED_FILE_H
#define SPARKBRIDGE_CONF_TRUSTED_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "common/err.h"
#include "common/secret.h"

/* As read_file(); `path` has to be absolute. A path that cannot be trusted is EX_NOPERM. */
bool read_trusted_file(const char *path, size_t max_bytes, struct secret *ret_content,
                       struct stat *ret_status, struct err *err);

#endif
