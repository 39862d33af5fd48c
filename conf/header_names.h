/*
 * Names of request metadata, and the patterns by which a configuration lets them pass.
 *
 * A name is judged in every spelling that some server behind us might take for it: `_`, `.` and
 * the like are read as `-`, case and a `-bin` at its end do not count. Stateless.
 */
#ifndef SPARKBRIDGE_CONF_HEADER_NAMES_H
#define SPARKBRIDGE_CONF_HEADER_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

enum header_class {
    HEADER_OURS,    /* set by the bridge, or of one connection only: never a client's */
    HEADER_GUARDED, /* may say who calls, from where or to where: passes by its full name alone */
    HEADER_PLAIN,
};

enum header_class header_name_class(const char *name, size_t len);

/* A pattern is a name in lower case, or the start of names and `*`. EX_USAGE, with the remedy,
 * for text that is none, for a name of HEADER_OURS, and where only names of HEADER_GUARDED begin
 * so.
 */
bool header_pattern_check(const char *pattern, struct err *err);

/* Does the pattern let the name, of that class, pass? */
bool header_pattern_matches(const char *pattern, const char *name, size_t len,
                            enum header_class class);

#endif
