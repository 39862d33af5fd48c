/* The help texts, made from the option table. */
#include "conf/help.h"

#include <stdio.h>
#include <string.h>

#include "conf/wrap.h"

enum {
    OPTION_COLUMN = 32, /* where the one-line help begins: behind the longest option */
};

static const char doc_prefix[] = "          ";

struct exit_code {
    int code;
    const char *meaning;
};

/* sysexits.h; at most 70 characters. */
static const struct exit_code exit_codes[] = {
    {0, "all is well, or the daemon was asked to stop"},
    {64, "wrong usage of the command line"},
    {66, "a file is missing or cannot be read"},
    {69, "no daemon answers"},
    {71, "the system refused something: memory, a socket, its certificates"},
    {73, "an address cannot be listened on"},
    {74, "standard output cannot be written to"},
    {75, "the drain timeout cut calls, or a file changed while it was read"},
    {77, "a file with a token, secret or private key is open to others"},
    {78, "the configuration is wrong or incomplete"},
};

static const char program_doc[] =
    "A local daemon that lets any Spark Connect client use a Databricks workspace by the plain "
    "address sc://localhost:15002. It finds workspace, cluster and credential, adds them to every "
    "call and forwards over TLS.";

/* "  -c, --config FILE"; returns its width. */
static size_t append_flag(struct strbuf *out, const struct option_def *def)
{
    size_t start = out->len;
    if (def->short_flag != '\0')
        strbuf_append_format(out, "  -%c, --%s", def->short_flag, def->flag);
    else
        strbuf_append_format(out, "      --%s", def->flag);
    if (def->metavar != NULL)
        strbuf_append_format(out, " %s", def->metavar);
    return out->len - start;
}

static void append_option_line(struct strbuf *out, const struct option_def *def)
{
    size_t width = append_flag(out, def);
    strbuf_append_format(out, "%*s%s", (int)(OPTION_COLUMN - width), "", def->help);
    if (def->default_text != NULL && def->type != OPTION_SWITCH) {
        size_t more = strlen(" ()") + strlen(def->default_text);
        if (OPTION_COLUMN + strlen(def->help) + more <= HELP_COLUMNS)
            strbuf_append_format(out, " (%s)", def->default_text);
    }
    strbuf_append_char(out, '\n');
}

/* Variable, YAML key and default in one line, where there are any. */
static void append_facts(struct strbuf *out, const struct option_def *def)
{
    struct strbuf facts = {0};
    char variable[OPTION_VARIABLE_SIZE];
    for (size_t i = 0; def->choices != NULL && def->choices[i] != NULL; i++)
        strbuf_append_format(&facts, "%s%s%s", i == 0 ? "Values: " : ", ", def->choices[i],
                             def->choices[i + 1] == NULL ? ". " : "");
    if (option_variable(def, variable))
        strbuf_append_format(&facts, "Environment: %s. ", variable);
    if (def->yaml_path != NULL)
        strbuf_append_format(&facts, "YAML: %s%s%s%s%s. ", def->yaml_path,
                             def->yaml_word != NULL ? ": " : "",
                             def->yaml_word != NULL ? def->yaml_word : "",
                             def->yaml_default_path != NULL ? ", " : "",
                             def->yaml_default_path != NULL ? def->yaml_default_path : "");
    if (def->default_text != NULL)
        strbuf_append_format(&facts, "Default: %s.", def->default_text);
    if (facts.len > 0)
        wrap_append(out, doc_prefix, HELP_COLUMNS, strbuf_text(&facts));
    strbuf_finish(&facts);
}

static void append_option(struct strbuf *out, const struct option_def *def, bool all)
{
    if (!all) {
        append_option_line(out, def);
        return;
    }
    append_flag(out, def);
    strbuf_append_char(out, '\n');
    append_facts(out, def);
    wrap_append(out, doc_prefix, HELP_COLUMNS, def->doc);
}

static bool is_taken(const struct option_def *def, const struct command_def *command)
{
    return def->flag != NULL && (command == NULL || (def->commands & command->id) != 0);
}

static void append_group(struct strbuf *out, enum option_group group,
                         const struct command_def *command, bool all)
{
    bool first = true;
    for (int id = 0; id < OPTION_COUNT; id++) {
        const struct option_def *def = option_get((enum option_id)id);
        if (def->group != group || !is_taken(def, command) || (def->advanced && !all))
            continue;
        if (first)
            strbuf_append_format(out, "%s%s:\n", all ? "\n" : "", option_group_title(group));
        first = false;
        append_option(out, def, all);
    }
}

/* What else a reader of every option wants to know. */
static const char precedence_doc[] =
    "A flag overrules its environment variable, and both overrule the YAML file. A connection "
    "option (a flag or variable from --profile to --no-compute) describes one listener, named "
    "`default`, in place of all listeners of the file; --listen alone replaces the addresses of "
    "the file's only listener. --profile and --remote set aside all other connection variables, "
    "--host and the compute flags those that contradict them. Where a flag that is not repeatable "
    "is given twice, the last one counts.";

static void append_yaml_keys(struct strbuf *out)
{
    strbuf_append_text(out, "\nOnly in the YAML file:\n");
    for (int id = 0; id < OPTION_COUNT; id++) {
        const struct option_def *def = option_get((enum option_id)id);
        if (def->flag != NULL)
            continue;
        strbuf_append_format(out, "  %s\n", def->yaml_path);
        if (def->default_text != NULL)
            strbuf_append_format(out, "%sDefault: %s.\n", doc_prefix, def->default_text);
        wrap_append(out, doc_prefix, HELP_COLUMNS, def->doc);
    }
}

/* One rule instead of a list, which would fill the page; --help-all names each. */
static void append_environment(struct strbuf *out, const struct command_def *command)
{
    for (int id = 0; id < OPTION_COUNT; id++) {
        const struct option_def *def = option_get((enum option_id)id);
        char variable[OPTION_VARIABLE_SIZE];
        if (!is_taken(def, command) || def->advanced || !option_variable(def, variable))
            continue;
        strbuf_append_format(out,
                             "\nEnvironment:\n"
                             "  --%s may also be said by %s, and so on;\n"
                             "  a flag overrules its variable\n",
                             def->flag, variable);
        return;
    }
}

static void append_usage(struct strbuf *out, const struct command_def *command)
{
    strbuf_append_format(out, "Usage: sparkbridge %s [OPTION]...\n\n",
                         command != NULL ? command->name : "COMMAND");
    wrap_append(out, "", HELP_COLUMNS, command != NULL ? command->doc : program_doc);
    strbuf_append_text(out, "\nExamples:\n");
    if (command == NULL) {
        strbuf_append_text(out,
                           "  sparkbridge run --profile prod      # then: sc://localhost:15002\n"
                           "  sparkbridge explain --profile prod  # where each value comes from\n"
                           "  sparkbridge sample-config > sparkbridge.yaml\n"
                           "\nCommands:\n");
        for (size_t i = 0; command_at(i) != NULL; i++)
            strbuf_append_format(out, "  %-15s %s\n", command_at(i)->name, command_at(i)->help);
        return;
    }
    for (size_t i = 0; command->examples[i] != NULL; i++)
        strbuf_append_format(out, "  %s\n", command->examples[i]);
}

void help_write(struct strbuf *out, const struct command_def *command, bool all)
{
    append_usage(out, command);
    if (!all)
        strbuf_append_char(out, '\n');
    for (int group = 0; group < OPTION_GROUP_COUNT; group++)
        append_group(out, (enum option_group)group, command, all);
    if (all && is_taken(option_get(OPTION_CONFIG), command)) {
        append_yaml_keys(out);
        strbuf_append_text(out, "\nPrecedence:\n");
        wrap_append(out, "  ", HELP_COLUMNS, precedence_doc);
    }
    append_environment(out, command);
    strbuf_append_text(out, "\nExit codes:\n");
    for (size_t i = 0; i < sizeof exit_codes / sizeof exit_codes[0]; i++)
        strbuf_append_format(out, "  %-3d %s\n", exit_codes[i].code, exit_codes[i].meaning);
}
