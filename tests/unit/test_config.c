/* The configuration from flags, environment and defaults, and how they go together with a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "common/strbuf.h"
#include "conf/config.h"

enum { MAX_ARGS = 32 };

/* One run of config_load() and what came of it. */
struct run {
    struct config *config;
    struct diag_list diags;
    char *argv[MAX_ARGS + 1]; /* writable copies, as argv is: a token in it is wiped */
    int argc;
};

static char *directory;
static char *home_variable;

static int make_directory(void **state)
{
    directory = xstrdup("/tmp/sparkbridge-test-XXXXXX");
    assert_non_null(mkdtemp(directory));
    home_variable = xasprintf("HOME=%s", directory);
    return 0;
}

static int remove_directory(void **state)
{
    rmdir(directory);
    free(directory);
    free(home_variable);
    return 0;
}

/* Loads with the words of `line`; the environment ends with NULL, HOME is added. */
static void load(struct run *run, const char *line, const char *const *environment)
{
    *run = (struct run){0};
    char *words = xstrdup(line);
    char *rest = words;
    for (char *word; (word = strsep(&rest, " ")) != NULL;)
        run->argv[run->argc++] = xstrdup(word);
    free(words);
    char *variables[MAX_ARGS + 1] = {home_variable};
    for (size_t i = 0; environment != NULL && environment[i] != NULL; i++)
        variables[i + 1] = (char *)(uintptr_t)environment[i];
    config_load(run->argc, run->argv, variables, &run->config, &run->diags);
}

static void finish(struct run *run)
{
    for (int i = 0; i < run->argc; i++)
        free(run->argv[i]);
    config_destroy(run->config);
    diag_list_finish(&run->diags);
}

#define VARIABLES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* The command fails with exactly these lines, separated by \n, and this exit code. */
static void assert_fails(const char *line, const char *const *environment, int exit_code,
                         const char *expected)
{
    struct run run;
    load(&run, line, environment);
    struct strbuf found = {0};
    for (size_t i = 0; i < run.diags.count; i++)
        strbuf_append_format(&found, "%s%s", i == 0 ? "" : "\n", run.diags.items[i].message);
    assert_string_equal(strbuf_text(&found), expected);
    assert_int_equal(diag_list_exit_code(&run.diags), exit_code);
    assert_null(run.config);
    strbuf_finish(&found);
    finish(&run);
}

static void test_defaults(void **state)
{
    struct run run;
    load(&run, "run", NULL);
    assert_int_equal(run.diags.count, 0);
    struct config *config = run.config;
    assert_non_null(config);
    assert_int_equal(config->listener_count, 1);
    assert_int_equal(config->connect_timeout_ms, 10000);
    assert_int_equal(config->drain_timeout_ms, 60000);
    assert_int_equal(config->log_level, LOG_LEVEL_INFO);
    assert_null(config->ca_file);
    assert_null(config->config_path);
    struct listener_config *listener = &config->listeners[0];
    assert_string_equal(listener->name, "default");
    assert_int_equal(listener->address_count, 1);
    assert_string_equal(listener->addresses[0].host, "localhost");
    assert_int_equal(listener->addresses[0].port, 15002);
    assert_int_equal(listener->socket_mode, 0600);
    assert_int_equal(listener->resolution, RESOLUTION_DOCUMENTED);
    assert_false(secret_is_set(&listener->remote));
    assert_null(listener->host);
    finish(&run);
}

static void test_flags(void **state)
{
    struct run run;
    load(&run,
         "run --listen=127.0.0.2:0 -l [::1]:1 --listen unix:///run/x.sock --host h.example.test "
         "--token-file ~/token --cluster-id c --config-file f.cfg --resolution sdk --ca-file "
         "/ca.pem --connect-timeout 500ms --drain-timeout 0s --log-level debug",
         NULL);
    assert_int_equal(run.diags.count, 0);
    struct config *config = run.config;
    struct listener_config *listener = &config->listeners[0];
    assert_int_equal(listener->address_count, 3);
    assert_string_equal(listener->addresses[0].host, "127.0.0.2");
    assert_int_equal(listener->addresses[0].port, 0);
    assert_string_equal(listener->addresses[1].host, "::1");
    assert_int_equal(listener->addresses[2].kind, ADDRESS_UNIX);
    assert_string_equal(listener->addresses[2].path, "/run/x.sock");
    assert_string_equal(listener->host, "h.example.test");
    assert_string_equal(listener->cluster_id, "c");
    char *token_file = xasprintf("%s/token", directory);
    assert_string_equal(listener->token_file, token_file);
    free(token_file);
    assert_string_equal(listener->config_file, "f.cfg");
    assert_int_equal(listener->resolution, RESOLUTION_SDK);
    assert_string_equal(config->ca_file, "/ca.pem");
    assert_int_equal(config->connect_timeout_ms, 500);
    assert_int_equal(config->drain_timeout_ms, 0);
    assert_int_equal(config->log_level, LOG_LEVEL_DEBUG);
    finish(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_flags),
    };
    return cmocka_run_group_tests_name("config", tests, make_directory, remove_directory);
}
