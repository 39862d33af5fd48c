/* Which requests pass: paths, forms, authorities, and the clients' secret. */
#include "tests/unit/policy_requests.h"

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
    struct policy *policy = plain_policy();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct header_list request = request_for(cases[i].path);
        struct rpc_status status;
        assert_int_equal(policy_check(policy, &request, POLICY_BY_TCP, &status), cases[i].verdict);
        if (cases[i].verdict == POLICY_REFUSE)
            assert_int_equal(status.code, GRPC_UNIMPLEMENTED);
        header_list_finish(&request);
    }
    policy_destroy(policy);
}

/* What a changed field makes of a good request: a verdict, or the code of the refusal. */
static void test_form(void **state)
{
    static const struct {
        const char *name, *value; /* NULL: without it */
        enum policy_verdict verdict;
        enum grpc_code code;
    } cases[] = {
        {":method", "GET", POLICY_NOT_GRPC, GRPC_OK},
        {":method", "post", POLICY_NOT_GRPC, GRPC_OK},
        {":method", NULL, POLICY_NOT_GRPC, GRPC_OK},
        {"content-type", NULL, POLICY_NOT_GRPC, GRPC_OK},
        {"content-type", "application/json", POLICY_NOT_GRPC, GRPC_OK},
        {"content-type", "application/grpc-web", POLICY_NOT_GRPC, GRPC_OK},
        {"content-type", "application/grpc-web+proto", POLICY_NOT_GRPC, GRPC_OK},
        {"content-type", "application/grpcx", POLICY_NOT_GRPC, GRPC_OK},
        {"content-type", "application/grpc+proto", POLICY_FORWARD, GRPC_OK},
        {"content-type", "application/grpc;charset=utf-8", POLICY_FORWARD, GRPC_OK},
        {"te", NULL, POLICY_REFUSE, GRPC_INVALID_ARGUMENT},
        {":authority", "localhost", POLICY_FORWARD, GRPC_OK},
        {":authority", "LOCALHOST:1", POLICY_FORWARD, GRPC_OK},
        {":authority", "127.0.0.1:15002", POLICY_FORWARD, GRPC_OK},
        {":authority", "127.0.0.5", POLICY_FORWARD, GRPC_OK},
        {":authority", "[::1]:15002", POLICY_FORWARD, GRPC_OK},
        {":authority", "[0:0:0:0:0:0:0:1]", POLICY_FORWARD, GRPC_OK},
        {":authority", "known.test:9", POLICY_FORWARD, GRPC_OK},
        {":authority", "unknown.test", POLICY_REFUSE, GRPC_PERMISSION_DENIED},
        {":authority", "known.test.evil.test", POLICY_REFUSE, GRPC_PERMISSION_DENIED},
        {":authority", "localhost.evil.test", POLICY_REFUSE, GRPC_PERMISSION_DENIED},
        {":authority", "localhost.", POLICY_REFUSE, GRPC_PERMISSION_DENIED},
        {":authority", "127.0.0.1.evil.test", POLICY_REFUSE, GRPC_PERMISSION_DENIED},
        {":authority", "192.168.0.1", POLICY_REFUSE, GRPC_PERMISSION_DENIED},
        {":authority", "0.0.0.0", POLICY_REFUSE, GRPC_PERMISSION_DENIED},
        {":authority", "[::]:1", POLICY_REFUSE, GRPC_PERMISSION_DENIED},
        {":authority", "user@localhost", POLICY_REFUSE, GRPC_PERMISSION_DENIED},
        {":authority", "localhost:x", POLICY_REFUSE, GRPC_PERMISSION_DENIED},
        {":authority", "", POLICY_REFUSE, GRPC_PERMISSION_DENIED},
    };
    struct policy *policy = policy_for("x-own", "known.test", NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct header_list request = request_for(execute_plan);
        struct rpc_status status = {.code = GRPC_OK};
        change(&request, cases[i].name, cases[i].value);
        if (policy_check(policy, &request, POLICY_BY_TCP, &status) != cases[i].verdict ||
            status.code != cases[i].code)
            fail_msg("%s: %s", cases[i].name, cases[i].value);
        header_list_finish(&request);
    }
    policy_destroy(policy);
}

/* What makes a request of a page, or ambiguous, when it comes on top. */
static void test_additions(void **state)
{
    static const struct {
        const char *name, *value;
        enum grpc_code code;
    } cases[] = {
        {"origin", "null", GRPC_PERMISSION_DENIED},
        {"cookie", "a=b", GRPC_PERMISSION_DENIED},
        {"referer", "http://x/", GRPC_PERMISSION_DENIED},
        {"sec-fetch-site", "none", GRPC_PERMISSION_DENIED},
        {"access-control-request-method", "POST", GRPC_PERMISSION_DENIED},
        {"host", "evil.test", GRPC_PERMISSION_DENIED},
        {"content-type", "application/grpc", GRPC_INVALID_ARGUMENT},
        {"te", "trailers", GRPC_INVALID_ARGUMENT},
        {"te", "gzip", GRPC_INVALID_ARGUMENT},
        {"host", "localhost:15002", GRPC_OK},
        {"authorization", "Bearer mine", GRPC_OK},
        {"x-own", "1", GRPC_OK},
    };
    struct policy *policy = plain_policy();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct header_list request = request_for(execute_plan);
        struct rpc_status status = {.code = GRPC_OK};
        header_list_add_text(&request, cases[i].name, cases[i].value);
        policy_check(policy, &request, POLICY_BY_TCP, &status);
        if (status.code != cases[i].code)
            fail_msg("%s: %s", cases[i].name, cases[i].value);
        header_list_finish(&request);
    }
    static const char *const once[] = {"grpc-timeout", "grpc-encoding", "user-agent"};
    for (size_t i = 0; i < sizeof once / sizeof once[0]; i++) {
        struct header_list request = request_for(execute_plan);
        struct rpc_status status;
        header_list_add_text(&request, once[i], "1S");
        assert_int_equal(policy_check(policy, &request, POLICY_BY_TCP, &status), POLICY_FORWARD);
        header_list_add_text(&request, once[i], "1S");
        assert_int_equal(policy_check(policy, &request, POLICY_BY_TCP, &status), POLICY_REFUSE);
        assert_int_equal(status.code, GRPC_INVALID_ARGUMENT);
        header_list_finish(&request);
    }
    policy_destroy(policy);
}

/* gRPC libraries send a path, percent-encoded or not, or a made-up name there. */
static void test_unix_socket(void **state)
{
    static const char *const authorities[] = {"run%2Fspark.sock", "tonic", "[::]:50051", NULL};
    struct policy *policy = plain_policy();
    for (size_t i = 0; i < sizeof authorities / sizeof authorities[0]; i++) {
        struct header_list request = request_for(execute_plan);
        struct rpc_status status;
        change(&request, ":authority", authorities[i]);
        assert_int_equal(policy_check(policy, &request, POLICY_BY_UNIX_SOCKET, &status),
                         POLICY_FORWARD);
        header_list_add_text(&request, "origin", "http://localhost");
        assert_int_equal(policy_check(policy, &request, POLICY_BY_UNIX_SOCKET, &status),
                         POLICY_REFUSE);
        header_list_finish(&request);
    }
    policy_destroy(policy);
}

static void test_client_secret(void **state)
{
    static const struct {
        const char *sent[2];
        bool right;
    } cases[] = {
        {{NULL}, false},
        {{"Bearer a-secret-of-clients"}, true},
        {{"Bearer a-secret-of-client"}, false},
        {{"Bearer a-secret-of-clients "}, false},
        {{"Bearer a-secret-of-clientX"}, false},
        {{"bearer a-secret-of-clients"}, false},
        {{"a-secret-of-clients"}, false},
        {{""}, false},
        {{"Bearer a-secret-of-clients", "Bearer a-secret-of-clients"}, false},
        {{"Bearer wrong", "Bearer a-secret-of-clients"}, false},
    };
    struct policy *policy = policy_for("x-own", "known.test", "a-secret-of-clients");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct header_list request = request_for(execute_plan);
        struct rpc_status status;
        for (int j = 0; j < 2 && cases[i].sent[j] != NULL; j++)
            header_list_add_text(&request, "authorization", cases[i].sent[j]);
        assert_int_equal(policy_check(policy, &request, POLICY_BY_TCP, &status),
                         cases[i].right ? POLICY_FORWARD : POLICY_REFUSE);
        if (!cases[i].right) {
            assert_int_equal(status.code, GRPC_UNAUTHENTICATED);
            assert_null(strstr(status.message, "a-secret"));
        }
        policy_filter_request(policy, &request);
        assert_null(header_list_find(&request, "authorization"));
        assert_null(memmem(request.text, request.text_len, "a-secret", 8));
        header_list_finish(&request);
    }
    struct header_list health = request_for("/grpc.health.v1.Health/Check");
    struct rpc_status status;
    assert_int_equal(policy_check(policy, &health, POLICY_BY_TCP, &status), POLICY_HEALTH_CHECK);
    header_list_finish(&health);
    policy_destroy(policy);
}

static void test_limits(void **state)
{
    struct policy *policy = plain_policy();
    struct header_list list = request_for("/spark.connect.SparkConnectService/Config");
    struct rpc_status status;
    for (int i = 0; i < HEADER_LIST_MAX_FIELDS; i++)
        header_list_add_text(&list, "x", "y");
    assert_true(list.too_large);
    assert_int_equal(list.count, HEADER_LIST_MAX_FIELDS);
    assert_int_equal(policy_check(policy, &list, POLICY_BY_TCP, &status), POLICY_REFUSE);
    assert_int_equal(status.code, GRPC_RESOURCE_EXHAUSTED);
    header_list_finish(&list);

    char *big = xcalloc(1, HEADER_LIST_MAX_BYTES + 1);
    memset(big, 'v', HEADER_LIST_MAX_BYTES);
    header_list_add_text(&list, "big", big);
    assert_true(list.too_large);
    assert_int_equal(list.count, 0);
    free(big);
    header_list_finish(&list);
    policy_destroy(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),         cmocka_unit_test(test_form),
        cmocka_unit_test(test_additions),     cmocka_unit_test(test_unix_socket),
        cmocka_unit_test(test_client_secret), cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
