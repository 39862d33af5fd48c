/*
 * A few name/value pairs of request metadata that a connection string adds.
 *
 * Owner: the struct that embeds it. Names are lower case. Values are secrets: a header of a
 * connection string may well carry one.
 */
#ifndef SPARKBRIDGE_CONF_METADATA_H
#define SPARKBRIDGE_CONF_METADATA_H

#include <stddef.h>

#include "common/secret.h"

enum { METADATA_MAX_ENTRIES = 64 };

struct metadata_entry {
    char *name; /* owned, lower case */
    struct secret value;
};

struct metadata {
    struct metadata_entry *entries; /* owned */
    size_t count;
};

/* Appends copies; false where METADATA_MAX_ENTRIES are there already. */
bool metadata_append(struct metadata *metadata, const char *name, const char *value, size_t len);

/* The entry of that lower-case name, or NULL. Borrowed until the next change. */
const struct metadata_entry *metadata_find(const struct metadata *metadata, const char *name);

void metadata_finish(struct metadata *metadata);

#endif
