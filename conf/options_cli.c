/* The command line of a subcommand, read by the option table. */
#include "conf/options_cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/alloc.h"
#include "common/strbuf.h"
#include "common/token_shape.h"
#include "conf/remote_text.h"
#include "conf/suggest.h"

/* What getopt_long() returns for an option: above every character. */
enum { LONG_BASE = 256, FLAG_SIZE = 64 };

/* The option table in getopt's form: all of it, so that the value of an option that the subcommand
 * does not have is known for one. */
struct getopt_tables {
    struct option longs[OPTION_COUNT + 1];
    char shorts[2 * OPTION_COUNT + 2]; /* ":" first: a missing value is told from a wrong flag */
};

static void fill_tables(struct getopt_tables *tables)
{
    size_t longs = 0;
    size_t shorts = 0;
    *tables = (struct getopt_tables){.longs = {{0}}};
    tables->shorts[shorts++] = ':';
    for (int id = 0; id < OPTION_COUNT; id++) {
        const struct option_def *def = option_get((enum option_id)id);
        if (def->flag == NULL)
            continue;
        int argument = def->type == OPTION_SWITCH ? no_argument : required_argument;
        tables->longs[longs++] = (struct option){def->flag, argument, NULL, LONG_BASE + id};
        if (def->short_flag != '\0') {
            tables->shorts[shorts++] = def->short_flag;
            if (argument == required_argument)
                tables->shorts[shorts++] = ':';
        }
    }
}

/* The option that getopt returned; NULL for 0, which stands for a flag that it does not know. */
static const struct option_def *find_option(int code)
{
    if (code == 0)
        return NULL;
    if (code >= LONG_BASE)
        return option_get((enum option_id)(code - LONG_BASE));
    for (int id = 0; id < OPTION_COUNT; id++) {
        const struct option_def *def = option_get((enum option_id)id);
        if (def->flag != NULL && def->short_flag == code)
            return def;
    }
    return NULL;
}

/* "check and explain" */
static char *command_names(unsigned commands)
{
    struct strbuf names = {0};
    const struct command_def *command;
    for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
        if ((commands & command->id) == 0)
            continue;
        commands &= ~(unsigned)command->id;
        bool more = commands != 0;
        strbuf_append_format(&names, "%s%s", command->name,
                             !more                              ? ""
                             : (commands & (commands - 1)) != 0 ? ", "
                                                                : " and ");
    }
    return strbuf_take(&names);
}

/* A long flag that there is not; what stands behind `=` may be a secret. */
static void report_unknown_flag(const char *argument, const struct command_def *command,
                                struct diag_list *diags)
{
    char flag[FLAG_SIZE];
    snprintf(flag, sizeof flag, "%.*s", (int)strcspn(argument, "="), argument);
    struct suggest suggest = {.word = flag + 2};
    for (int id = 0; id < OPTION_COUNT; id++) {
        const struct option_def *def = option_get((enum option_id)id);
        if (def->flag != NULL && (def->commands & command->id) != 0)
            suggest_offer(&suggest, def->flag);
    }
    if (suggest.best != NULL)
        diag_error(diags, EX_USAGE, "%s: unknown option (did you mean --%s?)",
                   diag_quote(flag).text, suggest.best);
    else
        diag_error(diags, EX_USAGE, "%s: unknown option; `sparkbridge %s --help` lists all",
                   diag_quote(flag).text, command->name);
}

/* The subcommand does not have the option that getopt_long() read by `code`. */
static void report_other(int code, const struct option_def *def, const struct command_def *command,
                         struct diag_list *diags)
{
    char flag[FLAG_SIZE];
    if (code < LONG_BASE)
        snprintf(flag, sizeof flag, "-%c", code);
    else
        snprintf(flag, sizeof flag, "--%s", def->flag);
    char *names = command_names(def->commands);
    diag_error(diags, EX_USAGE, "%s: not an option of %s, but of %s", flag, command->name, names);
    free(names);
}

/* What getopt_long() answered `?` or `:` for; `argument` is the one it stopped at. */
static void report_fault(int answer, const char *argument, const struct command_def *command,
                         struct diag_list *diags)
{
    const struct option_def *def = find_option(optopt);
    if (def != NULL && (def->commands & command->id) == 0) {
        report_other(optopt, def, command, diags);
    } else if (def != NULL && answer == ':') {
        diag_error(diags, EX_USAGE, "--%s: needs a value, as in --%s %s", def->flag, def->flag,
                   def->metavar);
    } else if (def != NULL && optopt >= LONG_BASE) {
        diag_error(diags, EX_USAGE, "--%s: takes no value", def->flag);
    } else if (optopt != 0) {
        diag_error(diags, EX_USAGE, "-%c: unknown option; `sparkbridge %s --help` lists all",
                   optopt >= 0x20 && optopt < 0x7f ? optopt : '?', command->name);
    } else {
        report_unknown_flag(argument, command, diags);
    }
}

/* A token on a command line is seen by every user of the machine: `explain`, which ends at once,
 * takes it with a warning. */
static bool accepts_secret(const struct option_def *def, const struct command_def *command,
                           struct diag_list *diags)
{
    if (option_id_of(def) == OPTION_PROXY)
        return diag_error(diags, EX_USAGE,
                          "--proxy: a password on the command line can be read by every user of "
                          "this machine; put the URL into HTTPS_PROXY or the YAML key "
                          "upstream.proxy");
    if (command->id != COMMAND_EXPLAIN)
        return diag_error(diags, EX_USAGE,
                          "--remote: a token on the command line can be read by every user of "
                          "this machine; put the string into SPARK_REMOTE or the YAML key "
                          "listeners[].remote, or the token into a file (--token-file)");
    diag_warning(diags, "--remote: the token in it can be read by every user of this machine, in "
                        "the list of processes; put the string into SPARK_REMOTE");
    return true;
}

/* A token in the place of another value, which whoever reads the setting refuses. */
static bool is_misplaced_secret(const struct option_def *def, const char *text)
{
    return token_shape_in(text) ||
           (option_id_of(def) == OPTION_HOST && remote_text_holds_secret(text));
}

static void add_setting(const struct option_def *def, const struct command_def *command,
                        char *value, struct settings *settings, struct diag_list *diags)
{
    const char *text = def->type == OPTION_SWITCH ? "true" : value;
    bool secret = def->secret && remote_text_holds_secret(text);
    if (!secret || accepts_secret(def, command, diags)) {
        struct setting setting = {.id = option_id_of(def), .source = SETTING_FLAG};
        secret_set(&setting.value, text, strlen(text));
        setting.place = xasprintf("--%s", def->flag);
        settings_add(settings, &setting);
    }
    if (secret || is_misplaced_secret(def, text))
        secret_wipe_text(value);
}

/* The argument with the flag that getopt_long() has just read. */
static const char *flag_argument(char *const *argv)
{
    return optarg != NULL && optarg == argv[optind - 1] ? argv[optind - 2] : argv[optind - 1];
}

/* getopt takes `--token` for `--token-file`, and would have a token opened as a file and named in
 * the error. So flags are to be written out. */
static bool is_abbreviated(const char *argument, const struct option_def *def)
{
    return strlen(def->flag) != strcspn(argument + 2, "=");
}

static void take_option(int code, char *const *argv, const struct command_def *command,
                        struct settings *settings, struct diag_list *diags)
{
    const struct option_def *def = find_option(code);
    if (code >= LONG_BASE && is_abbreviated(flag_argument(argv), def))
        report_unknown_flag(flag_argument(argv), command, diags);
    else if ((def->commands & command->id) == 0)
        report_other(code, def, command, diags);
    else
        add_setting(def, command, optarg, settings, diags);
}

/* getopt_long() from the first argument on. */
static void begin(struct getopt_tables *tables)
{
    fill_tables(tables);
    opterr = 0;
    optind = 0; /* glibc's way to begin anew */
}

bool options_cli_parse(int argc, char **argv, struct settings *settings, struct diag_list *diags)
{
    size_t errors = diags->errors;
    const struct command_def *command = command_by_name(argv[0]);
    struct getopt_tables tables;
    begin(&tables);
    for (;;) {
        optopt = 0;
        int code = getopt_long(argc, argv, tables.shorts, tables.longs, NULL);
        if (code == -1)
            break;
        if (code == '?' || code == ':')
            report_fault(code, argv[optind - 1], command, diags);
        else
            take_option(code, argv, command, settings, diags);
    }
    /* The argument is not quoted: a connection string without its flag may hold a token. */
    if (optind < argc)
        diag_error(diags, EX_USAGE,
                   "%d argument%s without an option: values need theirs in front, as in "
                   "--profile NAME",
                   argc - optind, argc - optind == 1 ? "" : "s");
    return diags->errors == errors;
}

bool options_cli_has(int argc, char **argv, enum option_id id)
{
    struct getopt_tables tables;
    bool has = false;
    int code;
    begin(&tables);
    while ((code = getopt_long(argc, argv, tables.shorts, tables.longs, NULL)) != -1)
        has = has || (code != '?' && code != ':' && option_id_of(find_option(code)) == id);
    return has;
}

void options_cli_report_early(const char *argument, struct diag_list *diags)
{
    char flag[FLAG_SIZE]; /* alone: what stands behind it may be a secret */
    bool is_long = argument[0] == '-' && argument[1] == '-';
    snprintf(flag, sizeof flag, "%.*s", is_long ? (int)strcspn(argument, "=") : 2, argument);
    const struct option_def *def = is_long ? option_by_flag(flag + 2) : find_option(flag[1]);
    const struct command_def *command = NULL;
    for (size_t i = 0; def != NULL && (command = command_at(i)) != NULL; i++)
        if ((def->commands & command->id) != 0)
            break;
    if (command != NULL)
        diag_error(diags, EX_USAGE, "%s: options follow a subcommand: `sparkbridge %s %s%s%s`",
                   flag, command->name, flag, def->metavar != NULL ? " " : "",
                   def->metavar != NULL ? def->metavar : "");
    else
        diag_error(diags, EX_USAGE,
                   "%s: unknown option; options follow a subcommand, and `sparkbridge --help` "
                   "lists both",
                   diag_quote(flag).text);
}

enum help_kind options_cli_help(int argc, char *const *argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return HELP_SHORT;
        if (strcmp(argv[i], "--help-all") == 0)
            return HELP_ALL;
    }
    return HELP_NONE;
}
