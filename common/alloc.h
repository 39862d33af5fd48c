/*
 * Allocation of small, fixed amounts, where running out of memory ends the process.
 *
 * Whatever a peer or a file can make larger is limited by the caller before it gets here; what is
 * left is so small that a daemon which cannot have it cannot go on either.
 */
#ifndef SPARKBRIDGE_COMMON_ALLOC_H
#define SPARKBRIDGE_COMMON_ALLOC_H

#include <stddef.h>

/* Says so and ends the process. */
void alloc_failed(void) __attribute__((noreturn));

/* Zeroed memory; never NULL. Free with free(). */
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/* Grown or shrunk memory; never NULL, `size` must not be 0. The new part is not zeroed. */
void *xrealloc(void *memory, size_t size) __attribute__((returns_nonnull));

/* Copies; never NULL. */
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *text, size_t len) __attribute__((malloc, returns_nonnull));

/* A formatted string; never NULL. */
char *xasprintf(const char *format, ...)
    __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

#endif
