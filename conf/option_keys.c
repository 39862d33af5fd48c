/* The mappings of the YAML file, as the paths of the option table make them. */
#include <stdio.h>
#include <string.h>

#include "conf/options.h"

/* What follows the mapping in the path, NULL where the path is not of the mapping. */
static const char *path_below(const char *mapping, const char *path)
{
    size_t len = strlen(mapping);
    if (len == 0)
        return path;
    return strncmp(path, mapping, len) == 0 && path[len] == '.' ? path + len + 1 : NULL;
}

/* The section whose path is the start of the text. */
static const struct option_section *section_of(const char *path, size_t len)
{
    char section[64];
    snprintf(section, sizeof section, "%.*s", (int)len, path);
    return option_section_get(section);
}

/* Adds the key by which the path goes on from the mapping, unless it is there already. */
static size_t add_key(struct option_key *keys, size_t count, const char *mapping,
                      const struct option_def *def, const char *path)
{
    const char *below = path != NULL ? path_below(mapping, path) : NULL;
    if (below == NULL)
        return count;
    size_t len = strcspn(below, ".[");
    struct option_key key = {.name = below, .path = path, .option = def};
    if (below[len] != '\0') {
        key.section = section_of(path, (size_t)(below - path) + len);
        key.path = key.section->yaml_path;
        key.name = key.path + (below - path);
        key.option = NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(keys[i].path, key.path) == 0)
            return count;
    }
    keys[count] = key;
    return count + 1;
}

size_t option_keys(const char *mapping, struct option_key ret_keys[OPTION_KEYS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option_def *def = option_get((enum option_id)i);
        count = add_key(ret_keys, count, mapping, def, def->yaml_path);
        count = add_key(ret_keys, count, mapping, def, def->yaml_default_path);
    }
    return count;
}
