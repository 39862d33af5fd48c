/*
 * "Did you mean": the known word nearest to a mistyped one, by Damerau-Levenshtein distance
 * (insert, delete, replace, swap neighbours), where it is near enough to be a typing error.
 */
#ifndef SPARKBRIDGE_CONF_SUGGEST_H
#define SPARKBRIDGE_CONF_SUGGEST_H

#include <stddef.h>

enum { SUGGEST_MAX_BYTES = 64 }; /* longer words get no suggestion */

/* Ready for the end of a message: ` (did you mean "profile"?)`, or empty. */
struct suggestion {
    char text[SUGGEST_MAX_BYTES + sizeof " (did you mean \"\"?)"];
};

/* Compares without regard to case, and `-` equals `_`. */
size_t suggest_distance(const char *a, const char *b);

/* Keeps the nearest candidate over several calls. */
struct suggest {
    const char *word;
    const char *best; /* borrowed from the caller, NULL while none is near */
    size_t best_distance;
};

void suggest_offer(struct suggest *suggest, const char *candidate);
struct suggestion suggest_text(const struct suggest *suggest);

/* All at once, from a NULL-terminated array. */
struct suggestion suggest_from(const char *word, const char *const *candidates);

#endif
