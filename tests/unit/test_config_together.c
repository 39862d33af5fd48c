/* Settings that say something together: contradictions, and what takes the effect from another; and
 * values that come from the environment. */
#include <sysexits.h>

#include "tests/unit/load_config.h"

static void test_two_computes(void **state)
{
    struct load load;
    assert_fails("run --serverless --cluster-id c", NULL, EX_USAGE,
                 "--cluster-id: cannot stand beside --serverless; keep one of them");
    assert_fails("check --no-compute --serverless", NULL, EX_USAGE,
                 "--serverless: cannot stand beside --no-compute; keep one of them");
    assert_fails("run", VARIABLES("SPARKBRIDGE_CLUSTER_ID=c", "SPARKBRIDGE_SERVERLESS=1"),
                 EX_CONFIG,
                 "SPARKBRIDGE_SERVERLESS: cannot stand beside SPARKBRIDGE_CLUSTER_ID; keep one of "
                 "them");
    assert_loads(&load, "run --serverless",
                 VARIABLES("SPARKBRIDGE_CLUSTER_ID=c", "SPARKBRIDGE_NO_COMPUTE=0"), "");
    load_finish(&load);
}

/* One setting takes the effect from another. */
static void test_without_effect(void **state)
{
    struct load load;
    static const char said[] =
        "the daemon will not end by itself, because nothing would start it again: "
        "\"localhost:1\" is no socket of the service manager (systemd:NAME)";
    char *warning = xasprintf("--idle-exit: %s", said);
    assert_loads(&load, "run --idle-exit 10m -l systemd:a -l localhost:1", NULL, warning);
    assert_int_equal(load.config->idle_exit_ms, 0);
    load_finish(&load);
    free(warning);
    assert_loads(&load, "run --idle-exit 10m -l systemd:a", NULL, "");
    assert_int_equal(load.config->idle_exit_ms, 600000);
    load_finish(&load);

    write_text("e.yaml", "version: 1\n"
                         "timeouts: {idle_exit: 10m}\n"
                         "limits: {connections: 100, calls: 9, calls_per_user: 10}\n");
    assert_loads(&load, "run -c e.yaml -l localhost:1", NULL,
                 "e.yaml:3:54: limits.calls_per_user: 10 is more than the 9 that all users have "
                 "together, which is the limit for one of them too");
    assert_int_equal(load.config->limits.connections_per_user, 256);
    load_finish(&load);
}

/* A list in a variable, with blanks as people write it. */
static void test_blanks_in_lists(void **state)
{
    struct load load;
    assert_loads(&load, "run", VARIABLES("SPARKBRIDGE_LISTEN= localhost:1 ,\tlocalhost:2 "), "");
    assert_int_equal(load.config->listeners[0].address_count, 2);
    assert_string_equal(load.config->listeners[0].addresses[1].text, "localhost:2");
    load_finish(&load);
}

/* A switch and a number from the environment. */
static void test_types_of_variables(void **state)
{
    struct load load;
    write_text("v.yaml", "version: 1\n"
                         "limits: {connections: \"${N}\"}\n"
                         "listeners:\n"
                         "  - name: a\n"
                         "    profile: p\n"
                         "    connection: {serverless: \"${ON}\", cluster_id: \"${C:-c}\"}\n");
    assert_loads(&load, "run -c v.yaml", VARIABLES("N=7", "ON=false"), "");
    assert_int_equal(load.config->limits.connections, 7);
    assert_false(load.config->listeners[0].serverless);
    assert_string_equal(load.config->listeners[0].profile, "p");
    assert_string_equal(load.config->listeners[0].cluster_id, "c");
    load_finish(&load);
    assert_fails("run -c v.yaml", VARIABLES("N=7", "ON=perhaps", "C=c"), EX_CONFIG,
                 "v.yaml:6:30: listeners[0].connection.serverless: \"perhaps\" has to be true or "
                 "false\n"
                 "v.yaml:6:39: listeners[0].connection.cluster_id: cannot stand beside serverless "
                 "(line 6); keep one of them");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_computes),
        cmocka_unit_test(test_without_effect),
        cmocka_unit_test(test_blanks_in_lists),
        cmocka_unit_test(test_types_of_variables),
    };
    return cmocka_run_group_tests_name("config_together", tests, load_config_setup_empty,
                                       load_config_teardown);
}
