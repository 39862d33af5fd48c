/* What a resolution and a profile file show to people and programs: never a secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "conf/explain.h"
#include "conf/profiles.h"
#include "conf/resolve.h"
#include "tests/unit/resolve_fixture.h"

static void resolves(struct fixture *fixture)
{
    assert_true(resolve(&fixture->request, &fixture->result));
}

static json_t *explained(const struct resolve_result *result)
{
    json_t *object = explain_json(result);
    char *text = json_dumps(object, 0);
    assert_non_null(text);
    assert_null(strstr(text, token_text));
    free(text);
    return object;
}

static const char *text_in(const json_t *object, const char *outer, const char *key)
{
    return json_string_value(json_object_get(json_object_get(object, outer), key));
}

static void test_explain_complete(void **state)
{
    struct fixture *fixture = *state;
    resolves(fixture);
    json_t *object = explained(&fixture->result);
    assert_true(json_is_true(json_object_get(object, "complete")));
    assert_string_equal(text_in(object, "host", "value"), "one.example.test");
    assert_string_equal(text_in(object, "host", "source"), "--host");
    assert_string_equal(text_in(object, "cluster_id", "value"), "cl-1");
    assert_string_equal(text_in(object, "compute", "kind"), "cluster");
    char fingerprint[SECRET_FINGERPRINT_SIZE];
    secret_fingerprint(&fixture->token, fingerprint);
    assert_string_equal(text_in(object, "token", "fingerprint"), fingerprint);
    assert_null(json_object_get(object, "error"));
    json_decref(object);
    char *table = explain_table(&fixture->result);
    assert_non_null(strstr(table, "one.example.test:443"));
    assert_non_null(strstr(table, fingerprint));
    assert_null(strstr(table, token_text));
    free(table);
}

static void test_explain_incomplete(void **state)
{
    struct fixture *fixture = *state;
    fixture->request.cluster_id = NULL;
    assert_false(resolve(&fixture->request, &fixture->result));
    json_t *object = explained(&fixture->result);
    assert_true(json_is_false(json_object_get(object, "complete")));
    assert_string_equal(text_in(object, "error", "kind"), "compute");
    assert_int_equal(
        json_array_size(json_object_get(json_object_get(object, "error"), "passed_over")), 0);
    assert_string_equal(text_in(json_object_get(object, "found"), "host", "value"),
                        "one.example.test");
    json_decref(object);
}

static void test_explain_what_is_no_utf8(void **state)
{
    struct fixture *fixture = *state;
    fixture->request.host_source = "file\n\x1b[31m\xff:1";
    resolves(fixture);
    json_t *object = explained(&fixture->result);
    assert_string_equal(text_in(object, "host", "source"), "file??[31m?:1");
    json_decref(object);
    char *table = explain_table(&fixture->result);
    assert_null(strchr(table, '\x1b'));
    free(table);
}

static void test_compare(void **state)
{
    struct fixture *fixture = *state;
    struct resolve_result sdk;
    resolves(fixture);
    fixture->request.resolution = RESOLUTION_SDK;
    fixture->request.cluster_id = "cl-2";
    assert_true(resolve(&fixture->request, &sdk));
    json_t *object = explain_compare_json(&fixture->result, &sdk);
    json_t *differences = json_object_get(object, "differences");
    assert_int_equal(json_array_size(differences), 1);
    assert_string_equal(json_string_value(json_array_get(differences, 0)), "compute");
    json_decref(object);
    char *text = explain_compare_table(&fixture->result, &sdk);
    assert_non_null(strstr(text, "the resolutions differ in: compute\n"));
    free(text);
    text = explain_compare_table(&sdk, &sdk);
    assert_non_null(strstr(text, "both resolutions agree\n"));
    free(text);
    resolve_result_finish(&sdk);
}

static const char profiles_text[] = "[DEFAULT]\nhost = https://one.example.test\n"
                                    "token = very-secret-token\ncluster_id = c\n"
                                    "[m2m]\nhost = two.example.test:8443\nclient_id = i\n"
                                    "client_secret = very-secret-token\n"
                                    "[odd]\nhost = https://u:very-secret-token@x\n"
                                    "serverless_compute_id = auto\ncluster_id = c\n";

static void test_profiles(void **state)
{
    char path[] = "/tmp/sparkbridge-profiles-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, profiles_text, strlen(profiles_text)), strlen(profiles_text));
    close(fd);
    struct profile_list list;
    struct err err;
    assert_true(profile_list_load(path, ENVIRONMENT("DATABRICKS_CONFIG_PROFILE=m2m"), &list, &err));
    unlink(path);
    assert_int_equal(list.count, 3);
    assert_false(list.readable_by_others);
    assert_string_equal(list.items[0].host, "one.example.test");
    assert_string_equal(list.items[0].auth_type, "pat");
    assert_false(list.items[0].is_default);
    assert_string_equal(list.items[1].host, "two.example.test:8443");
    assert_string_equal(list.items[1].auth_type, "oauth-m2m");
    assert_true(list.items[1].is_default);
    assert_null(list.items[1].problem);
    assert_null(list.items[2].host);
    assert_non_null(list.items[2].problem);
    char *texts[] = {profile_list_json(&list), profile_list_table(&list)};
    for (int i = 0; i < 2; i++) {
        assert_non_null(strstr(texts[i], "two.example.test:8443"));
        assert_null(strstr(texts[i], token_text));
        free(texts[i]);
    }
    profile_list_finish(&list);
    assert_false(profile_list_load(path, NULL, &list, &err));
    assert_int_equal(err.exit_code, EX_NOINPUT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_explain_complete),        TEST(test_explain_incomplete),
        TEST(test_explain_what_is_no_utf8), TEST(test_compare),
        cmocka_unit_test(test_profiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
