/*
 * A small regular file, read whole: never a FIFO that blocks, a device without end or a directory,
 * and never half of what another program is writing.
 *
 * The content may be or hold a secret, so it is kept as one.
 */
#ifndef SPARKBRIDGE_CONF_READ_FILE_H
#define SPARKBRIDGE_CONF_READ_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "common/err.h"
#include "common/secret.h"

/* Reads at most `max_bytes`; more is an error. A file that changes meanwhile is read once more, and
 * is an error (EX_TEMPFAIL; all others are EX_NOINPUT) where it changes again. `err` begins with
 * the path. errno tells why the file could not be opened: ENOENT where there is none; 0 for other
 * faults. *ret_status, which may be NULL, is that of the open file. */
bool read_file(const char *path, size_t max_bytes, struct secret *ret_content,
               struct stat *ret_status, struct err *err);

/* The same from a descriptor that was opened without blocking, and stays open. */
bool read_open_file(int fd, const char *path, size_t max_bytes, struct secret *ret_content,
                    struct stat *ret_status, struct err *err);
/* May nobody but its owner read or change a file that holds a secret? EX_NOPERM with the remedy
 * otherwise. As in ssh(1) the file's group counts where the file is our own; another's file that
 * we read as members of its group, like root's for a service, was meant so. `what` says what it
 * holds: "the access token". */
bool check_private(const char *path, const struct stat *status, const char *what, struct err *err);

#endif
