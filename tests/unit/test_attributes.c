/* The SDK's attributes, the layers that give them values, and the method they choose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "conf/auth_method.h"
#include "conf/environment.h"
#include "conf/layer.h"

/* String literals as the environment's type has them. */
#define ENVIRONMENT(...) ((char *const *)(const char *const[]){__VA_ARGS__, NULL})

/* --- the table --------------------------------------------------------------------------- */

static void test_table_is_consistent(void **state)
{
    for (int i = 0; i < ATTRIBUTE_COUNT; i++) {
        const struct attribute_info *info = attribute_info((enum attribute)i);
        assert_non_null(info->name);
        enum attribute found;
        assert_true(attribute_from_name(info->name, &found));
        assert_int_equal(found, i); /* names are unique */
        for (const char *c = info->name; *c != '\0'; c++)
            assert_true(islower((unsigned char)*c) || *c == '_');
        for (int j = 0; j < i && info->env != NULL; j++)
            if (attribute_info((enum attribute)j)->env != NULL)
                assert_string_not_equal(info->env, attribute_info((enum attribute)j)->env);
    }
    enum attribute ignored;
    assert_false(attribute_from_name("no_such_key", &ignored));
    assert_false(attribute_from_name("Host", &ignored));
}

static void test_secrets_are_marked(void **state)
{
    static const enum attribute secrets[] = {
        ATTR_TOKEN,
        ATTR_PASSWORD,
        ATTR_CLIENT_SECRET,
        ATTR_GOOGLE_CREDENTIALS,
        ATTR_AZURE_CLIENT_SECRET,
        ATTR_METADATA_SERVICE_URL,
    };
    size_t marked = 0;
    for (int i = 0; i < ATTRIBUTE_COUNT; i++)
        marked += attribute_info((enum attribute)i)->sensitive;
    assert_int_equal(marked, sizeof secrets / sizeof secrets[0]);
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        assert_true(attribute_info(secrets[i])->sensitive);
}

/* --- the environment --------------------------------------------------------------------- */

static void test_environment(void **state)
{
    char *const *environment = ENVIRONMENT("HOST=a", "HOSTS=b", "EMPTY=", "HOST=second", "ODD");
    assert_string_equal(environment_get(environment, "HOST"), "a");
    assert_string_equal(environment_get(environment, "HOSTS"), "b");
    assert_null(environment_get(environment, "EMPTY"));
    assert_string_equal(environment_get_raw(environment, "EMPTY"), "");
    assert_true(environment_has(environment, "EMPTY"));
    assert_null(environment_get_raw(environment, "HOS"));
    assert_null(environment_get(environment, "ODD"));
    assert_null(environment_get(NULL, "HOST"));
    assert_false(environment_has(NULL, "HOST"));
}

/* --- layers ------------------------------------------------------------------------------ */

static void add_environment(struct layer *layer, char *const *environment)
{
    *layer = (struct layer){0};
    layer_add_environment(layer, environment);
}

static void test_layer_of_environment(void **state)
{
    struct layer layer;
    add_environment(&layer, ENVIRONMENT("DATABRICKS_HOST=h", "DATABRICKS_TOKEN=", "OTHER=x",
                                        "DATABRICKS_OIDC_TOKEN_FILE=alias"));
    assert_string_equal(layer_text(&layer, ATTR_HOST), "h");
    assert_string_equal(layer_setting(&layer, ATTR_HOST)->source,
                        "DATABRICKS_HOST from the environment");
    assert_null(layer_setting(&layer, ATTR_TOKEN));
    assert_string_equal(layer_setting(&layer, ATTR_OIDC_TOKEN_FILEPATH)->source,
                        "DATABRICKS_OIDC_TOKEN_FILE from the environment");
    layer_finish(&layer);
    add_environment(&layer, ENVIRONMENT("DATABRICKS_OIDC_TOKEN_FILE=alias",
                                        "DATABRICKS_OIDC_TOKEN_FILEPATH=name"));
    assert_string_equal(layer_text(&layer, ATTR_OIDC_TOKEN_FILEPATH), "name");
    layer_finish(&layer);
}

static void test_first_layer_wins(void **state)
{
    static const char text[] = "[p]\nhost = file\ntoken = file\ncluster_id =\nother = x\n";
    struct databrickscfg *cfg;
    struct err err;
    assert_true(databrickscfg_parse("FILE", text, sizeof text - 1, &cfg, &err));
    struct layer layer;
    add_environment(&layer, ENVIRONMENT("DATABRICKS_HOST=environment"));
    layer_add_profile(&layer, databrickscfg_profile(cfg, "p"), "~/FILE");
    databrickscfg_destroy(cfg);
    assert_string_equal(layer_text(&layer, ATTR_HOST), "environment");
    assert_string_equal(layer_text(&layer, ATTR_TOKEN), "file");
    assert_string_equal(layer_setting(&layer, ATTR_TOKEN)->source, "profile p, ~/FILE:3");
    /* An empty value is there, and is none. */
    assert_non_null(layer_setting(&layer, ATTR_CLUSTER_ID));
    assert_null(layer_value(&layer, ATTR_CLUSTER_ID));
    assert_null(layer_text(&layer, ATTR_CLUSTER_ID));

    struct layer copy = {0};
    layer_add_layer(&copy, &layer);
    struct layer second;
    add_environment(&second, ENVIRONMENT("DATABRICKS_HOST=second", "DATABRICKS_CLIENT_ID=id"));
    layer_add_layer(&copy, &second);
    assert_string_equal(layer_text(&copy, ATTR_HOST), "environment");
    assert_string_equal(layer_text(&copy, ATTR_CLIENT_ID), "id");
    layer_finish(&second);
    layer_finish(&copy);
    layer_finish(&layer);
}

/* --- the method -------------------------------------------------------------------------- */

static const char *const sources = " from the environment";

/* `decided_by` is the variable that decided, NULL where that does not matter. */
static void check_method(char *const *environment, const char *method, const char *decided_by)
{
    struct layer layer;
    struct auth_choice choice;
    add_environment(&layer, environment);
    auth_choose(&layer, environment, &choice);
    if (method == NULL) {
        assert_int_equal(choice.outcome, AUTH_NONE);
    } else {
        assert_int_equal(choice.outcome, AUTH_CHOSEN);
        assert_string_equal(choice.method, method);
        assert_true(auth_method_exists(choice.method));
    }
    if (decided_by != NULL) {
        assert_memory_equal(choice.source, decided_by, strlen(decided_by));
        assert_string_equal(choice.source + strlen(decided_by), sources);
    }
    auth_choice_finish(&choice);
    layer_finish(&layer);
}

static void test_method_by_attributes(void **state)
{
    check_method(ENVIRONMENT("DATABRICKS_HOST=h"), NULL, NULL);
    check_method(ENVIRONMENT("DATABRICKS_TOKEN=t"), "pat", "DATABRICKS_TOKEN");
    check_method(ENVIRONMENT("DATABRICKS_USERNAME=u", "DATABRICKS_PASSWORD=p"), "basic",
                 "DATABRICKS_PASSWORD");
    check_method(ENVIRONMENT("DATABRICKS_USERNAME=u"), NULL, NULL);
    check_method(ENVIRONMENT("DATABRICKS_CLIENT_ID=i", "DATABRICKS_CLIENT_SECRET=s"), "oauth-m2m",
                 "DATABRICKS_CLIENT_SECRET");
    check_method(ENVIRONMENT("DATABRICKS_CLIENT_ID=i"), NULL, NULL);
    check_method(ENVIRONMENT("ARM_CLIENT_ID=i", "ARM_CLIENT_SECRET=s"), "azure-client-secret",
                 "ARM_CLIENT_SECRET");
    check_method(ENVIRONMENT("DATABRICKS_METADATA_SERVICE_URL=u"), "metadata-service", NULL);
    check_method(ENVIRONMENT("DATABRICKS_OIDC_TOKEN_FILEPATH=/f"), "file-oidc", NULL);
    check_method(ENVIRONMENT("GOOGLE_CREDENTIALS=x"), "google-credentials", NULL);
    check_method(ENVIRONMENT("DATABRICKS_GOOGLE_SERVICE_ACCOUNT=x"), "google-id", NULL);
}

static void test_method_by_variables(void **state)
{
    check_method(ENVIRONMENT("DATABRICKS_OIDC_TOKEN=x"), "env-oidc", NULL);
    check_method(ENVIRONMENT("DATABRICKS_OIDC_TOKEN_ENV=MINE", "MINE=x"), "env-oidc",
                 "DATABRICKS_OIDC_TOKEN_ENV");
    check_method(ENVIRONMENT("DATABRICKS_OIDC_TOKEN_ENV=MINE", "DATABRICKS_OIDC_TOKEN=x"), NULL,
                 NULL);
    check_method(ENVIRONMENT("DATABRICKS_CLIENT_ID=i", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=t",
                             "ACTIONS_ID_TOKEN_REQUEST_URL=u"),
                 "github-oidc", "DATABRICKS_CLIENT_ID");
    check_method(ENVIRONMENT("DATABRICKS_CLIENT_ID=i", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=t"), NULL,
                 NULL);
    check_method(ENVIRONMENT("DATABRICKS_CLIENT_ID=i", "SYSTEM_ACCESSTOKEN=t",
                             "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI=u", "SYSTEM_TEAMPROJECTID=p",
                             "SYSTEM_PLANID=p", "SYSTEM_JOBID=j", "SYSTEM_HOSTTYPE=build"),
                 "azure-devops-oidc", NULL);
}

static void test_azure_cli(void **state)
{
    check_method(ENVIRONMENT("DATABRICKS_HOST=adb-1.2.azuredatabricks.net",
                             "DATABRICKS_AZURE_RESOURCE_ID=/s/r/w"),
                 "azure-cli", "DATABRICKS_AZURE_RESOURCE_ID");
    check_method(ENVIRONMENT("DATABRICKS_HOST=adb-1.2.azuredatabricks.net",
                             "DATABRICKS_AUTH_TYPE=azure-cli"),
                 "azure-cli", "DATABRICKS_AUTH_TYPE");
    check_method(ENVIRONMENT("DATABRICKS_HOST=adb-1.2.azuredatabricks.net"), NULL, NULL);
    check_method(ENVIRONMENT("DATABRICKS_HOST=one.example.test", "ARM_TENANT_ID=t"), NULL, NULL);
}

static void test_auth_type_filters(void **state)
{
    check_method(ENVIRONMENT("DATABRICKS_TOKEN=t", "DATABRICKS_CLIENT_ID=i",
                             "DATABRICKS_CLIENT_SECRET=s", "DATABRICKS_AUTH_TYPE=oauth-m2m"),
                 "oauth-m2m", NULL);
    check_method(ENVIRONMENT("DATABRICKS_TOKEN=t", "DATABRICKS_AUTH_TYPE=oauth-m2m"), NULL, NULL);
    check_method(ENVIRONMENT("DATABRICKS_TOKEN=t", "DATABRICKS_AUTH_TYPE=no-such"), NULL, NULL);
    check_method(ENVIRONMENT("DATABRICKS_AUTH_TYPE=databricks-cli"), "databricks-cli",
                 "DATABRICKS_AUTH_TYPE");
    check_method(ENVIRONMENT("DATABRICKS_AUTH_TYPE=external-browser"), "external-browser", NULL);
    assert_false(auth_method_exists("no-such"));
}

static void check_conflict(char *const *environment, const char *families)
{
    struct layer layer;
    struct auth_choice choice;
    add_environment(&layer, environment);
    auth_choose(&layer, environment, &choice);
    assert_int_equal(choice.outcome, AUTH_CONFLICT);
    assert_string_equal(choice.families, families);
    auth_choice_finish(&choice);
    layer_finish(&layer);
}

static void test_families_conflict(void **state)
{
    check_conflict(ENVIRONMENT("DATABRICKS_TOKEN=t", "DATABRICKS_CLIENT_ID=i"), "oauth and pat");
    check_conflict(ENVIRONMENT("DATABRICKS_USERNAME=u", "ARM_TENANT_ID=t", "DATABRICKS_TOKEN=t"),
                   "azure and basic and pat");
}

static void test_groups(void **state)
{
    char *const *token = ENVIRONMENT("DATABRICKS_TOKEN=t", "DATABRICKS_GROUP_ID=7");
    check_method(token, NULL, NULL); /* the chain declines tokens */
    check_method(ENVIRONMENT("DATABRICKS_CLIENT_ID=i", "DATABRICKS_CLIENT_SECRET=s",
                             "DATABRICKS_GROUP_ID=7"),
                 "oauth-m2m", NULL);
    struct layer layer;
    struct auth_choice choice;
    char *const *forced =
        ENVIRONMENT("DATABRICKS_TOKEN=t", "DATABRICKS_GROUP_ID=7", "DATABRICKS_AUTH_TYPE=pat");
    add_environment(&layer, forced);
    auth_choose(&layer, forced, &choice);
    assert_int_equal(choice.outcome, AUTH_NO_GROUP);
    assert_string_equal(choice.method, "pat");
    layer_finish(&layer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_is_consistent),
        cmocka_unit_test(test_secrets_are_marked),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_layer_of_environment),
        cmocka_unit_test(test_first_layer_wins),
        cmocka_unit_test(test_method_by_attributes),
        cmocka_unit_test(test_method_by_variables),
        cmocka_unit_test(test_azure_cli),
        cmocka_unit_test(test_auth_type_filters),
        cmocka_unit_test(test_families_conflict),
        cmocka_unit_test(test_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
