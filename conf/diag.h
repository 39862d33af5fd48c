/*
 * Diagnostics: all the faults of a configuration, collected in one run, each with its place.
 *
 * Owner: the caller; diag_list_finish(). At most DIAG_MAX are kept, the rest is counted.
 */
#ifndef SPARKBRIDGE_CONF_DIAG_H
#define SPARKBRIDGE_CONF_DIAG_H

#include <stdbool.h>
#include <stddef.h>

enum { DIAG_MAX = 100, DIAG_QUOTE_MAX = 64 };

enum diag_severity { DIAG_ERROR, DIAG_WARNING };

/* In a file, from 1; columns count characters. Line 0: not in a file. */
struct diag_place {
    unsigned line, column;
};

struct diag {
    enum diag_severity severity;
    int exit_code; /* sysexits; 0 for a warning */
    struct diag_place place;
    char *message; /* owned, one line with its place in front: "FILE:LINE:COLUMN: ..." */
};

struct diag_list {
    struct diag *items; /* owned */
    size_t count;
    size_t errors;  /* among all, also those not kept */
    size_t dropped; /* not kept */
    int exit_code;  /* of the first error, 0 while there is none */
};

/* Text of a user's making, ready for a message: in quotation marks, control bytes and bytes outside
 * ASCII as `?`, cut after DIAG_QUOTE_MAX bytes; *** where it looks like an access token. Never for
 * what should be a secret. */
struct diag_quote {
    char text[DIAG_QUOTE_MAX + sizeof "\"...\""];
};

/* Adds one; returns false, so that callers write `return diag_error(...)`. With a place the message
 * gets "PATH:LINE:COLUMN: " in front and the exit code is EX_CONFIG. */
bool diag_error(struct diag_list *list, int exit_code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool diag_error_at(struct diag_list *list, const char *path, struct diag_place place,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));
void diag_warning(struct diag_list *list, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The exit code of the first error, 0 where there is none. */
int diag_list_exit_code(const struct diag_list *list);

/* Orders by place, those without one first; else as they were added. */
void diag_list_sort(struct diag_list *list);

void diag_list_finish(struct diag_list *list);

struct diag_quote diag_quote(const char *text);

#endif
