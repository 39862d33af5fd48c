/* A string that grows while it is written. */
#include "common/strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

static bool reserve(struct strbuf *buf, size_t more)
{
    size_t limit = buf->limit != 0 ? buf->limit : STRBUF_DEFAULT_LIMIT;
    if (more > limit || buf->len > limit - more) {
        buf->cut = true;
        return false;
    }
    size_t need = buf->len + more + 1;
    if (need > buf->cap) {
        size_t cap = buf->cap < 64 ? 64 : buf->cap;
        while (cap < need)
            cap *= 2;
        buf->text = xrealloc(buf->text, cap);
        buf->cap = cap;
    }
    return true;
}

void strbuf_append(struct strbuf *buf, const char *bytes, size_t len)
{
    if (!reserve(buf, len))
        return;
    memcpy(buf->text + buf->len, bytes, len);
    buf->len += len;
    buf->text[buf->len] = '\0';
}

void strbuf_append_text(struct strbuf *buf, const char *text)
{
    strbuf_append(buf, text, strlen(text));
}

void strbuf_append_char(struct strbuf *buf, char c)
{
    strbuf_append(buf, &c, 1);
}

void strbuf_append_format(struct strbuf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len >= 0 && reserve(buf, (size_t)len)) {
        vsnprintf(buf->text + buf->len, (size_t)len + 1, format, again);
        buf->len += (size_t)len;
    }
    va_end(again);
}

const char *strbuf_text(const struct strbuf *buf)
{
    return buf->text != NULL ? buf->text : "";
}

char *strbuf_take(struct strbuf *buf)
{
    char *text = buf->text != NULL ? buf->text : xstrdup("");
    size_t limit = buf->limit;
    *buf = (struct strbuf){.limit = limit};
    return text;
}

void strbuf_finish(struct strbuf *buf)
{
    free(buf->text);
    *buf = (struct strbuf){0};
}
