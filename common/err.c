/* An error for a person and its exit status. */
#include "common/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/token_shape.h"

static void mark_if_cut(struct err *err, int len)
{
    if (len >= (int)sizeof err->message)
        memcpy(err->message + sizeof err->message - 4, "...", 4);
}

bool err_set(struct err *err, int exit_code, const char *format, ...)
{
    if (err == NULL)
        return false;
    err->exit_code = exit_code;
    va_list args;
    va_start(args, format);
    mark_if_cut(err, vsnprintf(err->message, sizeof err->message, format, args));
    va_end(args);
    token_shape_hide(err->message);
    return false;
}

bool err_prefix(struct err *err, const char *format, ...)
{
    if (err == NULL)
        return false;
    char old[sizeof err->message];
    memcpy(old, err->message, sizeof old);
    va_list args;
    va_start(args, format);
    int len = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    if (len >= (int)sizeof err->message) {
        mark_if_cut(err, len);
    } else if (len >= 0) {
        size_t room = sizeof err->message - (size_t)len;
        mark_if_cut(err, len + snprintf(err->message + len, room, "%s", old));
    }
    token_shape_hide(err->message);
    return false;
}
