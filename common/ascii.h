/*
 * Letters and digits of ASCII, whatever the locale is.
 */
#ifndef SPARKBRIDGE_COMMON_ASCII_H
#define SPARKBRIDGE_COMMON_ASCII_H

#include <stdbool.h>

static inline bool ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool ascii_is_alnum(char c)
{
    return ascii_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static inline void ascii_lower_text(char *text)
{
    for (; *text != '\0'; text++)
        *text = ascii_lower(*text);
}

/* Its value, -1 where it is none. */
static inline int ascii_hex_digit(char c)
{
    if (ascii_is_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#endif
