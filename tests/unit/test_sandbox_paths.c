/* Which directories the sandbox is told to leave open. */
#include "tests/unit/load_config.h"

#include <limits.h>

#include "daemon/sandbox.h"

/* What is collected for this command line; sandbox_paths_finish(). */
static void collect(const char *line, const char *variable, struct sandbox_paths *ret_paths)
{
    struct load load;
    assert_loads(&load, line, NULL, "");
    const struct setup setup = {.config = load.config};
    char *environment[] = {(char *)(uintptr_t)variable, NULL};
    sandbox_paths_collect(&setup, NULL, environment, ret_paths);
    load_finish(&load);
}

static bool is_open(char *const *paths, size_t count, const char *path)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(paths[i], path) == 0)
            return true;
    return false;
}

/* Is the directory of the test, by its absolute path, among those to read? */
static bool is_read(const struct sandbox_paths *paths, const char *directory)
{
    char *path = xasprintf("%s/%s", load_directory, directory);
    char real[PATH_MAX];
    bool found = is_open(paths->read, paths->read_count, path) ||
                 (realpath(path, real) != NULL && is_open(paths->read, paths->read_count, real));
    free(path);
    return found;
}

static void test_directories_of_certificates(void **state)
{
    struct sandbox_paths paths;
    collect("run --host h --cluster-id c", "SSL_CERT_DIR=:/one:/two/of/them::/one", &paths);
    assert_true(is_open(paths.read, paths.read_count, "/one"));
    assert_true(is_open(paths.read, paths.read_count, "/two/of/them"));
    assert_false(is_open(paths.read, paths.read_count, ""));
    assert_int_equal(paths.left_out, 0);
    assert_null(paths.first_left_out);
    sandbox_paths_finish(&paths);
}

/* Links that lead to links, to a directory by a link, and to nothing. */
static void test_links(void **state)
{
    static const char *const directories[] = {"conf",   "conf.real", "token",  "token.real",
                                              "middle", "ca",        "ca.real"};
    struct sandbox_paths paths;
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++)
        assert_int_equal(mkdir(directories[i], 0700), 0);
    write_text("conf.real/sb.yaml", "version: 1\n");
    write_text("token.real/token", "t\n");
    write_text("ca.real/ca.pem", "");
    assert_int_equal(symlink("../conf.real/sb.yaml", "conf/sb.yaml"), 0);
    assert_int_equal(symlink("../middle/token", "token/token"), 0);
    assert_int_equal(symlink("../token.real/token", "middle/token"), 0);
    assert_int_equal(symlink("../ca.real", "ca/current"), 0);
    assert_int_equal(symlink("nowhere/.databrickscfg", ".databrickscfg"), 0);
    char *line = xasprintf("run --host h --cluster-id c --config %s/conf/sb.yaml "
                           "--token-file %s/token/token --ca-file %s/ca/current/ca.pem",
                           load_directory, load_directory, load_directory);
    collect(line, NULL, &paths);
    assert_true(is_read(&paths, "conf") && is_read(&paths, "conf.real"));
    assert_true(is_read(&paths, "token") && is_read(&paths, "token.real"));
    assert_true(is_read(&paths, "ca/current") && is_read(&paths, "ca.real"));
    assert_false(is_read(&paths, "middle"));
    assert_false(is_read(&paths, "nowhere"));
    sandbox_paths_finish(&paths);
    free(line);
}

/* Beyond the room that there is, what is left out is counted and named. */
static void test_too_many(void **state)
{
    enum { SOCKETS = SANDBOX_MAX_PATHS + 2 };
    struct sandbox_paths paths;
    struct load load;
    assert_loads(&load, "run --host h --cluster-id c", NULL, "");
    struct listener_config *listener = &load.config->listeners[0];
    for (size_t i = 0; i < listener->address_count; i++)
        listen_address_finish(&listener->addresses[i]);
    listener->addresses = xrealloc(listener->addresses, SOCKETS * sizeof(struct listen_address));
    listener->address_count = SOCKETS;
    for (int i = 0; i < SOCKETS; i++)
        listener->addresses[i] =
            (struct listen_address){.kind = ADDRESS_UNIX, .path = xasprintf("/%d/socket", i)};
    const struct setup setup = {.config = load.config};
    char *environment[] = {NULL};
    sandbox_paths_collect(&setup, "/control/socket", environment, &paths);
    assert_int_equal(paths.sockets_count, SANDBOX_MAX_PATHS);
    assert_true(is_open(paths.sockets, paths.sockets_count, "/control"));
    assert_int_equal(paths.left_out, 3);
    assert_string_equal(paths.first_left_out, "/1023");
    sandbox_paths_finish(&paths);
    load_finish(&load);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_directories_of_certificates),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_too_many),
    };
    return cmocka_run_group_tests_name("sandbox_paths", tests, load_config_setup,
                                       load_config_teardown);
}
