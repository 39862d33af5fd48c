/*
 * A layer: the values that one source gives to the SDK's attributes, each with its place.
 *
 * The environment is a layer, so is a profile, and so is the SDK configuration that a binding
 * holds. Owner: whoever embeds it; layer_finish(). A zeroed struct is an empty layer.
 */
#ifndef SPARKBRIDGE_CONF_LAYER_H
#define SPARKBRIDGE_CONF_LAYER_H

#include <stdbool.h>

#include "common/secret.h"
#include "conf/attributes.h"
#include "conf/databrickscfg.h"

/* One attribute's value. Any of them may turn out to be a secret, so all are held as one. */
struct setting {
    struct secret value; /* not set where the source does not have the attribute */
    char *source;        /* owned, for people: "profile DEFAULT, ~/.databrickscfg:4" */
};

struct layer {
    struct setting settings[ATTRIBUTE_COUNT];
};

/* Adds what the environment has for the attributes that the layer lacks; empty variables count as
 * unset. Sources read "DATABRICKS_HOST from the environment". */
void layer_add_environment(struct layer *layer, char *const *environment);

/* Adds what the profile has for the attributes that the layer lacks; an empty value is a value.
 * `path` is how people call the file. Sources read "profile NAME, PATH:LINE". */
void layer_add_profile(struct layer *layer, const struct cfg_profile *profile, const char *path);

/* Sets or replaces one. */
void layer_set(struct layer *layer, enum attribute attribute, const struct secret *value,
               const char *source);

/* Adds copies of what `from` has and the layer lacks. */
void layer_add_layer(struct layer *layer, const struct layer *from);

/* The setting, or NULL where the layer lacks it. Borrowed. */
const struct setting *layer_setting(const struct layer *layer, enum attribute attribute);

/* The same, but NULL for an empty value too. */
const struct setting *layer_value(const struct layer *layer, enum attribute attribute);

/* The value's text, NULL where there is none or it is empty. Borrowed. */
const char *layer_text(const struct layer *layer, enum attribute attribute);

void layer_finish(struct layer *layer);

#endif
