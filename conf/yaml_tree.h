/*
 * A YAML document as a tree of nodes with their places: a thin layer over libyaml's events that
 * keeps out what a configuration file does not need.
 *
 * Refused, with the place: anchors and aliases (so no "billion laughs"), tags, a second document,
 * keys that are not plain text, duplicate keys, and whatever goes beyond the limits below.
 *
 * Owner: yaml_tree_parse() creates, yaml_tree_destroy() frees. Texts may be secrets: they are
 * wiped. (The name keeps it apart from libyaml's own yaml.h.)
 */
#ifndef SPARKBRIDGE_CONF_YAML_TREE_H
#define SPARKBRIDGE_CONF_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/diag.h"

enum {
    YAML_TREE_MAX_BYTES = 1 << 20,
    YAML_TREE_MAX_DEPTH = 32,
    YAML_TREE_MAX_NODES = 10000,
};

enum yaml_kind { YAML_KIND_SCALAR, YAML_KIND_SEQUENCE, YAML_KIND_MAPPING };

/* What a scalar would be to a YAML 1.1 or 1.2 reader. Whatever is quoted is a string. */
enum yaml_scalar { YAML_IS_STRING, YAML_IS_NULL, YAML_IS_BOOLEAN, YAML_IS_NUMBER };

struct yaml_node {
    enum yaml_kind kind;
    struct diag_place place;

    /* YAML_KIND_SCALAR */
    char *text; /* owned, NUL-terminated; may also contain NUL */
    size_t len;
    bool quoted;

    /* YAML_KIND_SEQUENCE and YAML_KIND_MAPPING */
    struct yaml_entry *entries; /* owned */
    size_t count;
};

struct yaml_entry {
    char *key; /* owned; NULL in a sequence */
    struct diag_place key_place;
    struct yaml_node *value; /* owned */
};

/* The root node; NULL after a fault, which is added to `diags` (EX_CONFIG) with `path` in front, or
 * where the document is empty, which is no fault. Duplicate keys are reported and the first one
 * stays, so that the rest can still be checked. */
struct yaml_node *yaml_tree_parse(const char *path, const char *bytes, size_t len,
                                  struct diag_list *diags);

void yaml_tree_destroy(struct yaml_node *node);

enum yaml_scalar yaml_scalar_kind(const struct yaml_node *node);

#endif
