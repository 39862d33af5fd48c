/*
 * UTF-8, one code point at a time.
 */
#ifndef SPARKBRIDGE_COMMON_UTF8_H
#define SPARKBRIDGE_COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length, 1 to 4 bytes, of the sequence that `bytes` begins with, and its code point; 0 where
 * it begins with none, or `len` is 0. RFC 3629: no overlong form, no surrogate, at most U+10FFFF.
 */
size_t utf8_decode(const char *bytes, size_t len, uint32_t *ret_code_point);

/* Are these bytes UTF-8 from the first to the last? */
bool utf8_is_valid(const char *bytes, size_t len);

#endif
