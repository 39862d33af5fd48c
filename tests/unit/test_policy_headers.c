/* Which headers pass, in every spelling a client may try, and which come back. */
#include <stdio.h>

#include "common/log.h"
#include "conf/header_names.h"
#include "tests/unit/policy_requests.h"

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

/* Each by its name, and nothing else of its length: neither with another letter nor cut. */
static void test_known_headers(void **state)
{
    for (enum known_header header = KNOWN_METHOD; header <= KNOWN_DATE; header++) {
        char name[32];
        size_t len = strlen(known_header_name(header));
        memcpy(name, known_header_name(header), len);
        assert_int_equal(known_header(name, len), header);
        assert_int_equal(known_header(name, len - 1), KNOWN_NONE);
        for (size_t i = 0; i < len; i++) {
            name[i]++;
            assert_int_equal(known_header(name, len), KNOWN_NONE);
            name[i]--;
        }
    }
    assert_int_equal(known_header("", 0), KNOWN_NONE);
    assert_null(known_header_name(KNOWN_NONE));
}

static void test_ours_exactly_once(void **state)
{
    static const char *const tried[] = {
        "authorization",           "authorization",
        "x-databricks-cluster-id", "x_databricks_cluster_id",
        "x-databricks_cluster-id", "cookie",
        "proxy-authorization",     "host",
        "authentication",          "x-databricks-org-id",
        "authorization-bin",       "x-real-ip",
    };
    struct binding *binding = sample_binding();
    struct policy *policy = policy_for("x-trace", "a", NULL);
    struct header_list request = request_for("/spark.connect.SparkConnectService/Config");
    for (size_t i = 0; i < sizeof tried / sizeof tried[0]; i++)
        header_list_add_text(&request, tried[i], "from the client");
    header_list_add_text(&request, "x-trace", "kept");
    header_list_add_text(&request, "x-trace", "kept twice");
    header_list_add_text(&request, "grpc-timeout", "10M");
    header_list_add_text(&request, "x-of-the-string", "from the client");
    metadata_append(&binding->headers, "x-of-the-string", "ours", 4);

    nghttp2_nv fields[POLICY_MAX_FIELDS];
    const struct policy_request from = {
        .headers = &request, .binding = binding, .authority = "one.example.test"};
    policy_filter_request(policy, &request);
    size_t count = policy_request_fields(&from, fields);
    assert_int_equal(count_named(fields, count, "x-of-the-string"), 1);
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
    policy_filter_request(policy, &request);
    count = policy_request_fields(&serverless, fields);
    assert_int_equal(count_named(fields, count, "x-databricks-cluster-id"), 0);
    assert_int_equal(count_named(fields, count, "x-databricks-session-id"), 1);
    assert_memory_equal(field_named(fields, count, "x-databricks-session-id")->value, "the-session",
                        11);
    header_list_finish(&request);
    policy_destroy(policy);
    binding_unref(binding);
}

static void test_header_names(void **state)
{
    static const struct {
        const char *name;
        enum header_class class;
    } cases[] = {
        {"authorization", HEADER_OURS},
        {"AUTHORIZATION", HEADER_OURS},
        {"authorization-bin", HEADER_OURS},
        {"-authorization-", HEADER_OURS},
        {"authorization.", HEADER_OURS},
        {"x_databricks_cluster_id", HEADER_OURS},
        {"x-databricks--cluster-id", HEADER_OURS},
        {"X.Databricks~Cluster|Id", HEADER_OURS},
        {"proxy_authorization", HEADER_OURS},
        {"te", HEADER_OURS},
        {"x-databricks-org-id", HEADER_GUARDED},
        {"x_databricks_anything", HEADER_GUARDED},
        {"x-databricks", HEADER_GUARDED},
        {"x-forwarded-for", HEADER_GUARDED},
        {"x-real-ip", HEADER_GUARDED},
        {"forwarded", HEADER_GUARDED},
        {"proxy-anything", HEADER_GUARDED},
        {"x-databricksandmore", HEADER_PLAIN},
        {"authorizations", HEADER_PLAIN},
        {"x-team", HEADER_PLAIN},
        {"-bin", HEADER_PLAIN},
        {"", HEADER_PLAIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (header_name_class(cases[i].name, strlen(cases[i].name)) != cases[i].class)
            fail_msg("%s", cases[i].name);
    char *longest = xcalloc(1, 4097);
    memset(longest, 'a', 4096);
    assert_int_equal(header_name_class(longest, 4096), HEADER_PLAIN);
    free(longest);
}

static void test_passes(void **state)
{
    static const struct {
        const char *forward_header, *name;
        bool passes;
    } cases[] = {
        {"x-own", "x-own", true},
        {"x-own", "x-owner", false},
        {"x-own", "x_own", false},
        {"x-own-*", "x-own-", true},
        {"x-own-*", "x-own-1", true},
        {"x-own-*", "x-own", false},
        {"*", "x-anything", true},
        {"*", "x-databricks-org-id", false},
        {"*", "x_databricks_org_id", false},
        {"*", "x-forwarded-for", false},
        {"*", "authorization-bin", false},
        {"x-databricks-*", "x-databricks-org-id", false},
        {"x-databricks-org-id", "x-databricks-org-id", true},
        {"x-databricks-org-id", "x-databricks-cluster-id", false},
        {"x-own", "grpc-timeout", true},
        {"x-own", "grpc-trace-bin", true},
        {"x-own", "traceparent", true},
        {"x-own", "spark-connect-operation-id", true},
        {"x-own", "x-databricks-operation-id", true},
        {"x-own", "x-databricks-operation-id-bin", false},
        {"x-own", "te", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct policy *policy = policy_for(cases[i].forward_header, "a", NULL);
        if (policy_passes(policy, cases[i].name, strlen(cases[i].name)) != cases[i].passes)
            fail_msg("%s by %s", cases[i].name, cases[i].forward_header);
        policy_destroy(policy);
    }
}

/* The log is told of each name once, and of a few only: a client cannot fill it. */
static void test_reports(void **state)
{
    struct policy *policy = plain_policy();
    for (int i = 0; i < 3 * POLICY_MAX_REPORTS; i++) {
        struct header_list request = request_for(execute_plan);
        char name[96];
        snprintf(name, sizeof name, "x-%072d", i / 2);
        header_list_add_text(&request, name, "1");
        header_list_add_text(&request, "authorization", "Bearer mine");
        policy_filter_request(policy, &request);
        assert_null(header_list_find(&request, name));
        header_list_finish(&request);
    }
    assert_int_equal(policy->reported_count, 1); /* cut, they are all the same */
    for (int i = 0; i < 3 * POLICY_MAX_REPORTS; i++) {
        struct header_list request = request_for(execute_plan);
        char name[16];
        snprintf(name, sizeof name, "x-%d", i / 2);
        header_list_add_text(&request, name, "1");
        policy_filter_request(policy, &request);
        header_list_finish(&request);
    }
    assert_int_equal(policy->reported_count, POLICY_MAX_REPORTS);
    policy_destroy(policy);
}

static void test_responses(void **state)
{
    static const struct {
        const char *name;
        bool passes;
    } cases[] = {
        {":status", true},
        {"content-type", true},
        {"grpc-status", true},
        {"grpc-message", true},
        {"grpc-status-details-bin", true},
        {"x-of-the-server", true},
        {"date", true},
        {"x-databricks-last-seen-server-session-version", true},
        {"x-databricks-effective-usage-policy-id", true},
        {"x-databricks-org-id", true}, /* configured */
        {"x-databricks-other", false},
        {"set-cookie", false},
        {"alt-svc", false},
        {"server", false},
        {"www-authenticate", false},
        {"authorization", false},
        {"authorization-bin", false},
        {"location", false},
        {"content-length", false},
        {"access-control-allow-origin", false},
        {"strict-transport-security", false},
        {"proxy-authenticate", false},
        {"via", false},
    };
    struct policy *policy = policy_for("x-databricks-org-id", "a", NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct header_list response = {0};
        nghttp2_nv fields[2];
        header_list_add_text(&response, cases[i].name, "1");
        if (policy_response_fields(policy, &response, fields) != (size_t)cases[i].passes)
            fail_msg("%s", cases[i].name);
        header_list_finish(&response);
    }
    policy_destroy(policy);
}

static void test_header_list_changes(void **state)
{
    struct header_list list = {0};
    header_list_add_text(&list, "a", "1");
    header_list_add_text(&list, "b", "a value");
    header_list_add_text(&list, "c", "3");
    header_list_shorten(&list, 1, "vale", 4);
    assert_int_equal(list.bytes, 3 * HEADER_FIELD_OVERHEAD_BYTES + 3 + 1 + 4 + 1);
    assert_string_equal(header_list_find(&list, "b"), "vale");
    header_list_remove(&list, 0);
    assert_int_equal(list.count, 2);
    assert_null(header_list_find(&list, "a"));
    assert_string_equal(header_list_find(&list, "c"), "3");
    header_list_remove(&list, 1);
    header_list_remove(&list, 0);
    assert_int_equal(list.count, 0);
    assert_int_equal(list.bytes, 0);
    assert_null(memmem(list.text, list.text_len, "vale", 4));
    header_list_finish(&list);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_headers),
        cmocka_unit_test(test_ours_exactly_once),
        cmocka_unit_test(test_header_names),
        cmocka_unit_test(test_passes),
        cmocka_unit_test(test_reports),
        cmocka_unit_test(test_responses),
        cmocka_unit_test(test_header_list_changes),
        cmocka_unit_test(test_authority),
    };
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
