/*
 * Is this a build of a sanitizer that watches malloc()? What keeps memory for reuse does not in
 * such a build, so that a use after the end shows, and what pays only for much is done for less, so
 * that more tests come there.
 */
#ifndef SPARKBRIDGE_COMMON_SANITIZED_H
#define SPARKBRIDGE_COMMON_SANITIZED_H

#include <stdbool.h>

#ifndef __has_feature
#define __has_feature(name) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer) ||                           \
    __has_feature(memory_sanitizer)
static const bool is_sanitized = true;
#else
static const bool is_sanitized = false;
#endif

#endif
