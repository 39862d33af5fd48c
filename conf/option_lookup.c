/* Finding options and the keys of the YAML file's mappings in the option table. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "conf/options.h"

const struct option_def *option_by_flag(const char *flag)
{
    for (int id = 0; id < OPTION_COUNT; id++) {
        const struct option_def *def = option_get((enum option_id)id);
        if (def->flag != NULL && strcmp(def->flag, flag) == 0)
            return def;
    }
    return NULL;
}

bool option_variable(const struct option_def *def, char ret_name[OPTION_VARIABLE_SIZE])
{
    if (def->no_environment)
        return false;
    int len = snprintf(ret_name, OPTION_VARIABLE_SIZE, "SPARKBRIDGE_%s", def->flag);
    for (int i = 0; i < len; i++)
        ret_name[i] = ret_name[i] == '-' ? '_' : (char)toupper((unsigned char)ret_name[i]);
    return true;
}

static const struct option_section *section_of(const char *path, size_t len)
{
    const struct option_section *section;
    for (size_t i = 0; (section = option_section_at(i)) != NULL; i++) {
        if (strlen(section->yaml_path) == len && strncmp(section->yaml_path, path, len) == 0)
            return section;
    }
    return NULL;
}

const struct option_section *option_section_get(const char *yaml_path)
{
    return section_of(yaml_path, strlen(yaml_path));
}

/* What follows the mapping in the path, NULL where the path is not of the mapping. */
static const char *path_below(const char *mapping, const char *path)
{
    size_t len = strlen(mapping);
    if (len == 0)
        return path;
    return strncmp(path, mapping, len) == 0 && path[len] == '.' ? path + len + 1 : NULL;
}

/* Adds the key by which the path goes on from the mapping, unless it is there already. */
static size_t add_key(struct option_key *keys, size_t count, const char *mapping,
                      const struct option_def *def, const char *path)
{
    const char *below = path != NULL ? path_below(mapping, path) : NULL;
    if (below == NULL)
        return count;
    size_t len = strcspn(below, ".[{");
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
    for (int id = 0; id < OPTION_COUNT; id++) {
        const struct option_def *def = option_get((enum option_id)id);
        count = add_key(ret_keys, count, mapping, def, def->yaml_path);
        count = add_key(ret_keys, count, mapping, def, def->yaml_default_path);
    }
    return count;
}
