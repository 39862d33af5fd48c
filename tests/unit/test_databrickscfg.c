/* Profile files that both SDKs read alike: what each line becomes, and how the file is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/strbuf.h"
#include "conf/databrickscfg.h"
#include "tests/unit/scratch.h"

static struct databrickscfg *parsed_bytes(const char *bytes, size_t len)
{
    struct databrickscfg *cfg = NULL;
    struct err err = {0};
    if (!databrickscfg_parse("cfg", bytes, len, &cfg, &err))
        fail_msg("%s", err.message);
    return cfg;
}

static struct databrickscfg *parsed(const char *text)
{
    return parsed_bytes(text, strlen(text));
}

static void assert_value(const struct databrickscfg *cfg, const char *profile, const char *key,
                         const char *value, unsigned line)
{
    const struct cfg_profile *section = databrickscfg_profile(cfg, profile);
    assert_non_null(section);
    const struct cfg_entry *entry = cfg_profile_get(section, key);
    assert_non_null(entry);
    assert_string_equal(entry->value.bytes, value);
    assert_int_equal(entry->value.len, strlen(value));
    assert_int_equal(entry->line, line);
}

/* --- lines ------------------------------------------------------------------------------- */

static void test_values_with_their_lines(void **state)
{
    struct databrickscfg *cfg = parsed("; a comment\n"
                                       "[DEFAULT]\n"
                                       "host = https://one.example.test/\n"
                                       "\n"
                                       "  # indented comment\n"
                                       "token: t1\n"
                                       "[dev]\n"
                                       "Cluster_ID=c:1=2\n");
    assert_string_equal(cfg->path, "cfg");
    assert_int_equal(cfg->count, 2);
    assert_string_equal(cfg->profiles[0].name, "DEFAULT");
    assert_int_equal(cfg->profiles[0].line, 2);
    assert_int_equal(cfg->profiles[1].line, 7);
    assert_value(cfg, "DEFAULT", "host", "https://one.example.test/", 3);
    assert_value(cfg, "DEFAULT", "token", "t1", 6);
    assert_value(cfg, "dev", "cluster_id", "c:1=2", 8);
    assert_null(databrickscfg_profile(cfg, "default"));
    assert_null(databrickscfg_profile(cfg, "absent"));
    assert_null(cfg_profile_get(&cfg->profiles[1], "host"));
    assert_null(cfg->default_profile);
    databrickscfg_destroy(cfg);
}

/* Each line alone in a section: what both SDKs make of it (checked against both). */
static void test_values_as_both_sdks_read_them(void **state)
{
    static const struct {
        const char *line, *key, *value;
    } cases[] = {
        {"token = t", "token", "t"},
        {"token=t", "token", "t"},
        {"token :t", "token", "t"},
        {"token\t=\tt\t ", "token", "t"},
        {"token == t", "token", "= t"},
        {"token := t", "token", "= t"},
        {"token =: t", "token", ": t"},
        {"TOKEN = Tt", "token", "Tt"},
        {"my key = two words", "my key", "two words"},
        {"token =", "token", ""},
        {"token:", "token", ""},
        {"token = # c", "token", "# c"},
        {"token = ;c", "token", ";c"},
        {"token = a#b;c", "token", "a#b;c"},
        {"token = a\t# c", "token", "a\t# c"},
        {"token = 100%", "token", "100%"},
        {"token = %Y%(x)s", "token", "%Y%(x)s"},
        {"token = ${HOME}", "token", "${HOME}"},
        {"token = \"a", "token", "\"a"},
        {"token = a\"", "token", "a\""},
        {"token = \"a\"b\"", "token", "\"a\"b\""},
        {"token = \"a'", "token", "\"a'"},
        {"token = '", "token", "'"},
        {"token = it's", "token", "it's"},
        {"token = a`b`", "token", "a`b`"},
        {"token = a\\b", "token", "a\\b"},
        {"token = a\\ b", "token", "a\\ b"},
        {"token = [a]", "token", "[a]"},
        {"'token' = t", "'token'", "t"},
        {"token = \xc3\xa9", "token", "\xc3\xa9"},
        /* Trimmed as both trim: no-break space, ideographic space, line separator. */
        {"token =\xc2\xa0t\xe3\x80\x80", "token", "t"},
        {"\xe2\x80\xa8token\xc2\xa0 = a\xc2\xa0z", "token", "a\xc2\xa0z"},
        /* Not white space for either. */
        {"token = t\xe2\x80\x8b", "token", "t\xe2\x80\x8b"},
        {"token = t\r", "token", "t"},
        {"    token = t", "token", "t"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = xasprintf("[a]\n%s\n", cases[i].line);
        struct databrickscfg *cfg = parsed(text);
        assert_int_equal(cfg->profiles[0].count, 1);
        assert_value(cfg, "a", cases[i].key, cases[i].value, 2);
        databrickscfg_destroy(cfg);
        /* The same without the last line's end. */
        cfg = parsed_bytes(text, strlen(text) - 1);
        assert_value(cfg, "a", cases[i].key, cases[i].value, 2);
        databrickscfg_destroy(cfg);
        free(text);
    }
}

static void test_crlf(void **state)
{
    struct databrickscfg *cfg = parsed("\r\n[a]\r\nhost = h\r\n\r\n# c\r\ntoken = t\r\n");
    assert_value(cfg, "a", "host", "h", 3);
    assert_value(cfg, "a", "token", "t", 6);
    databrickscfg_destroy(cfg);
}

static void test_indented_keys_side_by_side(void **state)
{
    struct databrickscfg *cfg = parsed("  [a]\n"
                                       "      host = h\n"
                                       "      token = t\n"
                                       "  cluster_id = c\n"
                                       "[b]\n"
                                       "\thost = h2\n"
                                       "            # deeper\n"
                                       "\ttoken = t2\n");
    assert_value(cfg, "a", "host", "h", 2);
    assert_value(cfg, "a", "token", "t", 3);
    assert_value(cfg, "a", "cluster_id", "c", 4);
    assert_value(cfg, "b", "host", "h2", 6);
    assert_value(cfg, "b", "token", "t2", 8);
    databrickscfg_destroy(cfg);
}

static void test_section_names_stay_as_written(void **state)
{
    struct databrickscfg *cfg =
        parsed("[ a ]\n[A]\n[pat.with.dot] ; c\n[x = y]\n[[z]#c\n[\xc3\xa9]");
    static const char *const names[] = {" a ", "A", "pat.with.dot", "x = y", "[z", "\xc3\xa9"};
    assert_int_equal(cfg->count, sizeof names / sizeof names[0]);
    for (size_t i = 0; i < cfg->count; i++) {
        assert_string_equal(cfg->profiles[i].name, names[i]);
        assert_int_equal(cfg->profiles[i].line, i + 1);
        assert_int_equal(cfg->profiles[i].count, 0);
    }
    databrickscfg_destroy(cfg);
}

static void test_no_inheritance_from_default(void **state)
{
    struct databrickscfg *cfg = parsed("[DEFAULT]\ntoken = t\n[a]\nhost = h\n");
    assert_null(cfg_profile_get(databrickscfg_profile(cfg, "a"), "token"));
    databrickscfg_destroy(cfg);
}

static void test_default_may_go_on(void **state)
{
    struct databrickscfg *cfg =
        parsed("[DEFAULT]\nhost = h\n[a]\nhost = x\n[DEFAULT]\ntoken = t\n");
    assert_int_equal(cfg->count, 2);
    assert_int_equal(databrickscfg_profile(cfg, "DEFAULT")->line, 1);
    assert_value(cfg, "DEFAULT", "host", "h", 2);
    assert_value(cfg, "DEFAULT", "token", "t", 6);
    databrickscfg_destroy(cfg);
}

static void test_files_without_profiles(void **state)
{
    static const char *const texts[] = {"", "\n", "# c", "\r\n  \t\n;c\n", "\xc2\xa0\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct databrickscfg *cfg = parsed(texts[i]);
        assert_int_equal(cfg->count, 0);
        assert_null(cfg->default_profile);
        databrickscfg_destroy(cfg);
    }
    databrickscfg_destroy(NULL);
}

/* --- settings ---------------------------------------------------------------------------- */

static void test_settings_name_the_default_profile(void **state)
{
    struct databrickscfg *cfg = parsed("[a]\nhost = h\n"
                                       "[__settings__]\nother = %(x)s\nDefault_Profile = a b\n"
                                       "[b]\ntoken = t\n[c]\n");
    assert_string_equal(cfg->default_profile, "a b");
    assert_int_equal(cfg->default_profile_line, 5);
    assert_int_equal(cfg->count, 3);
    assert_null(databrickscfg_profile(cfg, "__settings__"));
    assert_value(cfg, "a", "host", "h", 2);
    assert_value(cfg, "b", "token", "t", 7);
    databrickscfg_destroy(cfg);
}

static void test_settings_alone_and_empty(void **state)
{
    static const char *const texts[] = {
        "[__settings__]\n",
        "[__settings__]\ndefault_profile =\n",
        "[__settings__]\nother = x\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct databrickscfg *cfg = parsed(texts[i]);
        assert_null(cfg->default_profile);
        assert_int_equal(cfg->count, 0);
        databrickscfg_destroy(cfg);
    }
}

/* --- limits ------------------------------------------------------------------------------ */

static void test_long_values_are_kept_whole(void **state)
{
    static const size_t lens[] = {191, 200, 400, 4096, 100000, DATABRICKSCFG_MAX_VALUE_BYTES};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct strbuf text = {0};
        strbuf_append_text(&text, "[a]\ntoken = ");
        for (size_t k = 0; k < lens[i]; k++)
            strbuf_append_char(&text, (char)('a' + k % 26));
        strbuf_append_text(&text, "\nhost = h\n");
        struct databrickscfg *cfg = parsed(strbuf_text(&text));
        const struct cfg_entry *entry = cfg_profile_get(&cfg->profiles[0], "token");
        assert_int_equal(entry->value.len, lens[i]);
        assert_memory_equal(entry->value.bytes, strbuf_text(&text) + 12, lens[i]);
        assert_value(cfg, "a", "host", "h", 3);
        databrickscfg_destroy(cfg);
        strbuf_finish(&text);
    }
}

static void test_as_many_profiles_and_keys_as_allowed(void **state)
{
    struct strbuf text = {.limit = DATABRICKSCFG_MAX_BYTES};
    for (int i = 0; i < DATABRICKSCFG_MAX_PROFILES; i++)
        strbuf_append_format(&text, "[p%d]\n", i);
    for (int i = 0; i < DATABRICKSCFG_MAX_KEYS; i++)
        strbuf_append_format(&text, "k%d=v%d\n", i, i);
    struct databrickscfg *cfg = parsed(strbuf_text(&text));
    assert_int_equal(cfg->count, DATABRICKSCFG_MAX_PROFILES);
    const struct cfg_profile *last = databrickscfg_profile(cfg, "p4095");
    assert_int_equal(last->count, DATABRICKSCFG_MAX_KEYS);
    assert_value(cfg, "p4095", "k255", "v255", 4096 + 256);
    databrickscfg_destroy(cfg);
    strbuf_finish(&text);
}

/* --- reading ----------------------------------------------------------------------------- */

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void test_load_says_who_may_read(void **state)
{
    struct scratch *scratch = *state;
    static const struct {
        mode_t mode;
        bool readable_by_others;
    } cases[] = {{0600, false}, {0400, false}, {0622, false}, {0640, true}, {0604, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_file(scratch->path, "[a]\ntoken = t\n", 0600);
        assert_int_equal(chmod(scratch->path, cases[i].mode), 0);
        struct databrickscfg *cfg = NULL;
        struct err err = {0};
        assert_int_equal(databrickscfg_load(scratch->path, &cfg, &err), CFG_LOADED);
        assert_int_equal(cfg->readable_by_others, cases[i].readable_by_others);
        assert_string_equal(cfg->path, scratch->path);
        assert_value(cfg, "a", "token", "t", 2);
        databrickscfg_destroy(cfg);
    }
}

static void test_load_of_an_empty_file(void **state)
{
    struct scratch *scratch = *state;
    write_file(scratch->path, "", 0600);
    struct databrickscfg *cfg = NULL;
    assert_int_equal(databrickscfg_load(scratch->path, &cfg, NULL), CFG_LOADED);
    assert_int_equal(cfg->count, 0);
    databrickscfg_destroy(cfg);
}

static void test_load_through_a_symlink_and_home(void **state)
{
    struct scratch *scratch = *state;
    char target[128];
    snprintf(target, sizeof target, "%s/real", scratch->dir);
    write_file(target, "[a]\ntoken = t\n", 0600);
    unlink(scratch->path);
    assert_int_equal(symlink("real", scratch->path), 0);
    char *home = getenv("HOME") != NULL ? xstrdup(getenv("HOME")) : NULL;
    setenv("HOME", scratch->dir, 1);
    struct databrickscfg *cfg = NULL;
    struct err err = {0};
    enum cfg_load_result result = databrickscfg_load("~/.databrickscfg", &cfg, &err);
    if (home != NULL)
        setenv("HOME", home, 1);
    free(home);
    unlink(target);
    assert_int_equal(result, CFG_LOADED);
    assert_string_equal(cfg->path, scratch->path);
    assert_value(cfg, "a", "token", "t", 2);
    databrickscfg_destroy(cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_with_their_lines),
        cmocka_unit_test(test_values_as_both_sdks_read_them),
        cmocka_unit_test(test_crlf),
        cmocka_unit_test(test_indented_keys_side_by_side),
        cmocka_unit_test(test_section_names_stay_as_written),
        cmocka_unit_test(test_no_inheritance_from_default),
        cmocka_unit_test(test_default_may_go_on),
        cmocka_unit_test(test_files_without_profiles),
        cmocka_unit_test(test_settings_name_the_default_profile),
        cmocka_unit_test(test_settings_alone_and_empty),
        cmocka_unit_test(test_long_values_are_kept_whole),
        cmocka_unit_test(test_as_many_profiles_and_keys_as_allowed),
        cmocka_unit_test(test_load_says_who_may_read),
        cmocka_unit_test(test_load_of_an_empty_file),
        cmocka_unit_test(test_load_through_a_symlink_and_home),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
