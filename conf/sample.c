/* A commented sample of the YAML file, made from the option table. */
#include <stdio.h>
#include <string.h>

#include "conf/options.h"
#include "conf/schema.h"
#include "conf/wrap.h"

enum { COLUMNS = 80, INDENT_SIZE = 16 };

static const char head[] =
    "The configuration of the sparkbridge daemon. Lines with a key behind the `#` show defaults "
    "and examples: remove the `#` to change them. ${NAME} takes a value from the environment, "
    "${NAME:-text} has a text for where it is not set, and $$ is a dollar sign. `sparkbridge "
    "check` finds mistakes.";

static void append_comment(struct strbuf *out, int indent, const char *text)
{
    char prefix[INDENT_SIZE];
    snprintf(prefix, sizeof prefix, "%*s# ", indent, "");
    wrap_append(out, prefix, COLUMNS, text);
}

/* Would a YAML reader take the value for something else than text? */
static bool needs_quotes(const struct option_def *def, const char *value)
{
    return def->type == OPTION_MODE || strpbrk(value, "${}[]#") != NULL;
}

/* What is not required is a comment, without a space behind the `#`. */
static void append_option(struct strbuf *out, const struct option_key *key)
{
    const struct option_def *def = key->option;
    const char *value = def->example != NULL ? def->example : def->default_text;
    const char *quote = def->repeats || needs_quotes(def, value) ? "\"" : "";
    strbuf_append_format(out, "%s%s: %s%s%s%s%s\n", def->required ? "" : "#", key->name,
                         def->repeats ? "[" : "", quote, value, quote, def->repeats ? "]" : "");
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
