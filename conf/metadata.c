/* Name/value pairs of request metadata. */
#include "conf/metadata.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

bool metadata_append(struct metadata *metadata, const char *name, const char *value, size_t len)
{
    if (metadata->count >= METADATA_MAX_ENTRIES)
        return false;
    metadata->entries =
        xrealloc(metadata->entries, (metadata->count + 1) * sizeof metadata->entries[0]);
    struct metadata_entry *entry = &metadata->entries[metadata->count++];
    *entry = (struct metadata_entry){.name = xstrdup(name)};
    secret_set(&entry->value, value, len);
    return true;
}

const struct metadata_entry *metadata_find(const struct metadata *metadata, const char *name)
{
    for (size_t i = 0; i < metadata->count; i++)
        if (strcmp(metadata->entries[i].name, name) == 0)
            return &metadata->entries[i];
    return NULL;
}

void metadata_finish(struct metadata *metadata)
{
    for (size_t i = 0; i < metadata->count; i++) {
        free(metadata->entries[i].name);
        secret_finish(&metadata->entries[i].value);
    }
    free(metadata->entries);
    *metadata = (struct metadata){0};
}
