/* A YAML document as a tree of nodes with their places. */
#include "conf/yaml_tree.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <yaml.h>

#include "common/alloc.h"
#include "common/secret.h"
#include "conf/yaml_fault.h"

struct builder {
    yaml_parser_t parser;
    struct yaml_source source;
    size_t nodes;
    unsigned depth;
    struct diag_list *diags;
};

static struct diag_place place_of(yaml_mark_t mark)
{
    return (struct diag_place){(unsigned)mark.line + 1, (unsigned)mark.column + 1};
}

static bool refuse(struct builder *builder, struct diag_place place, const char *sentence)
{
    return diag_error_at(builder->diags, builder->source.path, place, "%s", sentence);
}

/* A scalar may be a secret, and libyaml frees it as it is. */
static void delete_event(yaml_event_t *event)
{
    if (event->type == YAML_SCALAR_EVENT)
        secret_wipe(event->data.scalar.value, event->data.scalar.length);
    yaml_event_delete(event);
}

/* So are the parser's buffers, of what it was given and of its characters. */
static void delete_parser(yaml_parser_t *parser)
{
    secret_wipe(parser->raw_buffer.start,
                (size_t)(parser->raw_buffer.end - parser->raw_buffer.start));
    secret_wipe(parser->buffer.start, (size_t)(parser->buffer.end - parser->buffer.start));
    yaml_parser_delete(parser);
}

/* On success the caller deletes the event. */
static bool next_event(struct builder *builder, yaml_event_t *ret_event)
{
    if (yaml_parser_parse(&builder->parser, ret_event) != 0)
        return true;
    yaml_fault_report(&builder->parser, &builder->source, builder->diags);
    return false;
}

/* Anchors, tags, aliases: the parts of YAML that nobody needs for a page of settings. */
static bool check_event(struct builder *builder, const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL;
    const yaml_char_t *tag = NULL;
    struct diag_place place = place_of(event->start_mark);
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return refuse(builder, place, "aliases (*name) are not supported; write the value out");
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
        break;
    default: break;
    }
    if (anchor != NULL)
        return refuse(builder, place, "anchors (&name) are not supported; write the value out");
    if (tag != NULL)
        return refuse(builder, place,
                      "tags (!name) are not supported; put text that begins with ! into quotation "
                      "marks");
    return true;
}

static struct yaml_node *build_node(struct builder *builder, const yaml_event_t *event);

static struct yaml_entry *add_entry(struct yaml_node *node)
{
    node->entries = xrealloc(node->entries, (node->count + 1) * sizeof node->entries[0]);
    node->entries[node->count] = (struct yaml_entry){0};
    return &node->entries[node->count++];
}

/* A key may be a secret too: a token whose key was forgotten, or that stands on the wrong side. */
static char *copy_text(const char *text, size_t len)
{
    struct secret copy = {0};
    secret_set(&copy, text, len);
    return copy.bytes;
}

static void finish_entry(struct yaml_entry *entry)
{
    struct secret key = {entry->key, entry->key != NULL ? strlen(entry->key) : 0};
    secret_finish(&key);
    yaml_tree_destroy(entry->value);
}

static void remove_last_entry(struct yaml_node *node)
{
    finish_entry(&node->entries[--node->count]);
}

static const struct yaml_entry *find_entry(const struct yaml_node *node, const char *key)
{
    for (size_t i = 0; i < node->count; i++) {
        if (strcmp(node->entries[i].key, key) == 0)
            return &node->entries[i];
    }
    return NULL;
}

/* Reads the next event and the node that it begins. */
static bool build_value(struct builder *builder, struct yaml_entry *entry)
{
    yaml_event_t event;
    if (!next_event(builder, &event))
        return false;
    entry->value = build_node(builder, &event);
    delete_event(&event);
    return entry->value != NULL;
}

/* The entry whose key is this event, with its value. */
static bool build_entry(struct builder *builder, struct yaml_node *node, const yaml_event_t *event)
{
    struct diag_place place = place_of(event->start_mark);
    if (!check_event(builder, event))
        return false;
    if (event->type != YAML_SCALAR_EVENT)
        return refuse(builder, place, "a key has to be text, not a list or mapping");
    const char *key = (const char *)event->data.scalar.value;
    if (strlen(key) != event->data.scalar.length)
        return refuse(builder, place, "the key has a NUL character in it");
    const struct yaml_entry *first = find_entry(node, key);
    if (first != NULL)
        diag_error_at(builder->diags, builder->source.path, place,
                      "duplicate key %s (the first is in line %u)", diag_quote(key).text,
                      first->key_place.line);
    bool duplicate = first != NULL;
    struct yaml_entry *entry = add_entry(node);
    entry->key = copy_text(key, event->data.scalar.length);
    entry->key_place = place;
    bool ok = build_value(builder, entry);
    if (duplicate || !ok)
        remove_last_entry(node);
    return ok;
}

static bool build_children(struct builder *builder, struct yaml_node *node)
{
    for (;;) {
        yaml_event_t event;
        if (!next_event(builder, &event))
            return false;
        bool end = event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT;
        bool ok = true;
        if (!end && node->kind == YAML_KIND_MAPPING) {
            ok = build_entry(builder, node, &event);
        } else if (!end) {
            struct yaml_node *value = build_node(builder, &event);
            ok = value != NULL;
            if (ok)
                add_entry(node)->value = value;
        }
        delete_event(&event);
        if (end || !ok)
            return ok;
    }
}

/* The node that the event begins; NULL after a fault. */
static struct yaml_node *build_node(struct builder *builder, const yaml_event_t *event)
{
    struct diag_place place = place_of(event->start_mark);
    if (!check_event(builder, event))
        return NULL;
    if (++builder->nodes > YAML_TREE_MAX_NODES) {
        refuse(builder, place, "the file has more than 10000 values");
        return NULL;
    }
    struct yaml_node *node = xcalloc(1, sizeof *node);
    node->place = place;
    if (event->type == YAML_SCALAR_EVENT) {
        node->len = event->data.scalar.length;
        node->text = copy_text((const char *)event->data.scalar.value, node->len);
        node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        return node;
    }
    node->kind = event->type == YAML_SEQUENCE_START_EVENT ? YAML_KIND_SEQUENCE : YAML_KIND_MAPPING;
    bool ok = builder->depth < YAML_TREE_MAX_DEPTH
                  ? true
                  : refuse(builder, place, "nested more than 32 levels deep");
    builder->depth++;
    ok = ok && build_children(builder, node);
    builder->depth--;
    if (ok)
        return node;
    yaml_tree_destroy(node);
    return NULL;
}

/* From the stream's start to its end, which has at most one document. */
static struct yaml_node *build_document(struct builder *builder)
{
    struct yaml_node *root = NULL;
    for (;;) {
        yaml_event_t event;
        if (!next_event(builder, &event))
            break;
        yaml_event_type_t type = event.type;
        struct diag_place place = place_of(event.start_mark);
        bool ok = true;
        if (type == YAML_SCALAR_EVENT || type == YAML_SEQUENCE_START_EVENT ||
            type == YAML_MAPPING_START_EVENT || type == YAML_ALIAS_EVENT) {
            root = build_node(builder, &event);
            ok = root != NULL;
        } else if (type == YAML_DOCUMENT_START_EVENT && root != NULL) {
            ok = refuse(builder, place, "a second document begins here; the file is one document");
        }
        delete_event(&event);
        if (type == YAML_STREAM_END_EVENT)
            return root;
        if (!ok)
            break;
    }
    yaml_tree_destroy(root);
    return NULL;
}

struct yaml_node *yaml_tree_parse(const char *path, const char *bytes, size_t len,
                                  struct diag_list *diags)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    if (len >= 3 && memcmp(bytes, byte_order_mark, 3) == 0) {
        bytes += 3;
        len -= 3;
    }
    struct builder builder = {.source = {path, bytes, len}, .diags = diags};
    if (!yaml_fault_check_bytes(&builder.source, diags))
        return NULL;
    if (yaml_parser_initialize(&builder.parser) == 0) {
        diag_error(diags, EX_OSERR, "%s: out of memory", path);
        return NULL;
    }
    yaml_parser_set_encoding(&builder.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&builder.parser, (const unsigned char *)bytes, len);
    struct yaml_node *root = build_document(&builder);
    delete_parser(&builder.parser);
    return root;
}

void yaml_tree_destroy(struct yaml_node *node)
{
    if (node == NULL)
        return;
    for (size_t i = 0; i < node->count; i++)
        finish_entry(&node->entries[i]);
    free(node->entries);
    struct secret text = {node->text, node->len};
    secret_finish(&text);
    free(node);
}

static bool is_one_of(const char *text, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        if (strcmp(text, words[i]) == 0)
            return true;
    }
    return false;
}

/* Integers and floating-point numbers in the spellings of YAML 1.1 and 1.2. */
static bool is_number(const char *text)
{
    const char *c = text + (text[0] == '-' || text[0] == '+');
    if (c[0] == '0' && (c[1] == 'x' || c[1] == 'o' || c[1] == 'b'))
        return c[2] != '\0' && c[2 + strspn(c + 2, "0123456789abcdefABCDEF_")] == '\0';
    size_t digits = strspn(c, "0123456789_");
    size_t fraction = c[digits] == '.' ? 1 + strspn(c + digits + 1, "0123456789_") : 0;
    if (c[0] == '_' || digits + (fraction > 1 ? fraction - 1 : 0) == 0)
        return false;
    c += digits + fraction;
    if (*c == 'e' || *c == 'E') {
        c += 1 + (c[1] == '-' || c[1] == '+');
        size_t exponent = strspn(c, "0123456789");
        c += exponent;
        return exponent > 0 && *c == '\0';
    }
    return *c == '\0';
}

enum yaml_scalar yaml_scalar_kind(const struct yaml_node *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const booleans[] = {"true", "True", "TRUE", "false", "False", "FALSE", "yes",
                                           "Yes",  "YES",  "no",   "No",    "NO",    "on",    "On",
                                           "ON",   "off",  "Off",  "OFF",   NULL};
    if (node->quoted)
        return YAML_IS_STRING;
    if (is_one_of(node->text, nulls))
        return YAML_IS_NULL;
    if (is_one_of(node->text, booleans))
        return YAML_IS_BOOLEAN;
    return is_number(node->text) ? YAML_IS_NUMBER : YAML_IS_STRING;
}
