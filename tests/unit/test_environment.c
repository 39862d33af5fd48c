/* The environment is remembered whole, and its secrets are wiped where other processes see them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "common/redaction.h"
#include "conf/environment.h"

static const char *const secret_names[] = {
    "DATABRICKS_TOKEN",
    "DATABRICKS_PASSWORD",
    "DATABRICKS_CLIENT_SECRET",
    "ARM_CLIENT_SECRET",
    "GOOGLE_CREDENTIALS",
    "DATABRICKS_METADATA_SERVICE_URL",
    "DATABRICKS_OIDC_TOKEN",
    "MY_OIDC", /* named by DATABRICKS_OIDC_TOKEN_ENV */
    "SPARK_REMOTE",
    "SPARKBRIDGE_REMOTE",
    "SPARKBRIDGE_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
};
static const char *const harmless[] = {
    "HOME=/home/a",
    "PATH=/bin",
    "DATABRICKS_HOST=h",
    "DATABRICKS_CLUSTER_ID=c",
    "NO_PROXY=localhost",
    "DATABRICKS_TOKENS=x",
    "EMPTY=",
    "no equals sign",
    "DATABRICKS_OIDC_TOKEN_ENV=MY_OIDC",
    "SPARKBRIDGE_LISTEN=localhost:1",
};
enum {
    SECRETS = sizeof secret_names / sizeof secret_names[0],
    HARMLESS = sizeof harmless / sizeof harmless[0],
};

static void test_remember(void **state)
{
    char *environment[SECRETS + HARMLESS + 1] = {0};
    for (size_t i = 0; i < HARMLESS; i++)
        environment[i] = xstrdup(harmless[i]);
    for (size_t i = 0; i < SECRETS; i++)
        environment[HARMLESS + i] = xasprintf("%s=secret-%zu", secret_names[i], i);
    struct remembered_environment remembered;
    environment_remember(environment, &remembered);
    for (size_t i = 0; i < HARMLESS; i++) {
        assert_string_equal(environment[i], harmless[i]);
        assert_string_equal(remembered.variables[i], harmless[i]);
    }
    for (size_t i = 0; i < SECRETS; i++) {
        char *whole = xasprintf("%s=secret-%zu", secret_names[i], i);
        assert_string_equal(remembered.variables[HARMLESS + i], whole);
        size_t name = strlen(secret_names[i]) + 1;
        for (size_t at = name; at < strlen(whole); at++)
            assert_int_equal(environment[HARMLESS + i][at], 0);
        assert_memory_equal(environment[HARMLESS + i], whole, name);
        free(whole);
    }
    assert_null(remembered.variables[SECRETS + HARMLESS]);
    remembered_environment_finish(&remembered);
    for (size_t i = 0; i < SECRETS + HARMLESS; i++)
        free(environment[i]);
}

/* Whatever its name: the YAML file can take a token from any variable. */
static void test_wipe(void **state)
{
    char mine[] = "MINE=x dapi0123456789abcdef y", other[] = "OTHER=dapi0123x";
    char *environment[] = {mine, other, NULL};
    struct redaction redaction = {0};
    struct secret token = {0};
    secret_set(&token, "dapi0123456789abcdef", 20);
    redaction_begin(&redaction, &token);
    environment_wipe_secrets(environment);
    for (size_t i = strlen("MINE="); i < sizeof mine; i++)
        assert_int_equal(mine[i], 0);
    assert_string_equal(other, "OTHER=dapi0123x");
    redaction_end(&redaction);
    secret_finish(&token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_remember),
        cmocka_unit_test(test_wipe),
    };
    return cmocka_run_group_tests_name("environment", tests, NULL, NULL);
}
