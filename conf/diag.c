/* All the faults of a configuration, collected in one run. */
#include "conf/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/alloc.h"
#include "common/token_shape.h"

enum { MESSAGE_SIZE = 2048 }; /* longer ones are cut */

static void add(struct diag_list *list, struct diag diag)
{
    token_shape_hide(diag.message);
    if (list->count == DIAG_MAX) {
        list->dropped++;
        free(diag.message);
        return;
    }
    if (list->items == NULL)
        list->items = xcalloc(DIAG_MAX, sizeof list->items[0]);
    list->items[list->count++] = diag;
}

static bool add_error(struct diag_list *list, struct diag diag)
{
    if (list->errors++ == 0)
        list->exit_code = diag.exit_code;
    add(list, diag);
    return false;
}

bool diag_error(struct diag_list *list, int exit_code, const char *format, ...)
{
    char text[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return add_error(list, (struct diag){DIAG_ERROR, exit_code, {0, 0}, xstrdup(text)});
}

bool diag_error_at(struct diag_list *list, const char *path, struct diag_place place,
                   const char *format, ...)
{
    char text[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    char *message = xasprintf("%s:%u:%u: %s", path, place.line, place.column, text);
    return add_error(list, (struct diag){DIAG_ERROR, EX_CONFIG, place, message});
}

void diag_warning(struct diag_list *list, const char *format, ...)
{
    char text[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    add(list, (struct diag){DIAG_WARNING, 0, {0, 0}, xstrdup(text)});
}

int diag_list_exit_code(const struct diag_list *list)
{
    return list->exit_code;
}

static bool is_before(struct diag_place a, struct diag_place b)
{
    return a.line != b.line ? a.line < b.line : a.column < b.column;
}

/* By insertion: stable, and there are at most DIAG_MAX. */
void diag_list_sort(struct diag_list *list)
{
    for (size_t i = 1; i < list->count; i++) {
        struct diag diag = list->items[i];
        size_t j = i;
        for (; j > 0 && is_before(diag.place, list->items[j - 1].place); j--)
            list->items[j] = list->items[j - 1];
        list->items[j] = diag;
    }
}

void diag_list_finish(struct diag_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].message);
    free(list->items);
    *list = (struct diag_list){0};
}

struct diag_quote diag_quote(const char *text)
{
    struct diag_quote quote = {.text = "\""};
    size_t len = 1;
    if (token_shape_in(text)) /* the cut could leave a part that has the shape no more */
        text = "***";
    size_t text_len = strnlen(text, DIAG_QUOTE_MAX + 1);
    bool cut = text_len > DIAG_QUOTE_MAX;
    for (size_t i = 0; i < text_len && i < DIAG_QUOTE_MAX; i++)
        quote.text[len++] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
    memcpy(quote.text + len, cut ? "...\"" : "\"", cut ? 5 : 2);
    return quote;
}
