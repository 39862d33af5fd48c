/* What one source gives to the SDK's attributes. */
#include "conf/layer.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "conf/environment.h"

/* Takes `source` over. */
static void set(struct layer *layer, enum attribute attribute, const char *bytes, size_t len,
                char *source)
{
    struct setting *setting = &layer->settings[attribute];
    secret_set(&setting->value, bytes, len);
    free(setting->source);
    setting->source = source;
}

static bool has(const struct layer *layer, enum attribute attribute)
{
    return secret_is_set(&layer->settings[attribute].value);
}

void layer_add_environment(struct layer *layer, char *const *environment)
{
    for (int i = 0; i < ATTRIBUTE_COUNT; i++) {
        const struct attribute_info *info = attribute_info((enum attribute)i);
        if (info->env == NULL || has(layer, (enum attribute)i))
            continue;
        const char *name = info->env;
        const char *value = environment_get(environment, name);
        if (value == NULL && info->env_alias != NULL) {
            name = info->env_alias;
            value = environment_get(environment, name);
        }
        if (value != NULL)
            set(layer, (enum attribute)i, value, strlen(value),
                xasprintf("%s from the environment", name));
    }
}

void layer_add_profile(struct layer *layer, const struct cfg_profile *profile, const char *path)
{
    for (size_t i = 0; i < profile->count; i++) {
        const struct cfg_entry *entry = &profile->entries[i];
        enum attribute attribute;
        if (!attribute_from_name(entry->key, &attribute) || has(layer, attribute))
            continue;
        set(layer, attribute, entry->value.bytes != NULL ? entry->value.bytes : "",
            entry->value.len, xasprintf("profile %s, %s:%u", profile->name, path, entry->line));
    }
}

void layer_set(struct layer *layer, enum attribute attribute, const struct secret *value,
               const char *source)
{
    set(layer, attribute, value->bytes, value->len, xstrdup(source));
}

void layer_add_layer(struct layer *layer, const struct layer *from)
{
    for (int i = 0; i < ATTRIBUTE_COUNT; i++) {
        const struct setting *setting = &from->settings[i];
        if (has(from, (enum attribute)i) && !has(layer, (enum attribute)i))
            layer_set(layer, (enum attribute)i, &setting->value, setting->source);
    }
}

const struct setting *layer_setting(const struct layer *layer, enum attribute attribute)
{
    return has(layer, attribute) ? &layer->settings[attribute] : NULL;
}

const struct setting *layer_value(const struct layer *layer, enum attribute attribute)
{
    const struct setting *setting = layer_setting(layer, attribute);
    return setting != NULL && setting->value.len > 0 ? setting : NULL;
}

const char *layer_text(const struct layer *layer, enum attribute attribute)
{
    const struct setting *setting = layer_value(layer, attribute);
    return setting != NULL ? setting->value.bytes : NULL;
}

void layer_finish(struct layer *layer)
{
    for (int i = 0; i < ATTRIBUTE_COUNT; i++) {
        secret_finish(&layer->settings[i].value);
        free(layer->settings[i].source);
    }
    *layer = (struct layer){0};
}
