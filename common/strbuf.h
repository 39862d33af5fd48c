/*
 * A string that grows while it is written, up to a limit the owner sets.
 *
 * Owner: the struct or function that embeds it; strbuf_finish() frees it, strbuf_take() hands the
 * text over. A zeroed struct with a limit is an empty string. Past the limit writing does nothing
 * and `cut` says so. For secrets use struct secret: this memory is not wiped.
 */
#ifndef SPARKBRIDGE_COMMON_STRBUF_H
#define SPARKBRIDGE_COMMON_STRBUF_H

#include <stdbool.h>
#include <stddef.h>

struct strbuf {
    char *text; /* owned; NULL while empty, else NUL-terminated */
    size_t len, cap;
    size_t limit; /* bytes; 0 means STRBUF_DEFAULT_LIMIT */
    bool cut;     /* something did not fit */
};

enum { STRBUF_DEFAULT_LIMIT = 1 << 20 };

void strbuf_append(struct strbuf *buf, const char *bytes, size_t len);
void strbuf_append_text(struct strbuf *buf, const char *text);
void strbuf_append_char(struct strbuf *buf, char c);
void strbuf_append_format(struct strbuf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The text so far, never NULL, valid until the next write. */
const char *strbuf_text(const struct strbuf *buf);

/* Hands the text over to the caller, who frees it; never NULL. The buffer is empty afterwards. */
char *strbuf_take(struct strbuf *buf);

void strbuf_finish(struct strbuf *buf);

#endif
