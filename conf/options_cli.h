/*
 * The command line of a subcommand, read by the option table.
 *
 * The syntax is GNU's: `--flag value`, `--flag=value`, `-f value`, `--` ends the options; flags are
 * not abbreviated. There are no arguments besides options and their values; that of `help COMMAND`
 * is main.c's.
 */
#ifndef SPARKBRIDGE_CONF_OPTIONS_CLI_H
#define SPARKBRIDGE_CONF_OPTIONS_CLI_H

#include <stdbool.h>

#include "conf/diag.h"
#include "conf/options.h"
#include "conf/settings.h"

enum help_kind { HELP_NONE, HELP_SHORT, HELP_ALL };

/* Adds what `argv` (argv[0] is the subcommand's name) says to `settings`, unchecked, and all
 * faults to `diags` (EX_USAGE); false where there is one. A token in `--remote` is wiped from argv:
 * `explain` accepts it with a warning, the other subcommands refuse it. Not re-entrant: it stands
 * on getopt_long(), and may change the order of argv. */
bool options_cli_parse(int argc, char **argv, struct settings *settings, struct diag_list *diags);

/* Is the flag there, long or short, and no other's value? Also where the rest is wrong. */
bool options_cli_has(int argc, char **argv, enum option_id id);

/* Says where an option in front of the subcommand belongs (EX_USAGE). */
void options_cli_report_early(const char *argument, struct diag_list *diags);

/* Is there --help, -h or --help-all before `--`? Also where the rest is wrong. */
enum help_kind options_cli_help(int argc, char *const *argv);

#endif
