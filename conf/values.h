/*
 * The values of options, from text: durations, sizes, modes, choices and switches.
 *
 * Every function writes its result only on success; otherwise `err` holds a sentence that quotes
 * the text and names what would be right. Exit code EX_USAGE, which the caller may replace.
 */
#ifndef SPARKBRIDGE_CONF_VALUES_H
#define SPARKBRIDGE_CONF_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct value_range {
    int64_t min, max; /* both allowed */
};

/* A number with a unit: ms, s, m or h. The range is in milliseconds. */
bool value_duration(const char *text, struct value_range range, int64_t *ret_ms, struct err *err);

/* A number with a unit: B, KiB or MiB. The range is in bytes. */
bool value_size(const char *text, struct value_range range, int64_t *ret_bytes, struct err *err);

/* An octal file mode, as in 0600. */
bool value_mode(const char *text, struct value_range range, int64_t *ret_mode, struct err *err);

/* A decimal number. */
bool value_integer(const char *text, struct value_range range, int64_t *ret_number,
                   struct err *err);

/* 1 for 1, true, yes and on; 0 for 0, false, no and off: for environment variables. */
bool value_switch(const char *text, int64_t *ret_on, struct err *err);

/* The index of one of the NULL-terminated choices. */
bool value_choice(const char *text, const char *const *choices, int64_t *ret_index,
                  struct err *err);

/* One line of text: not empty, at most `max_bytes`, without control bytes. Does not quote it. */
bool value_text(const char *text, size_t max_bytes, struct err *err);

#endif
