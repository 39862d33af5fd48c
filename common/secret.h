/*
 * A secret: a token, password or the header value made from one.
 *
 * It is the only type that may hold such bytes. Nothing formats it: logs, errors and JSON get its
 * fingerprint. Owner: the struct that embeds it, which calls secret_finish(); a zeroed struct is a
 * secret that is not set. The bytes are in memory of their own (common/secret_memory.h), and wiped
 * when they are replaced or finished. Loop thread only.
 */
#ifndef SPARKBRIDGE_COMMON_SECRET_H
#define SPARKBRIDGE_COMMON_SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct secret {
    char *bytes; /* owned, NUL after the last byte; NULL while not set */
    size_t len;
};

enum { SECRET_FINGERPRINT_SIZE = 13 };

/* Replaces the secret by a copy of `len` bytes. */
void secret_set(struct secret *secret, const char *bytes, size_t len);

/* Replaces the secret by an empty one with room for `size` bytes and a NUL, all zero, for the
 * caller to fill; he sets `len`. */
void secret_reserve(struct secret *secret, size_t size);

/* Replaces the secret by `prefix` followed by the bytes of `tail`. */
void secret_set_prefixed(struct secret *secret, const char *prefix, const struct secret *tail);

/* Moves the bytes; `from` is not set afterwards. */
void secret_move(struct secret *to, struct secret *from);

/* Wipes and frees; accepts a secret that is not set. */
void secret_finish(struct secret *secret);

bool secret_is_set(const struct secret *secret);

/* The same bytes? Takes the same time wherever the first difference is. */
bool secret_equal(const struct secret *a, const struct secret *b);

/* Is the secret set, and are these its bytes? Takes the same time whatever the bytes are, and tells
 * nothing of the secret's length: digests are compared. */
bool secret_matches(const struct secret *secret, const char *bytes, size_t len);

/* The first 12 hex digits of its SHA-256: enough to tell tokens apart, not to guess one. */
void secret_fingerprint(const struct secret *secret, char ret_text[SECRET_FINGERPRINT_SIZE]);

/* Wipes bytes elsewhere that held a secret. */
void secret_wipe(void *bytes, size_t len);
void secret_wipe_text(char *text); /* accepts NULL */

#endif
