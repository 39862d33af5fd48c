/*
 * An error for a person: one line that names the file, line, key and remedy, and the exit status
 * that goes with it (sysexits.h).
 *
 * Owner: the caller, usually on its stack; there is nothing to free. Cold code returns false and
 * fills a `struct err`; the data path returns an int, 0 or -E*. What looks like an access token is
 * shown as ***, since a value may stand where another belongs.
 */
#ifndef SPARKBRIDGE_COMMON_ERR_H
#define SPARKBRIDGE_COMMON_ERR_H

#include <stdbool.h>
#include <sysexits.h>

struct err {
    int exit_code; /* EX_USAGE, EX_NOINPUT, EX_CANTCREAT, EX_CONFIG ... */
    char message[1024];
};

/* Fills `err` (which may be NULL) and returns false, so that callers write `return err_set(...)`.
 * A message longer than the field is cut, with "..." at its end. */
bool err_set(struct err *err, int exit_code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts a formatted context in front of the message that `err` has, and returns false. */
bool err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
