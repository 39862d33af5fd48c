/* Tokens in places where none belongs. */
#include "common/token_shape.h"

#include <stddef.h>
#include <string.h>

#include "common/ascii.h"
#include "common/secret.h"

enum { MIN_BYTES = 16 }; /* behind the prefix */

static const struct {
    const char *prefix;
    const char *beside; /* which characters a token has beside letters and digits */
    const char *tail;   /* and which may follow those that are counted */
} shapes[] = {
    {"dapi", "", "-"},
    {"eyJ", "-_", "."},
};

static size_t span(const char *text, const char *beside, const char *tail)
{
    size_t len = 0;
    while (text[len] != '\0' && (ascii_is_alnum(text[len]) || strchr(beside, text[len]) != NULL ||
                                 strchr(tail, text[len]) != NULL))
        len++;
    return len;
}

/* The length of the token that begins here, 0 where none does. */
static size_t length_at(const char *text)
{
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        size_t prefix_len = strlen(shapes[i].prefix);
        if (strncmp(text, shapes[i].prefix, prefix_len) != 0)
            continue;
        const char *rest = text + prefix_len;
        if (span(rest, shapes[i].beside, "") >= MIN_BYTES)
            return prefix_len + span(rest, shapes[i].beside, shapes[i].tail);
    }
    return 0;
}

/* The first one; NULL where there is none. It begins a word: one in the middle is by chance. */
static const char *find(const char *text, size_t *ret_len)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (c != text && ascii_is_alnum(c[-1]))
            continue;
        *ret_len = length_at(c);
        if (*ret_len > 0)
            return c;
    }
    return NULL;
}

bool token_shape_in(const char *text)
{
    size_t len;
    return find(text, &len) != NULL;
}

void token_shape_hide(char *text)
{
    size_t len;
    for (char *rest = text; (rest = (char *)find(rest, &len)) != NULL;) {
        size_t tail = strlen(rest + len) + 1;
        memset(rest, '*', 3);
        memmove(rest + 3, rest + len, tail);
        secret_wipe(rest + 3 + tail, len - 3); /* the end that was moved away */
        rest += 3;
    }
}
