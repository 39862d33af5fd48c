/*
 * What libyaml complains about, in words that name the remedy, with line and column.
 *
 * Private to conf/yaml_tree.c.
 */
#ifndef SPARKBRIDGE_CONF_YAML_FAULT_H
#define SPARKBRIDGE_CONF_YAML_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "conf/diag.h"

/* The text that is parsed, borrowed; `path` is for messages. */
struct yaml_source {
    const char *path;
    const char *bytes;
    size_t len;
};

/* Looks for what no YAML file has: NUL bytes, UTF-16. */
bool yaml_fault_check_bytes(const struct yaml_source *source, struct diag_list *diags);

/* Reports the fault that the parser stopped at. */
void yaml_fault_report(const yaml_parser_t *parser, const struct yaml_source *source,
                       struct diag_list *diags);

#endif
