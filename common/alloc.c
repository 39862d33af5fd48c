/* Allocation that ends the process when memory runs out. */
#include "common/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void alloc_failed(void)
{
    static const char message[] = "sparkbridge: out of memory\n";
    fwrite(message, 1, sizeof message - 1, stderr);
    abort();
}

static void *checked(void *memory)
{
    if (memory == NULL)
        alloc_failed();
    return memory;
}

void *xcalloc(size_t count, size_t size)
{
    return checked(calloc(count, size));
}

void *xrealloc(void *memory, size_t size)
{
    return checked(realloc(memory, size));
}

char *xstrdup(const char *text)
{
    return checked(strdup(text));
}

char *xstrndup(const char *text, size_t len)
{
    return checked(strndup(text, len));
}

char *xasprintf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = NULL;
    int len = vasprintf(&text, format, args);
    va_end(args);
    return checked(len < 0 ? NULL : text);
}
