/* sparkbridge: the program and its subcommands. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/strbuf.h"
#include "conf/commands.h"
#include "conf/help.h"
#include "conf/options_cli.h"
#include "conf/suggest.h"
#include "daemon/command.h"

typedef int (*command_function)(int argc, char **argv, char **environment);

static command_function function_of(enum command_id id)
{
    switch (id) {
    case COMMAND_RUN: return command_run;
    case COMMAND_CHECK: return command_check;
    case COMMAND_EXPLAIN: return command_explain;
    case COMMAND_PROFILES: return command_profiles;
    case COMMAND_STATUS: return command_status;
    case COMMAND_VERSION: return command_version;
    case COMMAND_SCHEMA: return command_schema;
    case COMMAND_SAMPLE_CONFIG: return command_sample_config;
    }
    return NULL;
}

static int print_help(const struct command_def *command, bool all)
{
    struct strbuf text = {0};
    help_write(&text, command, all);
    return command_print(strbuf_take(&text), EX_OK);
}

/* What does not look like a subcommand may be a connection string with a token: not repeated. */
static int unknown_command(const char *name)
{
    if (strspn(name, "abcdefghijklmnopqrstuvwxyz-") != strlen(name) || name[0] == '\0') {
        fprintf(stderr, "sparkbridge: the first argument has to be a subcommand; `sparkbridge "
                        "--help` lists all\n");
        return EX_USAGE;
    }
    struct suggest near = {.word = name};
    const struct command_def *def;
    for (size_t i = 0; (def = command_at(i)) != NULL; i++)
        suggest_offer(&near, def->name);
    fprintf(stderr, "sparkbridge: %s: no such subcommand%s; `sparkbridge --help` lists all\n", name,
            suggest_text(&near).text);
    return EX_USAGE;
}

/* `sparkbridge help [COMMAND]` */
static int help(int argc, char **argv)
{
    const struct command_def *command = NULL;
    enum help_kind kind = options_cli_help(argc, argv);
    if (argc > 1 && argv[1][0] != '-' && strcmp(argv[1], "help") != 0) {
        command = command_by_name(argv[1]);
        if (command == NULL)
            return unknown_command(argv[1]);
    }
    return print_help(command, kind == HELP_ALL);
}

static int option_without_command(int argc, char **argv)
{
    struct diag_list diags = {0};
    enum help_kind kind = options_cli_help(argc, argv);
    if (kind != HELP_NONE)
        return print_help(NULL, kind == HELP_ALL);
    options_cli_report_early(argv[1], &diags);
    command_print_diags(&diags);
    diag_list_finish(&diags);
    return EX_USAGE;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: sparkbridge COMMAND [OPTION...]; `sparkbridge --help` says more\n");
        return EX_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
        return command_version(1, argv + 1, environ);
    if (argv[1][0] == '-')
        return option_without_command(argc, argv);
    if (strcmp(argv[1], "help") == 0)
        return help(argc - 1, argv + 1);
    const struct command_def *command = command_by_name(argv[1]);
    if (command == NULL)
        return unknown_command(argv[1]);
    enum help_kind kind = options_cli_help(argc - 1, argv + 1);
    if (kind != HELP_NONE)
        return print_help(command, kind == HELP_ALL);
    return function_of(command->id)(argc - 1, argv + 1, environ);
}
