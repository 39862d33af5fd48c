/* A commented sample of the YAML file, made from the option table. */
#include <stdio.h>
#include <string.h>

#include "conf/options.h"
#include "conf/schema.h"
#include "conf/wrap.h"

enum { COLUMNS = 80, INDENT_SIZE = 16 };

static const char head[] =
    "The configuration of the sparkbridge daemon. Lines with a key behind the `#` show defaults "
    "and examples: remove the `#` to change them. \"${NAME}\" takes a value from the environment, "
    "a "
    "number or a switch too, \"${NAME:-text}\" has a text for where it is not set, and $$ is a "
    "dollar sign. `sparkbridge check` finds mistakes.";

static void append_comment(struct strbuf *out, int indent, const char *text)
{
    char prefix[INDENT_SIZE];
    snprintf(prefix, sizeof prefix, "%*s# ", indent, "");
    wrap_append(out, prefix, COLUMNS, text);
}

/* Would a YAML reader take the value for something else than text? */
static bool needs_quotes(const struct option_def *def, const char *value)
{
    return def->type == OPTION_MODE || strpbrk(value, "${}[]#%") != NULL;
}

static void append_value(struct strbuf *out, const struct option_def *def)
{
    const char *value = def->example != NULL ? def->example : def->default_text;
    const char *quote = def->repeats || needs_quotes(def, value) ? "\"" : "";
    strbuf_append_format(out, "%s%s%s%s%s", def->repeats ? "[" : "", quote, value, quote,
                         def->repeats ? "]" : "");
}

/* What is not required is a comment, without a space behind the `#`. */
static void append_option(struct strbuf *out, const struct option_key *key)
{
    const struct option_def *def = key->option;
    strbuf_append_format(out, "%s%s: ", def->required ? "" : "#", key->name);
    append_value(out, def);
    strbuf_append_char(out, '\n');
}

/* The section of a row of this section, or the section itself. */
static const struct option_section *innermost(const struct option_section *section)
{
    char row_path[OPTION_PATH_SIZE];
    snprintf(row_path, sizeof row_path, "%s{}", section->yaml_path);
    const struct option_section *row = option_section_get(row_path);
    return row != NULL ? row : section;
}

/* Is the mapping wrong without some of its keys? Then it has to stand, or not, as a whole. */
static bool is_whole(const struct option_section *section)
{
    struct option_key keys[OPTION_KEYS_MAX];
    size_t count = option_keys(innermost(section)->yaml_path, keys);
    for (size_t i = 0; i < count; i++)
        if (keys[i].option != NULL && keys[i].option->required)
            return strcmp(section->yaml_path, "listeners") != 0;
    return false;
}

/* A mapping that is all comment. */
static void append_whole(struct strbuf *out, const struct option_key *key, int indent)
{
    const struct option_section *section = innermost(key->section);
    struct option_key keys[OPTION_KEYS_MAX];
    size_t count = option_keys(section->yaml_path, keys);
    char prefix[INDENT_SIZE];
    int depth = 2;
    strbuf_append_format(out, "%*s#%s:\n", indent, "", key->name);
    if (section != key->section) {
        strbuf_append_format(out, "%*s#%*sdefault:\n", indent, "", depth, "");
        depth += 2;
    }
    for (size_t i = 0; i < count; i++) {
        snprintf(prefix, sizeof prefix, "%*s#%*s# ", indent, "", depth, "");
        wrap_append(out, prefix, COLUMNS, keys[i].option->doc);
        strbuf_append_format(out, "%*s#%*s%s: ", indent, "", depth, "", keys[i].name);
        append_value(out, keys[i].option);
        strbuf_append_char(out, '\n');
    }
}

/* The keys of a mapping. In a list the first one follows the item's dash. */
static void append_mapping(struct strbuf *out, const char *mapping, int indent, bool in_list)
{
    struct option_key keys[OPTION_KEYS_MAX];
    size_t count = option_keys(mapping, keys);
    for (size_t i = 0; i < count; i++) {
        const struct option_section *section = keys[i].section;
        bool dash = in_list && i == 0;
        int column = dash ? indent - 2 : indent;
        append_comment(out, column, section != NULL ? section->doc : keys[i].option->doc);
        if (section != NULL && is_whole(section)) {
            append_whole(out, &keys[i], column);
            continue;
        }
        strbuf_append_format(out, "%*s%s", column, "", dash ? "- " : "");
        if (section == NULL) {
            append_option(out, &keys[i]);
        } else {
            bool list = strcmp(section->yaml_path, "listeners") == 0;
            strbuf_append_format(out, "%s:\n", keys[i].name);
            append_mapping(out, list ? "listeners[]" : section->yaml_path, indent + (list ? 4 : 2),
                           list);
        }
        if (mapping[0] == '\0' && i + 1 < count)
            strbuf_append_char(out, '\n');
    }
}

void sample_write(struct strbuf *out)
{
    append_comment(out, 0, head);
    strbuf_append_char(out, '\n');
    append_mapping(out, "", 0, false);
}
