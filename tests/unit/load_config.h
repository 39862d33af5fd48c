/*
 * For tests: config_load() in a directory of its own, which is also $HOME and the working
 * directory, and an exact comparison of its diagnostics.
 *
 * Each test program has one directory; load_config_setup() and load_config_teardown() are cmocka's
 * group functions for it.
 */
#ifndef SPARKBRIDGE_TESTS_LOAD_CONFIG_H
#define SPARKBRIDGE_TESTS_LOAD_CONFIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "common/strbuf.h"
#include "conf/config.h"

enum { LOAD_MAX_ARGS = 32 };

/* One run of config_load() and what came of it. */
struct load {
    struct config *config; /* NULL where it failed */
    struct diag_list diags;
    char *argv[LOAD_MAX_ARGS + 1]; /* writable copies, as argv is: a token in it is wiped */
    int argc;
};

/* The environment of a run, besides HOME. */
#define VARIABLES(...) ((const char *const[]){__VA_ARGS__, NULL})

static char load_directory[] = "/tmp/sparkbridge-test-XXXXXX";

static inline int load_config_setup(void **state)
{
    strcpy(load_directory + strlen(load_directory) - 6, "XXXXXX");
    return mkdtemp(load_directory) == NULL || chdir(load_directory) != 0;
}

static inline int load_config_teardown(void **state)
{
    char *command = xasprintf("rm -rf '%s'", load_directory);
    int status = system(command);
    free(command);
    return status;
}

static inline void write_file(const char *path, const void *bytes, size_t len, mode_t mode)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static inline void write_text(const char *path, const char *text)
{
    write_file(path, text, strlen(text), 0600);
}

/* The same with an empty configuration of the user's, so that none of the system's is read. */
static inline int load_config_setup_empty(void **state)
{
    if (load_config_setup(state) != 0)
        return 1;
    mkdir(".config", 0700);
    mkdir(".config/sparkbridge", 0700);
    write_text(".config/sparkbridge/sparkbridge.yaml", "version: 1\n");
    return 0;
}

/* Loads with the words of `line`, separated by single spaces. */
static inline void load_config(struct load *load, const char *line, const char *const *variables)
{
    *load = (struct load){0};
    char *words = xstrdup(line);
    char *rest = words;
    for (char *word; (word = strsep(&rest, " ")) != NULL;)
        load->argv[load->argc++] = xstrdup(word);
    free(words);
    char *home = xasprintf("HOME=%s", load_directory);
    char *environment[LOAD_MAX_ARGS + 2] = {home};
    for (size_t i = 0; variables != NULL && variables[i] != NULL; i++)
        environment[i + 1] = (char *)(uintptr_t)variables[i];
    config_load(load->argc, load->argv, environment, &load->config, &load->diags);
    free(home);
}

static inline void load_finish(struct load *load)
{
    for (int i = 0; i < load->argc; i++)
        free(load->argv[i]);
    config_destroy(load->config);
    diag_list_finish(&load->diags);
}

/* The messages so far, joined with newlines; free it. */
static inline char *load_messages(const struct load *load)
{
    struct strbuf text = {0};
    for (size_t i = 0; i < load->diags.count; i++)
        strbuf_append_format(&text, "%s%s", i == 0 ? "" : "\n", load->diags.items[i].message);
    return strbuf_take(&text);
}

static inline void assert_messages(const struct load *load, const char *expected)
{
    char *found = load_messages(load);
    assert_string_equal(found, expected);
    free(found);
}

/* The run fails with exactly these messages and this exit code. */
static inline void assert_fails(const char *line, const char *const *variables, int exit_code,
                                const char *expected)
{
    struct load load;
    load_config(&load, line, variables);
    assert_messages(&load, expected);
    assert_int_equal(diag_list_exit_code(&load.diags), exit_code);
    assert_null(load.config);
    load_finish(&load);
}

/* The run succeeds with exactly these warnings; load_finish() is left to the caller. */
static inline void assert_loads(struct load *load, const char *line, const char *const *variables,
                                const char *warnings)
{
    load_config(load, line, variables);
    assert_messages(load, warnings);
    assert_non_null(load->config);
}

#endif
