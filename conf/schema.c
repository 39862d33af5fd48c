/* The JSON schema of the YAML file, made from the option table. */
#include "conf/schema.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/config.h"
#include "conf/options.h"

/* Any text, on one line; a `$` stands for itself as `$$` or begins a `${NAME}`. */
static const char text_pattern[] =
    "^([^$\\u0000-\\u001f\\u007f]|\\$\\$|\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-[^$}]*)?\\})+$";

/* A value that takes something from the environment is checked when that is known. */
static const char variable_pattern[] = "\\$\\{";

/* clang-format off */
static const char address_pattern[] =
    "^(unix:/.*[^/]|systemd:[!-9;-~]+|"
    "([Ll][Oo][Cc][Aa][Ll][Hh][Oo][Ss][Tt]|127(\\.[0-9]+){3}|\\[[0:]*:[0:]*1\\]):"
    "([0-9]{1,4}|[0-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))$";
/* clang-format on */

static json_t *object_schema(const char *mapping, const char *doc);

/* The pattern of an option's values, NULL where any text will do. */
static const char *pattern_of(const struct option_def *def)
{
    switch (option_id_of(def)) {
    case OPTION_NAME: return "^[A-Za-z0-9._-]{1,63}$";
    case OPTION_HOST:
    case OPTION_CLUSTER_ID: return "^[^ ]+$";
    case OPTION_LISTEN: return address_pattern;
    case OPTION_VIA: return "^unix:/.*[^/]$";
    case OPTION_AUTHORITY: return "^(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+)$";
    case OPTION_FORWARD_HEADER: return "^([a-z0-9._-]+[*]?|[*])$";
    case OPTION_CLIENT_HEADER: return "^x-[a-z0-9-]{1,62}$";
    case OPTION_CONTROL: return "^(none|unix:/.*[^/])$";
    default: break;
    }
    switch (def->type) {
    case OPTION_DURATION: return "^[0-9]{1,15}(ms|s|m|h)$";
    case OPTION_SIZE: return "^[0-9]{1,15}(B|KiB|MiB)$";
    case OPTION_MODE: return "^0*[0-7]{1,3}$";
    default: return NULL;
    }
}

static json_t *words_schema(const struct option_def *def)
{
    json_t *words = json_array();
    if (def->yaml_word != NULL)
        json_array_append_new(words, json_string(def->yaml_word));
    for (size_t i = 0; def->choices != NULL && def->choices[i] != NULL; i++)
        json_array_append_new(words, json_string(def->choices[i]));
    return json_pack("{s:[{s:o},{s:s}]}", "anyOf", "enum", words, "pattern", variable_pattern);
}

/* A number or a switch, or text that takes it from the environment. */
static json_t *or_variable(json_t *schema)
{
    return json_pack("{s:[o,{s:s,s:s,s:[{s:s}]}]}", "anyOf", schema, "type", "string", "pattern",
                     text_pattern, "allOf", "pattern", variable_pattern);
}

static json_t *value_schema(const struct option_def *def)
{
    if (def->type == OPTION_INTEGER)
        return or_variable(json_pack("{s:s,s:I,s:I}", "type", "integer", "minimum",
                                     (json_int_t)def->min, "maximum", (json_int_t)def->max));
    if (def->type == OPTION_SWITCH && def->yaml_word == NULL)
        return or_variable(json_pack("{s:s}", "type", "boolean"));
    json_t *schema = json_pack("{s:s,s:s}", "type", "string", "pattern", text_pattern);
    const char *pattern = pattern_of(def);
    if (def->yaml_word != NULL || def->choices != NULL)
        json_object_update_new(schema, words_schema(def));
    else if (pattern != NULL)
        json_object_update_new(schema, json_pack("{s:[{s:s},{s:s}]}", "anyOf", "pattern", pattern,
                                                 "pattern", variable_pattern));
    return schema;
}

static json_t *option_schema(const struct option_def *def)
{
    json_t *schema = value_schema(def);
    if (def->repeats)
        schema = json_pack("{s:s,s:i,s:i,s:o}", "type", "array", "minItems", 1, "maxItems",
                           (int)def->repeats, "items", schema);
    json_object_set_new(schema, "description", json_string(def->doc));
    if (def->type == OPTION_SWITCH && def->default_text != NULL)
        json_object_set_new(schema, "default",
                            json_boolean(strcmp(def->default_text, "true") == 0));
    else if (def->default_text != NULL && def->type == OPTION_INTEGER)
        json_object_set_new(schema, "default", json_integer(strtoll(def->default_text, NULL, 10)));
    else if (def->default_text != NULL && def->repeats)
        json_object_set_new(schema, "default", json_pack("[s]", def->default_text));
    else if (def->default_text != NULL)
        json_object_set_new(schema, "default", json_string(def->default_text));
    return schema;
}

/* A mapping whose keys the file chooses. */
static json_t *rows_schema(const struct option_section *section, const struct option_section *row)
{
    return json_pack("{s:[s,s],s:i,s:i,s:s,s:o}", "type", "object", "null", "minProperties", 1,
                     "maxProperties", PEER_ROWS_MAX, "description", section->doc,
                     "additionalProperties", object_schema(row->yaml_path, row->doc));
}

/* A section with nothing but comments in it is null to a YAML reader. */
static json_t *section_schema(const struct option_section *section)
{
    char row_path[OPTION_PATH_SIZE];
    snprintf(row_path, sizeof row_path, "%s{}", section->yaml_path);
    const struct option_section *row = option_section_get(row_path);
    if (row != NULL)
        return rows_schema(section, row);
    if (strcmp(section->yaml_path, "listeners") != 0) {
        json_t *schema = object_schema(section->yaml_path, section->doc);
        json_object_set_new(schema, "type", json_pack("[s,s]", "object", "null"));
        return schema;
    }
    const struct option_section *item = option_section_get("listeners[]");
    return json_pack("{s:[s,s],s:i,s:i,s:s,s:o}", "type", "array", "null", "minItems", 1,
                     "maxItems", CONFIG_MAX_LISTENERS, "description", section->doc, "items",
                     object_schema(item->yaml_path, item->doc));
}

/* "This key is there and chooses something": `serverless: false` does not, and a switch from the
 * environment may not. */
static json_t *choice_schema(const char *mapping, const char *key)
{
    struct option_key keys[OPTION_KEYS_MAX];
    size_t count = option_keys(mapping, keys);
    bool may_be_off = false;
    for (size_t i = 0; i < count; i++)
        may_be_off = may_be_off ||
                     (strcmp(keys[i].name, key) == 0 && keys[i].option != NULL &&
                      keys[i].option->type == OPTION_SWITCH && keys[i].option->yaml_word == NULL);
    json_t *no_choice = json_pack("{s:[n,b]}", "enum", 0);
    if (may_be_off)
        no_choice = json_pack("{s:[o,{s:s,s:s}]}", "anyOf", no_choice, "type", "string", "pattern",
                              variable_pattern);
    return json_pack("{s:s,s:[s],s:{s:{s:o}}}", "type", "object", "required", key, "properties",
                     key, "not", no_choice);
}

/* No two of the keys may be chosen. */
static void append_pairs(json_t *pairs, const struct option_exclusion *exclusion)
{
    for (size_t i = 0; exclusion->keys[i] != NULL; i++) {
        for (size_t j = i + 1; exclusion->keys[j] != NULL; j++)
            json_array_append_new(
                pairs, json_pack("{s:[o,o]}", "allOf",
                                 choice_schema(exclusion->yaml_path, exclusion->keys[i]),
                                 choice_schema(exclusion->yaml_path, exclusion->keys[j])));
    }
}

/* What may not stand together in the mapping, NULL where everything may. */
static json_t *exclusion_schema(const char *mapping)
{
    json_t *pairs = json_array();
    const struct option_exclusion *exclusion;
    for (size_t i = 0; (exclusion = option_exclusion_at(i)) != NULL; i++) {
        if (strcmp(exclusion->yaml_path, mapping) == 0)
            append_pairs(pairs, exclusion);
    }
    if (json_array_size(pairs) > 0)
        return json_pack("{s:o}", "anyOf", pairs);
    json_decref(pairs);
    return NULL;
}

static json_t *object_schema(const char *mapping, const char *doc)
{
    struct option_key keys[OPTION_KEYS_MAX];
    size_t count = option_keys(mapping, keys);
    json_t *properties = json_object();
    json_t *required = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct option_def *def = keys[i].option;
        json_object_set_new(properties, keys[i].name,
                            def != NULL ? option_schema(def) : section_schema(keys[i].section));
        if (def != NULL && def->required)
            json_array_append_new(required, json_string(keys[i].name));
    }
    json_t *schema =
        json_pack("{s:s,s:s,s:o,s:o,s:b}", "description", doc, "type", "object", "properties",
                  properties, "required", required, "additionalProperties", 0);
    json_t *exclusions = exclusion_schema(mapping);
    if (exclusions != NULL)
        json_object_set_new(schema, "not", exclusions);
    return schema;
}

void schema_write(struct strbuf *out)
{
    json_t *schema =
        json_pack("{s:s,s:s}", "$schema", "https://json-schema.org/draft/2020-12/schema", "title",
                  "sparkbridge.yaml");
    json_object_update_new(schema, object_schema("", "The configuration of sparkbridge."));
    char *text = json_dumps(schema, JSON_INDENT(2));
    strbuf_append_text(out, text);
    strbuf_append_char(out, '\n');
    free(text);
    json_decref(schema);
}
