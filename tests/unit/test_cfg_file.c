/* Profile files that cannot be read, that are no files, or that change while they are read: the
 * exact sentence for each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/alloc.h"
#include "conf/databrickscfg.h"
#include "conf/read_file.h"
#include "tests/unit/meanwhile.h"
#include "tests/unit/scratch.h"

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    /* Long ago, so that every later write moves the time, however coarse the clock. */
    const struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* The message without the path in front. */
static void assert_load(const char *path, enum cfg_load_result result, int exit_code,
                        const char *message)
{
    struct databrickscfg *cfg = NULL;
    struct err err = {0};
    assert_int_equal(databrickscfg_load(path, &cfg, &err), result);
    assert_null(cfg);
    assert_int_equal(err.exit_code, exit_code);
    assert_memory_equal(err.message, path, strlen(path));
    assert_string_equal(err.message + strlen(path), message);
}

static void test_missing_file(void **state)
{
    struct scratch *scratch = *state;
    static const char message[] = ": no such file: write one with `databricks configure`";
    assert_load(scratch->path, CFG_MISSING, EX_NOINPUT, message);
    assert_int_equal(symlink("nowhere", scratch->path), 0);
    assert_load(scratch->path, CFG_MISSING, EX_NOINPUT, message);
    unlink(scratch->path);
    /* A file where a directory should be. */
    write_file(scratch->path, "");
    char *below = xasprintf("%s/cfg", scratch->path);
    assert_load(below, CFG_MISSING, EX_NOINPUT, message);
    free(below);
}

static void test_not_a_regular_file(void **state)
{
    struct scratch *scratch = *state;
    assert_int_equal(mkdir(scratch->path, 0700), 0);
    assert_load(scratch->path, CFG_FAILED, EX_NOINPUT, ": is a directory, not a regular file");
    assert_int_equal(rmdir(scratch->path), 0);
    assert_int_equal(mkfifo(scratch->path, 0600), 0);
    assert_load(scratch->path, CFG_FAILED, EX_NOINPUT, ": is a FIFO, not a regular file");
    assert_load("/dev/null", CFG_FAILED, EX_NOINPUT, ": is a device, not a regular file");
}

static void test_socket(void **state)
{
    struct scratch *scratch = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", scratch->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_load(scratch->path, CFG_FAILED, EX_NOINPUT,
                ": cannot be opened: No such device or address");
    close(fd);
}

static void test_cannot_be_opened(void **state)
{
    struct scratch *scratch = *state;
    assert_int_equal(symlink(scratch->path, scratch->path), 0);
    assert_load(scratch->path, CFG_FAILED, EX_NOINPUT,
                ": cannot be opened: Too many levels of symbolic links");
}

static void test_file_too_large(void **state)
{
    struct scratch *scratch = *state;
    write_file(scratch->path, "[a]\n");
    static const char message[] = ": is larger than 4096 KiB, more than it may be";
    assert_int_equal(truncate(scratch->path, 10 << 20), 0);
    assert_load(scratch->path, CFG_FAILED, EX_NOINPUT, message);
    assert_int_equal(truncate(scratch->path, DATABRICKSCFG_MAX_BYTES + 1), 0);
    assert_load(scratch->path, CFG_FAILED, EX_NOINPUT, message);
}

static void test_fault_in_a_file_names_its_path(void **state)
{
    struct scratch *scratch = *state;
    write_file(scratch->path, "[a]\n\ntoken\n");
    assert_load(scratch->path, CFG_FAILED, EX_CONFIG,
                ":3:1: this line has no '=': write key = value, or '#' in front of a comment");
}

static void test_home(void **state)
{
    char *home = getenv("HOME") != NULL ? xstrdup(getenv("HOME")) : NULL;
    unsetenv("HOME");
    assert_load("~/cfg", CFG_FAILED, EX_NOINPUT, ": HOME is not set: write the path in full");
    setenv("HOME", "", 1);
    assert_load("~/cfg", CFG_FAILED, EX_NOINPUT, ": HOME is not set: write the path in full");
    assert_load("~root/cfg", CFG_FAILED, EX_CONFIG,
                ": of paths with '~' only ~/... is understood: write it in full");
    if (home != NULL)
        setenv("HOME", home, 1);
    free(home);
}

/* --- files that change while they are read ----------------------------------------------- */

static void append(const char *path)
{
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    fputs("host = h\n", file);
    fclose(file);
}

static void shrink(const char *path)
{
    assert_int_equal(truncate(path, 4), 0);
}

static void overwrite(const char *path)
{
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    fputs("[b]\ntoken = u\n", file);
    fclose(file);
}

/* What was opened stays as it was. */
static void replace(const char *path)
{
    char *other = xasprintf("%s.new", path);
    write_file(other, "[b]\ntoken = u\n");
    assert_int_equal(rename(other, path), 0);
    free(other);
}

static const struct {
    void (*change)(const char *path);
    const char *profile, *key; /* afterwards there is this */
} changes[] = {
    {append, "a", "host"}, {shrink, "a", NULL}, {overwrite, "b", "token"}, {replace, "a", "token"}};

static void test_a_change_while_reading_is_read_again(void **state)
{
    struct scratch *scratch = *state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        write_file(scratch->path, "[a]\ntoken = t\n");
        meanwhile.path = scratch->path;
        meanwhile.change = changes[i].change;
        meanwhile.times = 1;
        struct databrickscfg *cfg = NULL;
        assert_int_equal(databrickscfg_load(scratch->path, &cfg, NULL), CFG_LOADED);
        assert_int_equal(meanwhile.times, 0);
        const struct cfg_profile *profile = databrickscfg_profile(cfg, changes[i].profile);
        assert_non_null(profile);
        if (changes[i].key != NULL)
            assert_non_null(cfg_profile_get(profile, changes[i].key));
        else
            assert_int_equal(profile->count, 0);
        databrickscfg_destroy(cfg);
    }
}

static void test_a_file_that_keeps_changing_is_left_alone(void **state)
{
    struct scratch *scratch = *state;
    write_file(scratch->path, "[a]\ntoken = t\n");
    meanwhile.path = scratch->path;
    meanwhile.change = append;
    meanwhile.times = 3;
    assert_load(scratch->path, CFG_FAILED, EX_TEMPFAIL,
                ": it changed while it was read: try again");
    assert_int_equal(meanwhile.times, 1);
    meanwhile.times = 0;
}

/* Descriptors that cannot be asked for their status, or not be wound back. */
static void test_descriptor_that_cannot_be_read(void **state)
{
    struct scratch *scratch = *state;
    write_file(scratch->path, "x");
    struct secret content = {0};
    struct err err = {0};
    assert_false(read_open_file(-1, "f", 100, &content, NULL, &err));
    assert_string_equal(err.message, "f: cannot be read: Bad file descriptor");
    int fd = open(scratch->path, O_PATH | O_CLOEXEC);
    assert_true(fd >= 0);
    err = (struct err){0};
    assert_false(read_open_file(fd, "f", 100, &content, NULL, &err));
    assert_int_equal(err.exit_code, EX_NOINPUT);
    assert_string_equal(err.message, "f: cannot be read: Bad file descriptor");
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_missing_file, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_not_a_regular_file, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_socket, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_cannot_be_opened, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_file_too_large, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_fault_in_a_file_names_its_path, make_scratch,
                                        remove_scratch),
        cmocka_unit_test_setup_teardown(test_descriptor_that_cannot_be_read, make_scratch,
                                        remove_scratch),
        cmocka_unit_test(test_home),
        cmocka_unit_test_setup_teardown(test_a_change_while_reading_is_read_again, make_scratch,
                                        remove_scratch),
        cmocka_unit_test_setup_teardown(test_a_file_that_keeps_changing_is_left_alone, make_scratch,
                                        remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
