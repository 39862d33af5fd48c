/*
 * `${NAME}` in a value of the YAML file: the environment's value, `${NAME:-text}` with a text for
 * where it is not set or empty, and `$$` for a dollar sign. Any other `$` is an error.
 */
#ifndef SPARKBRIDGE_CONF_EXPAND_H
#define SPARKBRIDGE_CONF_EXPAND_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/secret.h"

enum { EXPAND_MAX_BYTES = 65536 }; /* of the result */

/* The result is a secret, since the variable may hold one; `err` (EX_CONFIG) names the variable,
 * never a value. */
bool expand_variables(const char *text, size_t len, char *const *environment,
                      struct secret *ret_value, struct err *err);

#endif
