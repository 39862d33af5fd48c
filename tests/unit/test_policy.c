/* What passes: paths, and headers in every spelling a client may try. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "daemon/policy.h"

static struct header_list request_for(const char *path)
{
    struct header_list list = {0};
    header_list_add_text(&list, ":method", "POST");
    header_list_add_text(&list, ":scheme", "http");
    header_list_add_text(&list, ":path", path);
    header_list_add_text(&list, ":authority", "localhost:15002");
    header_list_add_text(&list, "content-type", "application/grpc");
    header_list_add_text(&list, "te", "trailers");
    return list;
}

static struct binding *sample_binding(void)
{
    struct binding *binding = binding_create();
    binding->host = xstrdup("one.example.test");
    binding->port = 443;
    binding->compute = COMPUTE_CLUSTER;
    binding->cluster_id = xstrdup("0101-cluster");
    secret_set(&binding->authorization, "Bearer secret", 13);
    return binding;
}

static void test_paths(void **state)
{
    static const struct {
        const char *path;
        enum policy_verdict verdict;
    } cases[] = {
        {"/spark.connect.SparkConnectService/ExecutePlan", POLICY_FORWARD},
        {"/spark.connect.SparkConnectService/SomethingNew", POLICY_FORWARD},
        {"/spark.connect.SparkConnectService/", POLICY_REFUSE},
        {"/spark.connect.SparkConnectService", POLICY_REFUSE},
        {"/spark.connect.SparkConnectService/Execute/Plan", POLICY_REFUSE},
        {"/spark.connect.SparkConnectService/../api", POLICY_REFUSE},
        {"/spark.connect.SparkConnectService/%41", POLICY_REFUSE},
        {"/spark.connect.SparkConnectService/A?x=1", POLICY_REFUSE},
        {"//spark.connect.SparkConnectService/ExecutePlan", POLICY_REFUSE},
        {"/SPARK.connect.SparkConnectService/ExecutePlan", POLICY_REFUSE},
        {"/api/2.0/secrets/list", POLICY_REFUSE},
        {"*", POLICY_REFUSE},
        {"", POLICY_REFUSE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct header_list request = request_for(cases[i].path);
        struct rpc_status status;
        assert_int_equal(policy_check(&request, &status), cases[i].verdict);
        if (cases[i].verdict == POLICY_REFUSE)
            assert_int_equal(status.code, GRPC_UNIMPLEMENTED);
        header_list_finish(&request);
    }
}

static void test_not_grpc(void **state)
{
    struct header_list request = {0};
    struct rpc_status status;
    header_list_add_text(&request, ":method", "GET");
    header_list_add_text(&request, ":path", "/");
    assert_int_equal(policy_check(&request, &status), POLICY_NOT_GRPC);
    header_list_finish(&request);
}

static size_t count_named(const nghttp2_nv *fields, size_t count, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += fields[i].namelen == strlen(name) && memcmp(fields[i].name, name, strlen(name)) == 0;
    return n;
}

static const nghttp2_nv *field_named(const nghttp2_nv *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (fields[i].namelen == strlen(name) && memcmp(fields[i].name, name, strlen(name)) == 0)
            return &fields[i];
    return NULL;
}

static void test_ours_exactly_once(void **state)
{
    static const char *const tried[] = {
        "authorization",           "authorization",
        "x-databricks-cluster-id", "x_databricks_cluster_id",
        "x-databricks_cluster-id", "cookie",
        "proxy-authorization",     "host",
        "authentication",
    };
    struct binding *binding = sample_binding();
    struct header_list request = request_for("/spark.connect.SparkConnectService/Config");
    for (size_t i = 0; i < sizeof tried / sizeof tried[0]; i++)
        header_list_add_text(&request, tried[i], "from the client");
    header_list_add_text(&request, "x-trace", "kept");
    header_list_add_text(&request, "x-trace", "kept twice");
    header_list_add_text(&request, "grpc-timeout", "10M");

    nghttp2_nv fields[POLICY_MAX_FIELDS];
    const struct policy_request from = {
        .headers = &request, .binding = binding, .authority = "one.example.test"};
    size_t count = policy_request_fields(&from, fields);
    assert_int_equal(count_named(fields, count, "authorization"), 1);
    assert_int_equal(count_named(fields, count, "x-databricks-cluster-id"), 1);
    assert_int_equal(count_named(fields, count, ":authority"), 1);
    assert_int_equal(count_named(fields, count, "x-trace"), 2);
    assert_int_equal(count_named(fields, count, "grpc-timeout"), 1);
    assert_int_equal(count_named(fields, count, "te"), 1);
    for (size_t i = 0; i < count; i++) {
        assert_false(fields[i].valuelen == strlen("from the client") &&
                     memcmp(fields[i].value, "from the client", fields[i].valuelen) == 0);
        assert_null(memchr(fields[i].name, '_', fields[i].namelen));
    }
    assert_memory_equal(field_named(fields, count, "authorization")->value, "Bearer secret", 13);
    assert_true(field_named(fields, count, "authorization")->flags & NGHTTP2_NV_FLAG_NO_INDEX);
    assert_memory_equal(field_named(fields, count, ":scheme")->value, "https", 5);
    assert_memory_equal(field_named(fields, count, "x-databricks-cluster-id")->value,
                        "0101-cluster", 12);

    /* Serverless: the session id instead, also where the client sent one. */
    header_list_add_text(&request, "x-databricks-session-id", "from the client");
    binding->compute = COMPUTE_SERVERLESS;
    const struct policy_request serverless = {.headers = &request,
                                              .binding = binding,
                                              .authority = "one.example.test",
                                              .session_id = "the-session"};
    count = policy_request_fields(&serverless, fields);
    assert_int_equal(count_named(fields, count, "x-databricks-cluster-id"), 0);
    assert_int_equal(count_named(fields, count, "x-databricks-session-id"), 1);
    assert_memory_equal(field_named(fields, count, "x-databricks-session-id")->value, "the-session",
                        11);
    header_list_finish(&request);
    binding_unref(binding);
}

static void test_authority(void **state)
{
    char text[300];
    struct binding *binding = sample_binding();
    policy_authority(binding, text, sizeof text);
    assert_string_equal(text, "one.example.test");
    binding->port = 8443;
    policy_authority(binding, text, sizeof text);
    assert_string_equal(text, "one.example.test:8443");
    free(binding->host);
    binding->host = xstrdup("::1");
    policy_authority(binding, text, sizeof text);
    assert_string_equal(text, "[::1]:8443");
    binding_unref(binding);
}

static void test_limits(void **state)
{
    struct header_list list = request_for("/spark.connect.SparkConnectService/Config");
    struct rpc_status status;
    for (int i = 0; i < HEADER_LIST_MAX_FIELDS; i++)
        header_list_add_text(&list, "x", "y");
    assert_true(list.too_large);
    assert_int_equal(list.count, HEADER_LIST_MAX_FIELDS);
    assert_int_equal(policy_check(&list, &status), POLICY_REFUSE);
    assert_int_equal(status.code, GRPC_RESOURCE_EXHAUSTED);
    header_list_finish(&list);

    char *big = xcalloc(1, HEADER_LIST_MAX_BYTES + 1);
    memset(big, 'v', HEADER_LIST_MAX_BYTES);
    header_list_add_text(&list, "big", big);
    assert_true(list.too_large);
    assert_int_equal(list.count, 0);
    free(big);
    header_list_finish(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_not_grpc),
        cmocka_unit_test(test_ours_exactly_once),
        cmocka_unit_test(test_authority),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
