/* Resolving with a profile file: which host a token may go to, and what a person is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "conf/resolve.h"
#include "tests/unit/scratch.h"

enum { MAX_VARIABLES = 8 };

/* A home with a .databrickscfg, and what is asked for. */
struct home {
    struct scratch *scratch;
    char *variables[MAX_VARIABLES + 1];
    struct resolve_request request;
    struct resolve_result result;
};

static int set_up(void **state)
{
    struct home *home = xcalloc(1, sizeof *home);
    void *scratch;
    if (make_scratch(&scratch) != 0)
        return -1;
    home->scratch = scratch;
    home->variables[0] = xasprintf("HOME=%s", home->scratch->dir);
    home->request.environment = home->variables;
    *state = home;
    return 0;
}

static int tear_down(void **state)
{
    struct home *home = *state;
    void *scratch = home->scratch;
    resolve_result_finish(&home->result);
    for (size_t i = 0; i < MAX_VARIABLES; i++)
        free(home->variables[i]);
    free(home);
    return remove_scratch(&scratch);
}

static void set_variable(struct home *home, const char *text)
{
    size_t i = 0;
    while (home->variables[i] != NULL)
        i++;
    assert_true(i < MAX_VARIABLES);
    home->variables[i] = xstrdup(text);
}

static void write_profiles(const struct home *home, const char *text)
{
    int fd = open(home->scratch->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static const struct binding *resolves(struct home *home)
{
    resolve_result_finish(&home->result);
    if (!resolve(&home->request, &home->result))
        fail_msg("%s: %s", home->result.error_kind, home->result.err.message);
    return home->result.binding;
}

static void fails(struct home *home, const char *kind, const char *message)
{
    resolve_result_finish(&home->result);
    assert_false(resolve(&home->request, &home->result));
    assert_string_equal(home->result.err.message, message);
    assert_string_equal(home->result.error_kind, kind);
}

/* --- one workspace ----------------------------------------------------------------------- */

static const char nohost[] = "[DEFAULT]\n"
                             "host = one.example.test\n"
                             "token = tok-default\n"
                             "cluster_id = cl-default\n"
                             "[nohost]\n"
                             "token = tok-nohost\n"
                             "[compute]\n"
                             "cluster_id = cl-compute\n";

static const char no_host_of_its_own[] =
    "profile nohost, ~/.databrickscfg:5, has a credential but names no host: add `host = ...` to "
    "it, give --host or set DATABRICKS_HOST";

static void test_named_profiles_token_goes_to_no_later_host(void **state)
{
    struct home *home = *state;
    write_profiles(home, nohost);
    home->request.profile = "nohost";
    fails(home, "host", no_host_of_its_own);
    assert_null(home->result.found->host);
    set_variable(home, "SPARK_REMOTE=sc://two.example.test:443/;x-databricks-cluster-id=c");
    fails(home, "host", no_host_of_its_own);
}

static void test_named_profile_means_the_host_that_is_said(void **state)
{
    struct home *home = *state;
    write_profiles(home, nohost);
    home->request.profile = "nohost";
    home->request.host = "said.example.test";
    home->request.cluster_id = "c";
    assert_string_equal(resolves(home)->token.bytes, "tok-nohost");
    assert_string_equal(home->result.binding->host, "said.example.test");
    home->request.host = NULL;
    set_variable(home, "DATABRICKS_HOST=env.example.test");
    assert_string_equal(resolves(home)->token.bytes, "tok-nohost");
    assert_string_equal(home->result.binding->host, "env.example.test");
}

/* A compute is no secret: with it alone the default profile's host is as good as any. */
static void test_named_profile_with_a_compute_alone(void **state)
{
    struct home *home = *state;
    write_profiles(home, nohost);
    home->request.profile = "compute";
    const struct binding *binding = resolves(home);
    assert_string_equal(binding->host, "one.example.test");
    assert_string_equal(binding->token.bytes, "tok-default");
    assert_string_equal(binding->cluster_id, "cl-compute");
}

/* --- what a person is told --------------------------------------------------------------- */

#define NO_WORKSPACE                                                                               \
    "no source names a workspace: give --host or --remote, set DATABRICKS_HOST, or name a "        \
    "profile with --profile; "

static void test_no_workspace_and_the_file(void **state)
{
    struct home *home = *state;
    fails(home, "host", NO_WORKSPACE "there is no ~/.databrickscfg");
    assert_int_equal(home->result.warnings_count, 0);
    write_profiles(home, "");
    fails(home, "host", NO_WORKSPACE "~/.databrickscfg has no profiles");
    write_profiles(home, "[prod]\nhost = p.example.test\n[dev]\n");
    fails(home, "host",
          NO_WORKSPACE "~/.databrickscfg has no DEFAULT, only prod, dev: --profile prod");
    write_profiles(home, "[a]\n[b]\n[c]\n[d]\n[e]\n[f]\n[g]\n");
    fails(home, "host",
          NO_WORKSPACE
          "~/.databrickscfg has no DEFAULT, only a, b, c, d, e and 2 more: --profile a");
    write_profiles(home, "[DEFAULT]\nhots = one.example.test\ntoken = t\n");
    fails(home, "host",
          NO_WORKSPACE "profile DEFAULT, ~/.databrickscfg:1, names no host; ~/.databrickscfg:2 has "
                       "the key hots (did you mean \"host\"?)");
    set_variable(home, "DATABRICKS_CONFIG_PROFILE=absent");
    fails(home, "host",
          NO_WORKSPACE "~/.databrickscfg has DEFAULT: --profile DEFAULT; passed over: "
                       "DATABRICKS_CONFIG_PROFILE from the environment names the profile absent, "
                       "which ~/.databrickscfg does not have");
}

static void test_no_home(void **state)
{
    struct home *home = *state;
    home->variables[0][0] = 'X'; /* XOME=... */
    fails(home, "host",
          NO_WORKSPACE "~/.databrickscfg is not read, since HOME is not set: set HOME or give "
                       "--config-file");
    assert_int_equal(home->result.warnings_count, 0);
    home->request.profile = "prod";
    fails(home, "profile",
          "--profile names the profile prod, but ~/.databrickscfg is not read, since HOME is not "
          "set: set HOME or give --config-file");
    assert_int_equal(home->result.warnings_count, 0);
}

static void test_keys_that_are_nearly_right(void **state)
{
    struct home *home = *state;
    write_profiles(home, "[p]\nhost = one.example.test\ntokn = t\ncluster = c\nother = x\n");
    home->request.profile = "p";
    fails(home, "credential",
          "no source has a credential for one.example.test (profile p, ~/.databrickscfg:2): give "
          "--token-file, set DATABRICKS_TOKEN, or add a token to the profile; ~/.databrickscfg:3 "
          "has the key tokn (did you mean \"token\"?)");
    set_variable(home, "DATABRICKS_TOKEN=t");
    fails(home, "compute",
          "no source names a compute on one.example.test: give --cluster-id or --serverless, or "
          "set DATABRICKS_CLUSTER_ID (a server that is not "
          "Databricks needs --no-compute); ~/.databrickscfg:4 has the key cluster (did you mean "
          "\"cluster_id\"?)");
    home->request.cluster_id = "c"; /* nothing is missing: nothing is said */
    resolves(home);
    assert_int_equal(home->result.passed_over_count, 0);
    assert_int_equal(home->result.warnings_count, 0);
}

/* What auth_type asks for may come from a later source than auth_type itself. */
static void test_method_that_a_later_source_gives(void **state)
{
    struct home *home = *state;
    write_profiles(home, nohost);
    set_variable(home, "DATABRICKS_AUTH_TYPE=pat");
    assert_string_equal(resolves(home)->token.bytes, "tok-default");
    assert_int_equal(home->result.passed_over_count, 0);
}

static void test_method_that_no_source_gives(void **state)
{
    struct home *home = *state;
    static const char *const cases[][2] = {
        {"DATABRICKS_AUTH_TYPE=oauth-m2m",
         "DATABRICKS_AUTH_TYPE from the environment asks for the method oauth-m2m, whose settings "
         "are not there"},
        {"DATABRICKS_AUTH_TYPE=cat",
         "DATABRICKS_AUTH_TYPE from the environment asks for the method cat, which the SDK does "
         "not know"},
    };
    write_profiles(home, nohost);
    home->request.profile = "compute";
    set_variable(home, "SPARK_REMOTE=sc://two.example.test:443/;token=t");
    for (size_t i = 0; i < 2; i++) {
        free(home->variables[2]);
        home->variables[2] = xstrdup(cases[i][0]);
        resolves(home);
        assert_int_equal(home->result.passed_over_count, 1);
        assert_string_equal(home->result.passed_over[0], cases[i][1]);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_named_profiles_token_goes_to_no_later_host),
        TEST(test_named_profile_means_the_host_that_is_said),
        TEST(test_named_profile_with_a_compute_alone),
        TEST(test_no_workspace_and_the_file),
        TEST(test_no_home),
        TEST(test_keys_that_are_nearly_right),
        TEST(test_method_that_a_later_source_gives),
        TEST(test_method_that_no_source_gives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
