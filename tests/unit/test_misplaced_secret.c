/* A flag whose value is a token in the wrong place: nothing of it stays in the list of processes.
 */
#include "tests/unit/load_config.h"

static void assert_wiped(const char *line, int index, const char *left)
{
    struct load load;
    load_config(&load, line, NULL);
    assert_string_equal(load.argv[index], left);
    char *messages = load_messages(&load);
    assert_null(strstr(messages, "0123456789abcdef"));
    free(messages);
    load_finish(&load);
}

static void test_wiped(void **state)
{
    assert_wiped("run --host sc://h/;token=tok", 2, "");
    assert_wiped("explain --host=sc://h/;token=tok", 1, "--host=");
    assert_wiped("run --host dapi0123456789abcdef", 2, "");
    assert_wiped("run --cluster-id dapi0123456789abcdef", 2, "");
    assert_wiped("run --profile=dapi0123456789abcdef", 1, "--profile=");
    assert_wiped("run --log-level dapi0123456789abcdef", 2, "");
}

static void test_left(void **state)
{
    assert_wiped("run --host h.example.test", 2, "h.example.test");
    assert_wiped("run --host https://h.example.test/?o=1", 2, "https://h.example.test/?o=1");
    assert_wiped("run --profile prod", 2, "prod");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wiped),
        cmocka_unit_test(test_left),
    };
    return cmocka_run_group_tests(tests, load_config_setup, load_config_teardown);
}
