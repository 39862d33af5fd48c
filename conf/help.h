/* The help texts, made from the option table: at most 80 columns, --help at most 72 lines. */
#ifndef SPARKBRIDGE_CONF_HELP_H
#define SPARKBRIDGE_CONF_HELP_H

#include <stdbool.h>

#include "common/strbuf.h"
#include "conf/options.h"

enum { HELP_COLUMNS = 80, HELP_LINES = 72 };

/* Appends the help of a subcommand, or of the whole program where it is NULL. With `all` every
 * option has its variable, YAML key, default and documentation. */
void help_write(struct strbuf *out, const struct command_def *command, bool all);

#endif
