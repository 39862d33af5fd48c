/* The option table, and what is made from it: the command line, help texts, schema, sample. */
#include <jansson.h>

#include "conf/help.h"
#include "conf/options.h"
#include "conf/options_cli.h"
#include "conf/schema.h"
#include "tests/unit/load_config.h"

enum { HELP_TEXT_MAX = 48, EVERY_COMMAND = 0xff };

static void test_table(void **state)
{
    for (int id = 0; id < OPTION_COUNT; id++) {
        const struct option_def *def = option_get((enum option_id)id);
        assert_int_equal(option_id_of(def), id);
        assert_non_null(def->doc);
        assert_true(def->flag != NULL || def->yaml_path != NULL);
        /* Every YAML key has something to show in the sample. */
        assert_true(def->yaml_path == NULL || def->example != NULL || def->default_text != NULL);
        if (def->flag == NULL)
            continue;
        assert_ptr_equal(option_by_flag(def->flag), def);
        assert_true(def->commands != 0 && (def->commands & ~(unsigned)EVERY_COMMAND) == 0);
        assert_true(strlen(def->help) <= HELP_TEXT_MAX);
        assert_int_equal(def->metavar == NULL, def->type == OPTION_SWITCH);
        for (int other = 0; other < id; other++) {
            const struct option_def *earlier = option_get((enum option_id)other);
            assert_true(def->short_flag == '\0' || def->short_flag != earlier->short_flag);
        }
    }
    char variable[OPTION_VARIABLE_SIZE];
    assert_true(option_variable(option_by_flag("drain-timeout"), variable));
    assert_string_equal(variable, "SPARKBRIDGE_DRAIN_TIMEOUT");
    assert_false(option_variable(option_by_flag("json"), variable));
    assert_null(option_by_flag("drain"));
    assert_null(command_by_name("Run"));
    assert_int_equal(command_by_name("check")->id, COMMAND_CHECK);
}

static void test_keys(void **state)
{
    static const char *const expected[] = {"name",
                                           "listen",
                                           "socket",
                                           "authorities",
                                           "client_secret_file",
                                           "forward_headers",
                                           "peer_users",
                                           "profile_by_peer",
                                           "profile_from_client",
                                           "profile",
                                           "remote",
                                           "connection",
                                           "config_file",
                                           "resolution",
                                           "via",
                                           NULL};
    struct option_key keys[OPTION_KEYS_MAX];
    size_t count = option_keys("listeners[]", keys);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(keys[i].name, expected[i]);
    assert_null(expected[count]);
    assert_non_null(keys[2].section);
    assert_null(keys[2].option);
    assert_string_equal(keys[11].path, "listeners[].connection");
    assert_ptr_equal(keys[1].option, option_get(OPTION_LISTEN));
    assert_int_equal(option_keys("nothing", keys), 0);
}

/* At most 80 columns; returns the number of lines. */
static size_t check_lines(const char *text)
{
    size_t lines = 0;
    for (const char *line = text; *line != '\0'; lines++) {
        size_t len = strcspn(line, "\n");
        if (len > HELP_COLUMNS)
            fail_msg("%zu columns: %.*s", len, (int)len, line);
        if (len > 0 && line[len - 1] == ' ')
            fail_msg("a blank at the end: %.*s", (int)len, line);
        assert_int_equal(line[len], '\n');
        line += len + 1;
    }
    return lines;
}

static bool mentions_flag(const char *text, const char *flag)
{
    char *long_flag = xasprintf("--%s", flag);
    bool found = false;
    for (const char *at = strstr(text, long_flag); at != NULL && !found;
         at = strstr(at + 1, long_flag)) {
        char next = at[strlen(long_flag)];
        found = next == ' ' || next == '\n';
    }
    free(long_flag);
    return found;
}

/* The help of every option begins in the same column. */
static void check_column(const char *help, const struct option_def *def)
{
    enum { FLAG_COLUMN = 6, COLUMN = 32 };
    char *flag = xasprintf("--%s ", def->flag);
    const char *at = strstr(help, flag), *line = NULL;
    for (; at != NULL; at = strstr(at + 1, flag)) {
        line = (const char *)memrchr(help, '\n', (size_t)(at - help)) + 1;
        if (at - line == FLAG_COLUMN)
            break;
    }
    free(flag);
    if (at == NULL)
        fail_msg("--%s is not in the help", def->flag);
    else
        assert_ptr_equal(strstr(at, def->help), line + COLUMN);
}

static void check_help(const struct command_def *command)
{
    struct strbuf help = {0};
    struct strbuf all = {0};
    help_write(&help, command, false);
    help_write(&all, command, true);
    assert_true(check_lines(strbuf_text(&help)) <= HELP_LINES);
    check_lines(strbuf_text(&all));
    for (int id = 0; id < OPTION_COUNT; id++) {
        const struct option_def *def = option_get((enum option_id)id);
        char variable[OPTION_VARIABLE_SIZE];
        bool taken = def->flag != NULL && (command == NULL || (def->commands & command->id) != 0);
        if (def->advanced)
            assert_false(mentions_flag(strbuf_text(&help), def->flag));
        else if (def->flag != NULL && mentions_flag(strbuf_text(&help), def->flag) != taken &&
                 (taken || command == NULL))
            fail_msg("--help and --%s", def->flag);
        if (taken)
            assert_true(mentions_flag(strbuf_text(&all), def->flag));
        if (taken && !def->advanced)
            check_column(strbuf_text(&help), def);
        for (size_t i = 0; taken && def->choices != NULL && def->choices[i] != NULL; i++)
            assert_non_null(strstr(strbuf_text(&all), def->choices[i]));
        if (taken && option_variable(def, variable))
            assert_non_null(strstr(strbuf_text(&all), variable));
        if ((taken || command == NULL) && def->yaml_path != NULL)
            assert_non_null(strstr(strbuf_text(&all), def->yaml_path));
    }
    strbuf_finish(&help);
    strbuf_finish(&all);
}

static void test_help(void **state)
{
    check_help(NULL);
    for (size_t i = 0; command_at(i) != NULL; i++)
        check_help(command_at(i));
}

static enum help_kind help_of(const char *line)
{
    char *argv[LOAD_MAX_ARGS];
    int argc = 0;
    char *words = xstrdup(line);
    char *rest = words;
    while (rest != NULL)
        argv[argc++] = strsep(&rest, " ");
    enum help_kind kind = options_cli_help(argc, argv);
    free(words);
    return kind;
}

static void test_asks_for_help(void **state)
{
    assert_int_equal(help_of("run --json -- --help"), HELP_NONE);
    assert_int_equal(help_of("run --bogus -h"), HELP_SHORT);
    assert_int_equal(help_of("run --help"), HELP_SHORT);
    assert_int_equal(help_of("check --help-all --help"), HELP_ALL);
}

static bool has_json(const char *line)
{
    struct load load;
    load_config(&load, line, NULL); /* which may order the words anew */
    bool has = options_cli_has(load.argc, load.argv, OPTION_JSON);
    load_finish(&load);
    return has;
}

static void test_has_a_flag(void **state)
{
    assert_true(has_json("check --json"));
    assert_true(has_json("check nonsense --bogus -qc none.yaml --json"));
    assert_false(has_json("check --config --json"));
    assert_false(has_json("check -- --json"));
    assert_false(has_json("check --config=--json -q"));
}

static void test_faults(void **state)
{
    assert_fails("run --bogus", NULL, EX_USAGE,
                 "\"--bogus\": unknown option; `sparkbridge run --help` lists all");
    assert_fails("run --listne=x", NULL, EX_USAGE,
                 "\"--listne\": unknown option (did you mean --listen?)");
    assert_fails("run --quiet", NULL, EX_USAGE, "--quiet: not an option of run, but of check");
    assert_fails("profiles --profile x", NULL, EX_USAGE,
                 "--profile: not an option of profiles, but of run, check and explain");
    assert_fails("profiles -p x", NULL, EX_USAGE,
                 "-p: not an option of profiles, but of run, check and explain");
    assert_fails("profiles -px", NULL, EX_USAGE,
                 "-p: not an option of profiles, but of run, check and explain");
    assert_fails("profiles --profile", NULL, EX_USAGE,
                 "--profile: not an option of profiles, but of run, check and explain");
    assert_fails("explain --log-level debug -p prod", NULL, EX_USAGE,
                 "--log-level: not an option of explain, but of run and check");
    assert_fails("explain --log-level=debug -p prod x", NULL, EX_USAGE,
                 "--log-level: not an option of explain, but of run and check\n"
                 "1 argument without an option: values need theirs in front, as in --profile NAME");
    assert_fails("explain --log debug", NULL, EX_USAGE,
                 "\"--log\": unknown option; `sparkbridge explain --help` lists all\n"
                 "1 argument without an option: values need theirs in front, as in --profile NAME");
    assert_fails("check --quiet=yes", NULL, EX_USAGE, "--quiet: takes no value");
    assert_fails("run --profile", NULL, EX_USAGE, "--profile: needs a value, as in --profile NAME");
    assert_fails("run -p", NULL, EX_USAGE, "--profile: needs a value, as in --profile NAME");
    assert_fails("run -x", NULL, EX_USAGE,
                 "-x: unknown option; `sparkbridge run --help` lists all");
    assert_fails("run prod test", NULL, EX_USAGE,
                 "2 arguments without an option: values need theirs in front, as in --profile "
                 "NAME");
    assert_fails("run --drain-timeout 5 --log-level all", NULL, EX_USAGE,
                 "--drain-timeout: \"5\" has to be a whole number with a unit (ms, s, m or h), as "
                 "in 10s\n"
                 "--log-level: \"all\" has to be error, warn, info or debug");
    assert_fails("run --listen localhost:1 --listen 127.0.0.1:1", NULL, EX_USAGE,
                 "--listen: \"127.0.0.1:1\" is taken already, by \"localhost:1\" of listener "
                 "\"default\"");
    assert_fails("run --profile=", NULL, EX_USAGE,
                 "--profile: is empty; leave it out or give it a value");
    assert_fails("runn", NULL, EX_USAGE,
                 "\"runn\": no such subcommand; `sparkbridge --help` lists all");
}

/* What may be a token is never repeated: abbreviated flags would have it opened as a file. */
static void test_faults_hide_secrets(void **state)
{
    static const char *const lines[] = {
        "run --token dapi0",
        "run --token=dapi0",
        "run --tokenn=dapi0",
        "run sc://h/;token=dapi0",
        "run -r sc://h/;token=dapi0",
        "run --remot=sc://h/;token=dapi0",
        "run --remote=sc://h/;token=dapi0",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct load load;
        load_config(&load, lines[i], NULL);
        assert_int_equal(diag_list_exit_code(&load.diags), EX_USAGE);
        char *messages = load_messages(&load);
        if (strstr(messages, "dapi") != NULL)
            fail_msg("%s", messages);
        free(messages);
        load_finish(&load);
    }
    assert_fails("run --token dapi0", NULL, EX_USAGE,
                 "\"--token\": unknown option (did you mean --token-file?)");
}

static void test_listener_limit(void **state)
{
    struct strbuf line = {0};
    strbuf_append_text(&line, "run -l localhost:1");
    for (int port = 2; port <= 18; port++)
        strbuf_append_format(&line, ",localhost:%d", port);
    char *list = xasprintf("SPARKBRIDGE_LISTEN=%s", strbuf_text(&line) + strlen("run -l "));
    assert_fails("run", VARIABLES(list), EX_CONFIG,
                 "SPARKBRIDGE_LISTEN: is one address too many, a listener has at most 16\n"
                 "SPARKBRIDGE_LISTEN: is one address too many, a listener has at most 16");
    free(list);
    strbuf_finish(&line);
}

/* The schema is JSON; that it accepts and rejects the right files is tests/integration's part. */
static void test_schema(void **state)
{
    struct strbuf text = {0};
    schema_write(&text);
    assert_false(text.cut);
    json_error_t error;
    json_t *schema = json_loads(strbuf_text(&text), JSON_REJECT_DUPLICATES, &error);
    assert_non_null(schema);
    json_t *properties = json_object_get(schema, "properties");
    assert_int_equal(json_object_size(properties), 9);
    json_t *timeouts = json_object_get(json_object_get(properties, "timeouts"), "properties");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(timeouts, "drain"), "default")), "60s");
    json_decref(schema);
    strbuf_finish(&text);
}

static void test_sample(void **state)
{
    struct strbuf text = {0};
    sample_write(&text);
    check_lines(strbuf_text(&text));
    for (int id = 0; id < OPTION_COUNT; id++) {
        const struct option_def *def = option_get((enum option_id)id);
        const char *dot = def->yaml_path != NULL ? strrchr(def->yaml_path, '.') : NULL;
        const char *key = dot != NULL ? dot + 1 : def->yaml_path;
        if (key == NULL)
            continue;
        char *name = xstrndup(key, strcspn(key, "{"));
        assert_non_null(strstr(strbuf_text(&text), name));
        free(name);
    }
    strbuf_finish(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),          cmocka_unit_test(test_keys),
        cmocka_unit_test(test_help),           cmocka_unit_test(test_asks_for_help),
        cmocka_unit_test(test_faults),         cmocka_unit_test(test_faults_hide_secrets),
        cmocka_unit_test(test_listener_limit), cmocka_unit_test(test_schema),
        cmocka_unit_test(test_sample),         cmocka_unit_test(test_has_a_flag),
    };
    return cmocka_run_group_tests_name("options", tests, load_config_setup, load_config_teardown);
}
