/* The YAML file's tree, checked against the option table and read into settings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "common/alloc.h"
#include "conf/config_sources.h"
#include "conf/expand.h"
#include "conf/remote_text.h"
#include "conf/suggest.h"
#include "conf/values.h"
#include "conf/yaml_tree.h"

struct walk {
    const char *path; /* of the file, for messages */
    char *const *environment;
    struct config_file *file;
    struct diag_list *diags;
};

/* Where in the file the walk is. */
struct spot {
    const char *pattern;       /* as in the option table: "listeners[]" */
    const char *shown;         /* for messages: "listeners[0]" */
    struct settings *settings; /* where values found here go */
};

static bool fault(const struct walk *walk, struct diag_place place, const char *key,
                  const char *sentence)
{
    return diag_error_at(walk->diags, walk->path, place, "%s%s%s", key, key[0] != '\0' ? ": " : "",
                         sentence);
}

/* "listeners[0].name"; an unknown key may be anything, so it is made printable. Free it. */
static char *join(const char *shown, const char *key)
{
    struct diag_quote quote = diag_quote(key);
    return xasprintf("%s%s%.*s", shown, shown[0] != '\0' ? "." : "", (int)strlen(quote.text) - 2,
                     quote.text + 1);
}

static const char *kind_name(const struct yaml_node *node)
{
    switch (node->kind) {
    case YAML_KIND_SEQUENCE: return "a list";
    case YAML_KIND_MAPPING: return "a mapping (keys with values)";
    case YAML_KIND_SCALAR: break;
    }
    return "one value";
}

static bool is_null(const struct yaml_node *node)
{
    return node->kind == YAML_KIND_SCALAR && yaml_scalar_kind(node) == YAML_IS_NULL;
}

static bool expect_kind(const struct walk *walk, const struct yaml_node *node, const char *key,
                        enum yaml_kind kind)
{
    if (node->kind == kind)
        return true;
    static const char *const expected[] = {
        [YAML_KIND_SCALAR] = "one value is",
        [YAML_KIND_SEQUENCE] = "a list, [ ... ], is",
        [YAML_KIND_MAPPING] = "a mapping (keys with values) is",
    };
    char *sentence = xasprintf("is %s, but %s expected", kind_name(node), expected[kind]);
    fault(walk, node->place, key, sentence);
    free(sentence);
    return false;
}

static bool is_switch(const struct option_def *def)
{
    return def->type == OPTION_SWITCH && def->yaml_word == NULL;
}

/* Does the value take something from the environment? Then its type is that of what it takes. */
static bool has_variable(const struct yaml_node *node)
{
    return node->kind == YAML_KIND_SCALAR && strstr(node->text, "${") != NULL;
}

/* A sentence on what is wrong with the scalar's YAML type, NULL where it is right. Unquoted, `1` is
 * a number and `on` a boolean to other readers of the same file. */
static const char *type_fault(const struct option_def *def, const struct yaml_node *node)
{
    enum yaml_scalar kind = yaml_scalar_kind(node);
    if (kind == YAML_IS_NULL && option_id_of(def) == OPTION_PEER_USERS)
        return "has no value; give it one, and where it begins with #, which begins a comment, put "
               "it into quotation marks";
    if (kind == YAML_IS_NULL)
        return "has no value; give it one or leave the key out";
    if (is_switch(def) && !has_variable(node)) {
        bool on_or_off = kind == YAML_IS_BOOLEAN && (strcasecmp(node->text, "true") == 0 ||
                                                     strcasecmp(node->text, "false") == 0);
        return on_or_off ? NULL : "has to be true or false, without quotation marks";
    }
    if (is_switch(def))
        return NULL;
    if (def->type == OPTION_INTEGER) /* other text is no number with or without them */
        return node->quoted && strspn(node->text, "0123456789") == node->len
                   ? "has to be a number, without quotation marks"
                   : NULL;
    if (kind == YAML_IS_BOOLEAN)
        return "is a boolean in YAML, but text is expected; put it into quotation marks";
    if (kind == YAML_IS_NUMBER && def->type != OPTION_DURATION && def->type != OPTION_SIZE &&
        def->type != OPTION_ADDRESS)
        return "is a number in YAML, but text is expected; put it into quotation marks";
    return NULL;
}

/* The value of a setting: text with its variables, and switches as "true". */
static bool read_value(const struct walk *walk, const struct option_def *def,
                       const struct yaml_node *node, struct secret *ret_value, struct err *err)
{
    if (!expand_variables(node->text, node->len, walk->environment, ret_value, err))
        return false;
    if (def->yaml_word == NULL)
        return true;
    if (strcmp(ret_value->bytes, def->yaml_word) != 0)
        return err_set(err, EX_CONFIG, "has to be %s, or be left out", def->yaml_word);
    secret_set(ret_value, "true", strlen("true"));
    return true;
}

static void walk_scalar(const struct walk *walk, enum option_id id, const struct yaml_node *node,
                        const char *key, struct settings *settings)
{
    const struct option_def *def = option_get(id);
    if (!expect_kind(walk, node, key, YAML_KIND_SCALAR))
        return;
    const char *wrong_type = type_fault(def, node);
    struct setting setting = {.id = id, .source = SETTING_FILE};
    struct err err;
    if (wrong_type != NULL) {
        fault(walk, node->place, key, wrong_type);
        return;
    }
    if (!read_value(walk, def, node, &setting.value, &err)) {
        fault(walk, node->place, key, err.message);
        setting_finish(&setting);
        return;
    }
    if (def->secret && remote_text_holds_secret(node->text))
        walk->file->secret = (struct secret_key){
            .path = def->yaml_path,
            .holds = id == OPTION_PROXY ? "a password" : "a token",
        };
    setting.place = xstrdup(walk->path);
    setting.at = node->place;
    setting.key = xstrdup(key);
    settings_add(settings, &setting);
}

static void walk_list(const struct walk *walk, enum option_id id, const struct yaml_node *node,
                      const char *key, struct settings *settings)
{
    if (!expect_kind(walk, node, key, YAML_KIND_SEQUENCE))
        return;
    if (node->count == 0)
        fault(walk, node->place, key, "is an empty list; give it a value or leave the key out");
    for (size_t i = 0; i < node->count; i++) {
        char *item = xasprintf("%s[%zu]", key, i);
        walk_scalar(walk, id, node->entries[i].value, item, settings);
        free(item);
    }
}

static void walk_mapping(const struct walk *walk, const struct yaml_node *node,
                         const struct spot *spot);

static const struct yaml_entry *find_key(const struct yaml_node *node, const char *key)
{
    for (size_t i = 0; i < node->count; i++) {
        if (strcmp(node->entries[i].key, key) == 0)
            return &node->entries[i];
    }
    return NULL;
}

/* A listener without addresses has the default one: said here, so that a clash with another
 * listener has a place. */
static void add_default_address(const struct walk *walk, const struct yaml_node *node,
                                const char *shown, struct settings *settings)
{
    if (find_key(node, "listen") != NULL)
        return;
    const char *text = option_get(OPTION_LISTEN)->default_text;
    struct setting setting = {.id = OPTION_LISTEN, .source = SETTING_FILE, .at = node->place};
    secret_set(&setting.value, text, strlen(text));
    setting.place = xstrdup(walk->path);
    setting.key = xasprintf("%s.listen", shown);
    settings_add(settings, &setting);
}

static void walk_listeners(const struct walk *walk, const struct yaml_node *node)
{
    struct config_file *file = walk->file;
    if (!expect_kind(walk, node, "listeners", YAML_KIND_SEQUENCE))
        return;
    if (node->count == 0)
        fault(walk, node->place, "listeners",
              "is an empty list; leave the key out for one "
              "listener on localhost:15002");
    if (node->count > CONFIG_MAX_LISTENERS) {
        fault(walk, node->entries[CONFIG_MAX_LISTENERS].value->place, "listeners",
              "has more than 64 listeners");
        return;
    }
    file->listeners = xcalloc(CONFIG_MAX_LISTENERS, sizeof file->listeners[0]);
    file->listener_count = node->count;
    for (size_t i = 0; i < node->count; i++) {
        char *shown = xasprintf("listeners[%zu]", i);
        if (expect_kind(walk, node->entries[i].value, shown, YAML_KIND_MAPPING)) {
            struct spot spot = {"listeners[]", shown, &file->listeners[i]};
            walk_mapping(walk, node->entries[i].value, &spot);
            add_default_address(walk, node->entries[i].value, shown, spot.settings);
        }
        free(shown);
    }
}

/* A row of a mapping whose keys the file chooses: its key is a setting, and the row's own follow.
 */
static void walk_row(const struct walk *walk, const struct yaml_entry *entry,
                     const struct spot *rows)
{
    char *shown = join(rows->shown, entry->key);
    struct spot spot = {rows->pattern, shown, rows->settings};
    struct setting setting = {
        .id = OPTION_PEER_ROW,
        .source = SETTING_FILE,
        .at = entry->key_place,
        .place = xstrdup(walk->path),
        .key = xstrdup(shown),
    };
    secret_set(&setting.value, entry->key, strlen(entry->key));
    settings_add(rows->settings, &setting);
    if (expect_kind(walk, entry->value, shown, YAML_KIND_MAPPING))
        walk_mapping(walk, entry->value, &spot);
    free(shown);
}

static void walk_rows(const struct walk *walk, const struct yaml_node *node,
                      const struct spot *rows)
{
    if (node->count > PEER_ROWS_MAX) {
        fault(walk, node->entries[PEER_ROWS_MAX].key_place, rows->shown, "has more than 256 rows");
        return;
    }
    if (node->count == 0)
        fault(walk, node->place, rows->shown, "has no row; give it one or leave the key out");
    for (size_t i = 0; i < node->count; i++)
        walk_row(walk, &node->entries[i], rows);
}

/* Where the key would be right: the YAML path of an option with this key or flag, else NULL. */
static const char *find_elsewhere(const char *key)
{
    for (int id = 0; id < OPTION_COUNT; id++) {
        const struct option_def *def = option_get((enum option_id)id);
        if (def->yaml_path == NULL || strstr(def->yaml_path, "{}") != NULL)
            continue;
        const char *dot = strrchr(def->yaml_path, '.');
        if (strcmp(dot != NULL ? dot + 1 : def->yaml_path, key) == 0 ||
            (def->flag != NULL && suggest_distance(def->flag, key) == 0))
            return def->yaml_path;
    }
    return NULL;
}

static void report_unknown(const struct walk *walk, const struct yaml_entry *entry,
                           const struct spot *spot, const struct option_key *keys, size_t count)
{
    struct suggest suggest = {.word = entry->key};
    for (size_t i = 0; i < count; i++)
        suggest_offer(&suggest, keys[i].name);
    const char *elsewhere = suggest.best == NULL ? find_elsewhere(entry->key) : NULL;
    char *shown = join(spot->shown, entry->key);
    char *sentence = elsewhere != NULL ? xasprintf("unknown key (there is %s)", elsewhere)
                                       : xasprintf("unknown key%s", suggest_text(&suggest).text);
    fault(walk, entry->key_place, shown, sentence);
    free(sentence);
    free(shown);
}

/* A section, where `timeouts:` with nothing but comments below it is as good as none. */
static void walk_section(const struct walk *walk, const struct option_section *section,
                         const struct yaml_node *node, const char *shown, struct settings *settings)
{
    char rows_path[OPTION_PATH_SIZE];
    snprintf(rows_path, sizeof rows_path, "%s{}", section->yaml_path);
    if (is_null(node))
        return;
    if (strcmp(section->yaml_path, "listeners") == 0) {
        walk_listeners(walk, node);
    } else if (option_section_get(rows_path) != NULL) {
        struct spot rows = {rows_path, shown, settings};
        if (expect_kind(walk, node, shown, YAML_KIND_MAPPING))
            walk_rows(walk, node, &rows);
    } else if (expect_kind(walk, node, shown, YAML_KIND_MAPPING)) {
        struct spot spot = {section->yaml_path, shown, settings};
        walk_mapping(walk, node, &spot);
    }
}

static void walk_entry(const struct walk *walk, const struct yaml_entry *entry,
                       const struct spot *spot)
{
    struct option_key keys[OPTION_KEYS_MAX];
    size_t count = option_keys(spot->pattern, keys);
    const struct option_key *key = keys;
    while (key != keys + count && strcmp(key->name, entry->key) != 0)
        key++;
    if (key == keys + count) {
        report_unknown(walk, entry, spot, keys, count);
        return;
    }
    char *shown = join(spot->shown, entry->key);
    if (key->section != NULL)
        walk_section(walk, key->section, entry->value, shown, spot->settings);
    else if (key->option->repeats)
        walk_list(walk, option_id_of(key->option), entry->value, shown, spot->settings);
    else
        walk_scalar(walk, option_id_of(key->option), entry->value, shown, spot->settings);
    free(shown);
}

static void check_required(const struct walk *walk, const struct yaml_node *node,
                           const struct spot *spot)
{
    struct option_key keys[OPTION_KEYS_MAX];
    size_t count = option_keys(spot->pattern, keys);
    for (size_t i = 0; i < count; i++) {
        const struct option_def *def = keys[i].option;
        if (def == NULL || !def->required || find_key(node, keys[i].name) != NULL)
            continue;
        char *shown = join(spot->shown, keys[i].name);
        const char *open = def->repeats ? "[" : "", *close = def->repeats ? "]" : "";
        char *sentence = xasprintf("is missing; write for example `%s: %s%s%s`", keys[i].name, open,
                                   def->example, close);
        fault(walk, node->place, shown, sentence);
        free(sentence);
        free(shown);
    }
}

/* Does this entry choose something? `serverless: false` does not. */
static bool is_choice(const struct walk *walk, const struct yaml_entry *entry)
{
    const struct yaml_node *value = entry->value;
    if (value->kind != YAML_KIND_SCALAR)
        return true;
    struct secret text = {0};
    struct err err;
    int64_t on = 1;
    if (has_variable(value) &&
        expand_variables(value->text, value->len, walk->environment, &text, &err))
        value_switch(text.bytes, &on, &err);
    secret_finish(&text);
    return on != 0 && !is_null(value) && strcasecmp(value->text, "false") != 0;
}

static bool is_listed(const struct option_exclusion *exclusion, const char *key)
{
    for (size_t i = 0; exclusion->keys[i] != NULL; i++) {
        if (strcmp(exclusion->keys[i], key) == 0)
            return true;
    }
    return false;
}

static void check_exclusion(const struct walk *walk, const struct yaml_node *node,
                            const struct spot *spot, const struct option_exclusion *exclusion)
{
    const struct yaml_entry *first = NULL;
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_entry *entry = &node->entries[i];
        if (!is_listed(exclusion, entry->key) || !is_choice(walk, entry))
            continue;
        if (first == NULL) {
            first = entry;
            continue;
        }
        char *shown = join(spot->shown, entry->key);
        char *sentence = xasprintf("cannot stand beside %s (line %u); keep one of them", first->key,
                                   first->key_place.line);
        fault(walk, entry->key_place, shown, sentence);
        free(sentence);
        free(shown);
    }
}

static void walk_mapping(const struct walk *walk, const struct yaml_node *node,
                         const struct spot *spot)
{
    check_required(walk, node, spot);
    for (size_t i = 0; i < node->count; i++)
        walk_entry(walk, &node->entries[i], spot);
    const struct option_exclusion *exclusion;
    for (size_t i = 0; (exclusion = option_exclusion_at(i)) != NULL; i++) {
        if (strcmp(exclusion->yaml_path, spot->pattern) == 0)
            check_exclusion(walk, node, spot, exclusion);
    }
}

void config_file_parse(const char *path, const struct secret *content, char *const *environment,
                       struct config_file *ret_file, struct diag_list *diags)
{
    size_t errors = diags->errors;
    struct walk walk = {path, environment, ret_file, diags};
    struct spot root = {"", "", &ret_file->settings};
    ret_file->path = xstrdup(path);
    struct yaml_node *tree = yaml_tree_parse(path, content->bytes, content->len, diags);
    if (tree == NULL && diags->errors == errors)
        diag_error_at(diags, path, (struct diag_place){1, 1},
                      "is empty; it begins with `version: 1`");
    else if (tree != NULL && expect_kind(&walk, tree, "", YAML_KIND_MAPPING))
        walk_mapping(&walk, tree, &root);
    yaml_tree_destroy(tree);
}
