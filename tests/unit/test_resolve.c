/* Resolving: what the vectors do not say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "conf/resolve.h"
#include "tests/unit/resolve_fixture.h"

static void resolves(struct fixture *fixture)
{
    resolve_result_finish(&fixture->result);
    if (!resolve(&fixture->request, &fixture->result))
        fail_msg("%s: %s", fixture->result.error_kind, fixture->result.err.message);
    assert_non_null(fixture->result.binding);
    assert_null(fixture->result.found);
}

static void fails(struct fixture *fixture, const char *kind, const char *part)
{
    resolve_result_finish(&fixture->result);
    assert_false(resolve(&fixture->request, &fixture->result));
    assert_null(fixture->result.binding);
    assert_non_null(fixture->result.found);
    assert_string_equal(fixture->result.error_kind, kind);
    assert_int_equal(fixture->result.err.exit_code, EX_CONFIG);
    if (strstr(fixture->result.err.message, part) == NULL)
        fail_msg("\"%s\" does not contain \"%s\"", fixture->result.err.message, part);
    assert_null(strstr(fixture->result.err.message, token_text));
}

/* --- what is said ------------------------------------------------------------------------ */

static void test_sources_are_the_callers_words(void **state)
{
    struct fixture *fixture = *state;
    resolves(fixture);
    assert_string_equal(fixture->result.binding->host_source, "--host");
    assert_string_equal(fixture->result.binding->token_source, "--token-file");
    assert_string_equal(fixture->result.binding->compute_source, "--cluster-id");
    fixture->request.host_source = "bridge.yaml:3:5";
    fixture->request.token_source = "bridge.yaml:4:5";
    fixture->request.cluster_id_source = "bridge.yaml:5:5";
    resolves(fixture);
    assert_string_equal(fixture->result.binding->host_source, "bridge.yaml:3:5");
    assert_string_equal(fixture->result.binding->token_source, "bridge.yaml:4:5");
    assert_string_equal(fixture->result.binding->compute_source, "bridge.yaml:5:5");
}

static void test_binding_is_ready_to_use(void **state)
{
    struct fixture *fixture = *state;
    fixture->request.host = "https://ONE.example.test:8443/";
    resolves(fixture);
    const struct binding *binding = fixture->result.binding;
    assert_string_equal(binding->host, "one.example.test");
    assert_int_equal(binding->port, 8443);
    assert_string_equal(binding->authorization.bytes, "Bearer very-secret-token");
    assert_int_equal(binding->compute, COMPUTE_CLUSTER);
    assert_string_equal(binding->auth_type, "pat");
}

static void test_values_that_no_header_can_have(void **state)
{
    struct fixture *fixture = *state;
    static const char *const values[] = {"", "a\nb", " a", "a ", "a\x7f", "\xc3\xa4"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        fixture->request.cluster_id = values[i];
        fails(fixture, "compute", "--cluster-id");
    }
    fixture->request.cluster_id = "cl-1";
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        secret_set(&fixture->token, values[i], strlen(values[i]));
        fails(fixture, "credential", "--token-file");
    }
}

static void test_no_compute(void **state)
{
    struct fixture *fixture = *state;
    fixture->request.cluster_id = NULL;
    fixture->request.no_compute = true;
    fixture->request.environment = ENVIRONMENT("DATABRICKS_CLUSTER_ID=cl-2");
    resolves(fixture);
    assert_int_equal(fixture->result.binding->compute, COMPUTE_NONE);
    assert_null(fixture->result.binding->cluster_id);
    fixture->request.resolution = RESOLUTION_SDK;
    resolves(fixture);
    assert_int_equal(fixture->result.binding->compute, COMPUTE_NONE);
    fixture->request.serverless = true;
    fails(fixture, "both", "--no-compute");
}

static void test_headers_of_the_binding(void **state)
{
    struct fixture *fixture = *state;
    struct metadata headers = {0};
    metadata_append(&headers, "x-extra", "1", 1);
    metadata_append(&headers, "x-databricks-session-id", "id", 2);
    fixture->request.headers = &headers;
    fixture->request.cluster_id = NULL;
    for (int i = 0; i < 2; i++) {
        fixture->request.resolution = i == 0 ? RESOLUTION_DOCUMENTED : RESOLUTION_SDK;
        resolves(fixture);
        assert_int_equal(fixture->result.binding->compute, COMPUTE_SERVERLESS);
        assert_int_equal(fixture->result.binding->headers.count, 1);
        assert_string_equal(fixture->result.binding->headers.entries[0].name, "x-extra");
    }
    metadata_finish(&headers);
}

static void test_headers_of_a_connection_string(void **state)
{
    struct fixture *fixture = *state;
    fixture->request = (struct resolve_request){
        .remote =
            "sc://one.example.test:443/;token=t;x-databricks-cluster-id=c;x-extra=1;user_id=u",
    };
    resolves(fixture);
    assert_int_equal(fixture->result.binding->headers.count, 1);
    assert_non_null(metadata_find(&fixture->result.binding->headers, "x-extra"));
}

/* Spark's grammar makes a header of every name, a mistyped one too. */
static void test_headers_that_were_meant_otherwise(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *name, *meant;
    } cases[] = {
        {"cluster_id", "x-databricks-cluster-id"},
        {"cluster", "x-databricks-cluster-id"},
        {"clusterid", "x-databricks-cluster-id"},
        {"x-databricks-clusterid", "x-databricks-cluster-id"},
        {"x-databricks-sesion-id", "x-databricks-session-id"},
        {"tokn", "token"},
        {"use-ssl", "use_ssl"},
        {"x-databricks-org-id", NULL},
        {"x-databricks-user-id", NULL},
        {"x-databricks-token", NULL},
        {"x-request-id", NULL},
        {"traceparent", NULL},
        {"team", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *remote = xasprintf("sc://one.example.test:443/;token=t;%s=x", cases[i].name);
        fixture->request = (struct resolve_request){.remote = remote, .no_compute = true};
        resolves(fixture);
        assert_non_null(metadata_find(&fixture->result.binding->headers, cases[i].name));
        assert_int_equal(fixture->result.warnings_count, cases[i].meant != NULL);
        char *warning =
            xasprintf("--remote: %s is sent to the workspace as a header; did you mean %s?",
                      cases[i].name, cases[i].meant != NULL ? cases[i].meant : "");
        if (cases[i].meant != NULL)
            assert_string_equal(fixture->result.warnings[0], warning);
        free(warning);
        free(remote);
    }
}

static void test_what_a_client_says_for_itself(void **state)
{
    struct fixture *fixture = *state;
    fixture->request = (struct resolve_request){
        .remote = "sc://one.example.test:443/;token=t;x-databricks-cluster-id=c;user_agent=a;"
                  "user_id=u",
    };
    resolves(fixture);
    assert_int_equal(fixture->result.passed_over_count, 1);
    assert_string_equal(fixture->result.passed_over[0],
                        "user_agent, user_id of --remote: the client's own counts");
}

static void test_workspace_id_becomes_a_header(void **state)
{
    struct fixture *fixture = *state;
    fixture->request.host = NULL;
    fixture->request.environment =
        ENVIRONMENT("DATABRICKS_HOST=one.example.test", "DATABRICKS_WORKSPACE_ID=123");
    resolves(fixture);
    const struct metadata_entry *entry =
        metadata_find(&fixture->result.binding->headers, "x-databricks-org-id");
    assert_non_null(entry);
    assert_string_equal(entry->value.bytes, "123");
}

static void test_http_is_tls_all_the_same(void **state)
{
    struct fixture *fixture = *state;
    fixture->request.host = "http://one.example.test";
    for (int i = 0; i < 2; i++) {
        fixture->request.resolution = i == 0 ? RESOLUTION_DOCUMENTED : RESOLUTION_SDK;
        resolves(fixture);
        assert_int_equal(fixture->result.binding->port, 443);
        assert_int_equal(fixture->result.warnings_count, 1);
        assert_string_equal(fixture->result.warnings[0],
                            "--host says http://, but sparkbridge speaks to a workspace over "
                            "verified TLS only (port 443): write https://");
    }
}

static void test_usage_policy_is_for_serverless(void **state)
{
    struct fixture *fixture = *state;
    static const char header[] = "x-databricks-explicit-usage-policy-id";
    char *const *serverless =
        ENVIRONMENT("DATABRICKS_SERVERLESS_COMPUTE_ID=auto", "DATABRICKS_USAGE_POLICY_ID=p");
    char *const *elsewhere =
        ENVIRONMENT("DATABRICKS_HOST=two.example.test", "DATABRICKS_USAGE_POLICY_ID=p");
    for (int i = 0; i < 2; i++) {
        fixture->request.resolution = i == 0 ? RESOLUTION_DOCUMENTED : RESOLUTION_SDK;
        fixture->request.cluster_id = NULL;
        fixture->request.environment = serverless;
        resolves(fixture);
        assert_non_null(metadata_find(&fixture->result.binding->headers, header));
        fixture->request.cluster_id = "cl-1";
        resolves(fixture);
        assert_null(metadata_find(&fixture->result.binding->headers, header));
    }
    fixture->request.resolution = RESOLUTION_DOCUMENTED;
    fixture->request.cluster_id = NULL;
    fixture->request.environment = elsewhere;
    fails(fixture, "compute", "two.example.test");
    assert_null(metadata_find(&fixture->result.found->headers, header));
}

/* --- environment and files --------------------------------------------------------------- */

/* A listener that serves others' profiles must not see the daemon's environment. */
static void test_no_environment_means_none(void **state)
{
    struct fixture *fixture = *state;
    fixture->request.token = NULL;
    setenv("DATABRICKS_TOKEN", token_text, 1);
    setenv("HOME", "/nonexistent", 1);
    fails(fixture, "credential", "one.example.test");
    fixture->request.config_file = "~/.databrickscfg";
    fails(fixture, "credential", "one.example.test");
    assert_int_equal(fixture->result.warnings_count, 1);
    unsetenv("DATABRICKS_TOKEN");
}

static void test_named_file_that_is_missing(void **state)
{
    struct fixture *fixture = *state;
    fixture->request.cluster_id = NULL;
    fixture->request.config_file = "/nonexistent/cfg";
    fixture->request.environment = ENVIRONMENT("DATABRICKS_CLUSTER_ID=cl-2");
    resolves(fixture); /* the file was not needed */
    assert_int_equal(fixture->result.warnings_count, 0);
    fixture->request.environment = ENVIRONMENT("HOME=/somewhere");
    fails(fixture, "compute", "one.example.test");
    assert_int_equal(fixture->result.warnings_count, 1);
    assert_non_null(strstr(fixture->result.warnings[0], "/nonexistent/cfg"));
    fixture->request.profile = "p";
    fails(fixture, "profile", "/nonexistent/cfg does not exist");
}

static void test_file_that_cannot_be_read(void **state)
{
    struct fixture *fixture = *state;
    fixture->request.cluster_id = NULL;
    fixture->request.config_file = "/";
    resolve_result_finish(&fixture->result);
    assert_false(resolve(&fixture->request, &fixture->result));
    assert_string_equal(fixture->result.error_kind, "profile");
    assert_int_equal(fixture->result.err.exit_code, EX_NOINPUT);
}

static void test_host_of_a_source_that_cannot_be_read(void **state)
{
    struct fixture *fixture = *state;
    fixture->request.environment =
        ENVIRONMENT("DATABRICKS_HOST=https://user:password@one.example.test");
    fixture->request.host = NULL;
    fails(fixture, "host", "DATABRICKS_HOST from the environment: ");
    assert_null(strstr(fixture->result.err.message, "password"));
    fixture->request.host = "one.example.test";
    fixture->request.token = NULL;
    fails(fixture, "credential", "passed over: the environment: its host cannot be read");
    assert_null(strstr(fixture->result.err.message, "password"));
    fixture->request.resolution = RESOLUTION_SDK;
    fixture->request.host = NULL;
    fails(fixture, "host", "DATABRICKS_HOST from the environment: ");
    assert_null(strstr(fixture->result.err.message, "password"));
}

/* --- credentials ------------------------------------------------------------------------- */

static void test_methods_that_cannot_be_used_yet(void **state)
{
    struct fixture *fixture = *state;
    fixture->request.token = NULL;
    fixture->request.environment =
        ENVIRONMENT("DATABRICKS_CLIENT_ID=i", "DATABRICKS_CLIENT_SECRET=very-secret-token");
    for (int i = 0; i < 2; i++) {
        fixture->request.resolution = i == 0 ? RESOLUTION_DOCUMENTED : RESOLUTION_SDK;
        fails(fixture, "auth", "oauth-m2m");
        assert_string_equal(fixture->result.auth_type, "oauth-m2m");
        assert_string_equal(fixture->result.found->auth_type, "oauth-m2m");
        assert_false(secret_is_set(&fixture->result.found->token));
    }
}

/* A stray variable must not decide in silence whose credential is used. */
static void test_stray_token_beside_another_method(void **state)
{
    struct fixture *fixture = *state;
    fixture->request.token = NULL;
    fixture->request.environment = ENVIRONMENT("DATABRICKS_TOKEN=t", "GOOGLE_CREDENTIALS=g");
    fails(fixture, "conflict", "google and pat");
    assert_non_null(strstr(fixture->result.err.message, "GOOGLE_CREDENTIALS from the environment"));
    fixture->request.environment =
        ENVIRONMENT("DATABRICKS_TOKEN=t", "GOOGLE_CREDENTIALS=g", "DATABRICKS_AUTH_TYPE=pat");
    resolves(fixture);
}

static void test_said_token_rules_other_methods_out(void **state)
{
    struct fixture *fixture = *state;
    fixture->request.environment =
        ENVIRONMENT("DATABRICKS_CLIENT_ID=i", "DATABRICKS_CLIENT_SECRET=s", "DATABRICKS_TOKEN=t");
    for (int i = 0; i < 2; i++) {
        fixture->request.resolution = i == 0 ? RESOLUTION_DOCUMENTED : RESOLUTION_SDK;
        resolves(fixture);
        assert_string_equal(fixture->result.binding->token.bytes, token_text);
    }
}

/* --- connection strings ------------------------------------------------------------------ */

static void test_port_hint_for_databricks(void **state)
{
    struct fixture *fixture = *state;
    fixture->request = (struct resolve_request){
        .remote = "sc://dbc-1.cloud.databricks.com/;token=t;x-databricks-cluster-id=c",
    };
    resolves(fixture);
    assert_int_equal(fixture->result.binding->port, 15002);
    assert_int_equal(fixture->result.warnings_count, 1);
    assert_non_null(
        strstr(fixture->result.warnings[0], "write sc://dbc-1.cloud.databricks.com:443/"));
}

static void test_tls_is_not_negotiable(void **state)
{
    struct fixture *fixture = *state;
    fixture->request = (struct resolve_request){
        .remote = "sc://one.example.test:443/;token=t;x-databricks-cluster-id=c;use_ssl=false",
    };
    for (int i = 0; i < 2; i++) {
        fixture->request.resolution = i == 0 ? RESOLUTION_DOCUMENTED : RESOLUTION_SDK;
        fails(fixture, "connection string", "use_ssl=false");
    }
}

static void test_two_computes_in_one_string(void **state)
{
    struct fixture *fixture = *state;
    fixture->request = (struct resolve_request){
        .remote = "sc://one.example.test:443/;token=t;x-databricks-cluster-id=c;"
                  "x-databricks-session-id=s",
    };
    fails(fixture, "both", "--remote");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_sources_are_the_callers_words),
        TEST(test_binding_is_ready_to_use),
        TEST(test_values_that_no_header_can_have),
        TEST(test_no_compute),
        TEST(test_headers_of_the_binding),
        TEST(test_headers_of_a_connection_string),
        TEST(test_headers_that_were_meant_otherwise),
        TEST(test_what_a_client_says_for_itself),
        TEST(test_workspace_id_becomes_a_header),
        TEST(test_http_is_tls_all_the_same),
        TEST(test_usage_policy_is_for_serverless),
        TEST(test_no_environment_means_none),
        TEST(test_named_file_that_is_missing),
        TEST(test_file_that_cannot_be_read),
        TEST(test_host_of_a_source_that_cannot_be_read),
        TEST(test_methods_that_cannot_be_used_yet),
        TEST(test_stray_token_beside_another_method),
        TEST(test_said_token_rules_other_methods_out),
        TEST(test_port_hint_for_databricks),
        TEST(test_tls_is_not_negotiable),
        TEST(test_two_computes_in_one_string),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
