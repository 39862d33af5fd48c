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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_named_profiles_token_goes_to_no_later_host),
        TEST(test_named_profile_means_the_host_that_is_said),
        TEST(test_named_profile_with_a_compute_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
