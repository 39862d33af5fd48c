/* Every case of tests/vectors/resolution.json, each a test of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "conf/host.h"
#include "conf/resolve.h"
#include "conf/sdk_config.h"

enum { MAX_VARIABLES = 16, MAX_SETTINGS = 16 };

/* What a case gives to resolve(). All is freed with it. */
struct given {
    char *home, *file; /* a directory of the case's own, and the profile file in it or NULL */
    char *environment[MAX_VARIABLES];
    struct resolve_request request;
    struct secret token;
    struct sdk_setting settings[MAX_SETTINGS];
    struct secret values[MAX_SETTINGS];
    struct metadata headers;
};

static json_t *vectors;

static const char *text_at(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void give_file(struct given *given, const json_t *item)
{
    const char *name = text_at(item, "file");
    if (name == NULL)
        return;
    const char *at = text_at(item, "file_at");
    given->file = xasprintf("%s/%s", given->home, at != NULL ? at : ".databrickscfg");
    const char *text = text_at(json_object_get(vectors, "files"), name);
    assert_non_null(text);
    write_file(given->file, text);
}

static void give_environment(struct given *given, const json_t *item)
{
    size_t count = 0;
    given->environment[count++] = xasprintf("HOME=%s", given->home);
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(item, "environment"), name, value)
    {
        assert_true(count + 1 < MAX_VARIABLES);
        given->environment[count++] = xasprintf("%s=%s", name, json_string_value(value));
    }
    given->request.environment = given->environment;
}

static void give_settings(struct given *given, const json_t *settings)
{
    const char *name;
    json_t *value;
    size_t count = 0;
    json_object_foreach((json_t *)(uintptr_t)settings, name, value)
    {
        assert_true(count < MAX_SETTINGS);
        assert_true(attribute_from_name(name, &given->settings[count].attribute));
        secret_set(&given->values[count], json_string_value(value), json_string_length(value));
        given->settings[count].value = &given->values[count];
        count++;
    }
    given->request.sdk_config = given->settings;
    given->request.sdk_config_count = count;
}

static void give(struct given *given, const json_t *item)
{
    char template[] = "/tmp/sparkbridge-vectors-XXXXXX";
    *given = (struct given){0};
    given->home = xstrdup(mkdtemp(template));
    give_file(given, item);
    give_environment(given, item);
    const json_t *say = json_object_get(item, "say");
    struct resolve_request *request = &given->request;
    request->resolution =
        strcmp(text_at(item, "chain"), "documented") == 0 ? RESOLUTION_DOCUMENTED : RESOLUTION_SDK;
    request->remote = text_at(say, "remote");
    request->host = text_at(say, "host");
    request->cluster_id = text_at(say, "cluster_id");
    request->profile = text_at(say, "profile");
    request->serverless = json_is_true(json_object_get(say, "serverless"));
    if (text_at(say, "token") != NULL) {
        secret_set(&given->token, text_at(say, "token"), strlen(text_at(say, "token")));
        request->token = &given->token;
    }
    give_settings(given, json_object_get(say, "sdk_config"));
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(say, "headers"), name, value)
    {
        metadata_append(&given->headers, name, json_string_value(value), json_string_length(value));
    }
    request->headers = &given->headers;
}

static void take_back(struct given *given)
{
    if (given->file != NULL)
        unlink(given->file);
    rmdir(given->home);
    free(given->file);
    free(given->home);
    for (size_t i = 0; i < MAX_VARIABLES; i++)
        free(given->environment[i]);
    secret_finish(&given->token);
    for (size_t i = 0; i < MAX_SETTINGS; i++)
        secret_finish(&given->values[i]);
    metadata_finish(&given->headers);
}

/* --- comparing --------------------------------------------------------------------------- */

static void check_secret(const json_t *expected, const struct secret *secret)
{
    if (expected == NULL)
        return;
    assert_true(secret_is_set(secret));
    assert_string_equal(secret->bytes, json_string_value(expected));
}

static void check_text(const json_t *expected, const char *text)
{
    if (expected == NULL)
        return;
    if (json_is_null(expected)) {
        assert_null(text);
    } else {
        assert_non_null(text);
        assert_string_equal(text, json_string_value(expected));
    }
}

/* The kind and a part of the sentence; @FILE@ stands for the path of the case's file. */
static void check_error(const json_t *expect, const char *kind, const char *message,
                        const struct given *given)
{
    assert_non_null(kind);
    if (json_is_true(json_object_get(expect, "refused"))) {
        assert_string_equal(kind, "profile");
        char *place = xasprintf("%s:", given->file);
        assert_memory_equal(message, place, strlen(place));
        free(place);
        return;
    }
    check_text(json_object_get(expect, "kind"), kind);
    const char *sentence = text_at(expect, "sentence");
    if (sentence == NULL)
        return;
    const char *mark = strstr(sentence, "@FILE@");
    char *part = mark != NULL ? xasprintf("%.*s%s%s", (int)(mark - sentence), sentence, given->file,
                                          mark + strlen("@FILE@"))
                              : xstrdup(sentence);
    if (strstr(message, part) == NULL)
        fail_msg("\"%s\" does not contain \"%s\"", message, part);
    free(part);
}

static void check_header_names(const json_t *expected, const struct binding *binding)
{
    if (expected == NULL)
        return;
    assert_int_equal(json_array_size(expected), binding->headers.count + 2);
    assert_string_equal(json_string_value(json_array_get(expected, 0)), "authorization");
    assert_string_equal(json_string_value(json_array_get(expected, 1)),
                        binding->compute == COMPUTE_SERVERLESS ? "x-databricks-session-id"
                                                               : "x-databricks-cluster-id");
}

static void check_binding(const json_t *expect, const struct binding *binding)
{
    check_text(json_object_get(expect, "host"), binding->host);
    check_text(json_object_get(expect, "cluster_id"), binding->cluster_id);
    check_secret(json_object_get(expect, "token"), &binding->token);
    assert_int_equal(binding->compute == COMPUTE_SERVERLESS,
                     json_is_true(json_object_get(expect, "serverless")));
    check_header_names(json_object_get(expect, "headers"), binding);
    assert_non_null(binding->host_source);
    assert_non_null(binding->token_source);
    assert_non_null(binding->compute_source);
    assert_string_equal(binding->auth_type, "pat");
    assert_memory_equal(binding->authorization.bytes, "Bearer ", 7);
    assert_string_equal(binding->authorization.bytes + 7, binding->token.bytes);
}

static bool expects_error(const json_t *expect)
{
    return json_object_get(expect, "kind") != NULL || json_object_get(expect, "sentence") != NULL ||
           json_object_get(expect, "refused") != NULL;
}

static void test_resolution(const json_t *item, const struct given *given)
{
    struct resolve_result result;
    bool complete = resolve(&given->request, &result);
    const json_t *expect = json_object_get(item, "expect");
    assert_int_equal(complete, result.binding != NULL);
    if (expects_error(expect)) {
        check_error(expect, result.error_kind, result.err.message, given);
    } else if (result.binding != NULL) {
        check_binding(expect, result.binding);
    } else {
        fail_msg("%s: %s", result.error_kind, result.err.message);
    }
    resolve_result_finish(&result);
}

static void check_config(const json_t *expect, const struct sdk_config *config)
{
    check_text(json_object_get(expect, "auth_type"), config->auth_type);
    check_text(json_object_get(expect, "host"), layer_text(&config->attributes, ATTR_HOST));
    check_text(json_object_get(expect, "profile"), layer_text(&config->attributes, ATTR_PROFILE));
    check_text(json_object_get(expect, "token"), layer_text(&config->attributes, ATTR_TOKEN));
    json_t *azure = json_object_get(expect, "is_azure"), *gcp = json_object_get(expect, "is_gcp");
    enum cloud cloud = host_cloud(layer_text(&config->attributes, ATTR_HOST));
    if (azure != NULL)
        assert_int_equal(cloud == CLOUD_AZURE, json_is_true(azure));
    if (gcp != NULL)
        assert_int_equal(cloud == CLOUD_GCP, json_is_true(gcp));
}

static void test_config(const json_t *item, const struct given *given)
{
    struct layer arguments = {0};
    for (size_t i = 0; i < given->request.sdk_config_count; i++)
        layer_set(&arguments, given->settings[i].attribute, given->settings[i].value, "argument");
    struct profile_file file;
    profile_file_init(&file, NULL, given->request.environment);
    struct sdk_config config;
    struct err err;
    const char *kind = NULL;
    bool ok = sdk_config_load(&arguments, given->request.environment, &file, &config, &kind, &err);
    const json_t *expect = json_object_get(item, "expect");
    if (expects_error(expect)) {
        assert_false(ok);
        check_error(expect, kind, err.message, given);
    } else {
        if (!ok)
            fail_msg("%s: %s", kind, err.message);
        check_config(expect, &config);
    }
    if (ok)
        sdk_config_finish(&config);
    profile_file_finish(&file);
    layer_finish(&arguments);
}

static void test_case(void **state)
{
    const json_t *item = *state;
    struct given given;
    give(&given, item);
    if (strcmp(text_at(item, "chain"), "config") == 0)
        test_config(item, &given);
    else
        test_resolution(item, &given);
    take_back(&given);
}

int main(void)
{
    json_error_t error;
    vectors = json_load_file("tests/vectors/resolution.json", JSON_REJECT_DUPLICATES, &error);
    if (vectors == NULL) {
        fprintf(stderr, "tests/vectors/resolution.json:%d: %s\n", error.line, error.text);
        return EXIT_FAILURE;
    }
    json_t *cases = json_object_get(vectors, "cases"), *item;
    size_t count = json_array_size(cases), i;
    struct CMUnitTest *tests = xcalloc(count, sizeof tests[0]);
    json_array_foreach(cases, i, item)
    {
        tests[i] = (struct CMUnitTest){
            .name = text_at(item, "name"),
            .test_func = test_case,
            .initial_state = item,
        };
    }
    int failed = _cmocka_run_group_tests("vectors", tests, count, NULL, NULL);
    free(tests);
    json_decref(vectors);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
