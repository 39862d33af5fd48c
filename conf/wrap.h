/* Text broken into lines at spaces. */
#ifndef SPARKBRIDGE_CONF_WRAP_H
#define SPARKBRIDGE_CONF_WRAP_H

#include <stddef.h>

#include "common/strbuf.h"

/* Appends the text with `prefix` in front of every line; none is longer than `columns`, unless a
 * single word is. */
void wrap_append(struct strbuf *out, const char *prefix, size_t columns, const char *text);

#endif
