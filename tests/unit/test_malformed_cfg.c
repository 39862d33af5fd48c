/* Profile files that are malformed or that the two SDKs read differently: the exact sentence for
 * each. Nothing of a value is ever in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "common/strbuf.h"
#include "conf/databrickscfg.h"

/* Stands in values; no message may show it. */
#define SECRET "dapi0123"

/* --- text -------------------------------------------------------------------------------- */

#define NO_EQUALS "this line has no '=': write key = value, or '#' in front of a comment"
#define NO_SECTION                                                                                 \
    "this line stands before the first section: the Python SDK refuses that: put "                 \
    "[DEFAULT] in front of it"
#define DEEPER                                                                                     \
    "a line further in than the key before goes on with its value for the Python SDK and "         \
    "not for the Go SDK: remove the white space in front"
#define COMMENT(c, key)                                                                            \
    "'" c "' after a space in the value of " key " is a part of it for the Python SDK and "        \
    "a comment for the Go SDK: put comments on a line of their own"
#define QUOTES(key)                                                                                \
    "the quotes around the value of " key " are a part of it for the Python SDK and not for "      \
    "the Go SDK: remove them"
#define BACKSLASH(key)                                                                             \
    "'\\' at the end of the value of " key " is a part of it for the Python SDK and joins "        \
    "the next line for the Go SDK: remove it"
#define OPEN_ENDED(key)                                                                            \
    "the value of " key " ends with its line for the Python SDK and at another such quotation "    \
    "mark for the Go SDK: remove it"
#define KEY_QUOTES                                                                                 \
    "quotes at the beginning of a key are a part of it for the Python SDK and not for the "        \
    "Go SDK: remove them"
#define KEY_LETTER                                                                                 \
    "a letter that is not ASCII in a key: the Python SDK folds its case and the Go SDK does "      \
    "not: use ASCII letters"
#define TWICE(name, line)                                                                          \
    name " is in this section already, on line " line ": the Python SDK refuses that and the "     \
         "Go SDK takes the last: remove one"
#define SECTION_TWICE(name, line)                                                                  \
    "section " name " began on line " line " already: the Python SDK refuses that and the "        \
    "Go SDK joins the two: make them one"
#define NOT_UTF8 "not UTF-8: save the file as UTF-8"
#define LONE_CR  "a carriage return inside the line ends it for the Python SDK only: remove it"

/* Text with its length, since it may hold a NUL. */
#define TEXT(literal) literal, sizeof(literal) - 1

static const struct {
    const char *bytes;
    size_t len;
    const char *message;
} faults[] = {
    /* no section */
    {TEXT("token = " SECRET "\n"), "cfg:1:1: " NO_SECTION},
    {TEXT("# c\n\n  host: h\n[a]\n"), "cfg:3:3: " NO_SECTION},
    {TEXT(SECRET), "cfg:1:1: " NO_SECTION},
    {TEXT("{\"token\": \"" SECRET "\"}"), "cfg:1:1: " NO_SECTION},
    /* neither a section, a key nor a comment */
    {TEXT("[a]\nhost = h\ntoken " SECRET "\n"), "cfg:3:1: " NO_EQUALS},
    {TEXT("[a]\n  " SECRET), "cfg:2:3: " NO_EQUALS},
    {TEXT("[a]\n<<<<<<< HEAD\n"), "cfg:2:1: " NO_EQUALS},
    {TEXT("[a]\n// c\n"), "cfg:2:1: " NO_EQUALS},
    {TEXT("[a]\na]\n"), "cfg:2:1: " NO_EQUALS},
    /* empty keys */
    {TEXT("[a]\n= " SECRET "\n"), "cfg:2:1: the key in front of '=' is missing: write key = value"},
    {TEXT("[a]\n\t: " SECRET "\n"),
     "cfg:2:2: the key in front of ':' is missing: write key = value"},
    {TEXT("[a]\n=======\n"), "cfg:2:1: the key in front of '=' is missing: write key = value"},
    /* section headers */
    {TEXT("[a\ntoken = t\n"), "cfg:1:1: the ']' that ends the section's name is missing"},
    {TEXT("[a]\n[b = c\n"), "cfg:2:1: the ']' that ends the section's name is missing"},
    {TEXT("  ["), "cfg:1:3: the ']' that ends the section's name is missing"},
    {TEXT("[]\n"), "cfg:1:1: the section has no name: write [NAME]"},
    {TEXT("[ \t]\n"), "cfg:1:1: the section has no name: write [NAME]"},
    {TEXT("[\xc2\xa0]\n"), "cfg:1:1: the section has no name: write [NAME]"},
    {TEXT("[a] token = " SECRET "\n"),
     "cfg:1:5: the SDKs overlook what follows the ']': put it on a line of its own"},
    {TEXT("[a]b]\n"),
     "cfg:1:4: the SDKs overlook what follows the ']': put it on a line of its own"},
    {TEXT("[a] # see [b]\n"), "cfg:1:13: the SDKs end the section's name at the last ']' of the "
                              "line: put the comment on a line of its own"},
    /* duplicates */
    {TEXT("[a]\nhost = h\n[b]\n[a]\ntoken = t\n"), "cfg:4:2: " SECTION_TWICE("a", "1")},
    {TEXT("[__settings__]\n\n[__settings__]\n"), "cfg:3:2: " SECTION_TWICE("__settings__", "1")},
    {TEXT("[a]\ntoken = " SECRET "\ntoken = " SECRET "\n"), "cfg:3:1: " TWICE("token", "2")},
    {TEXT("[a]\ntoken = 1\nhost = h\nTOKEN: 2\n"), "cfg:4:1: " TWICE("TOKEN", "2")},
    {TEXT("[DEFAULT]\nhost = 1\n[a]\n[DEFAULT]\nhost = 2\n"), "cfg:5:1: " TWICE("host", "2")},
    /* continuation lines */
    {TEXT("[a]\ntoken = " SECRET "\n  " SECRET "\n"), "cfg:3:3: " DEEPER},
    {TEXT("[a]\nhost = h\n token = t\n"), "cfg:3:2: " DEEPER},
    {TEXT("[a]\nhost = h\n\n# c\n\n\ttoken = t\n"), "cfg:6:2: " DEEPER},
    {TEXT("[a]\nhost = h\n [b]\n"), "cfg:3:2: " DEEPER},
    {TEXT("[a]\n  host = h\n   token = t\n"), "cfg:3:4: " DEEPER},
    {TEXT("[a]\nhost =\n  h\n"), "cfg:3:3: " DEEPER},
    {TEXT("[a]\nhost = h\n\xc2\xa0token = t\n"), "cfg:3:3: " DEEPER},
    /* quotes that open and do not close */
    {TEXT("[a]\ntoken = `" SECRET "\n"), "cfg:2:9: " OPEN_ENDED("token")},
    {TEXT("[a]\ntoken = \"\"\"" SECRET "\n"), "cfg:2:9: " OPEN_ENDED("token")},
    /* quotes in keys */
    {TEXT("[a]\n\"token\" = " SECRET "\n"), "cfg:2:1: " KEY_QUOTES},
    {TEXT("[a]\n`token = " SECRET "\n"), "cfg:2:1: " KEY_QUOTES},
    /* backslashes */
    {TEXT("[a]\ntoken = " SECRET "\\\nhost = h\n"), "cfg:2:17: " BACKSLASH("token")},
    {TEXT("[a]\ntoken = \\  \n"), "cfg:2:9: " BACKSLASH("token")},
    {TEXT("[a]\ntoken = C:\\"), "cfg:2:11: " BACKSLASH("token")},
    /* keys */
    {TEXT("[a]\n- = x\n"), "cfg:2:1: the key '-' is a number for the Go SDK and a name for the "
                           "Python SDK: remove the line"},
    {TEXT("[a]\nclust\xc3\xa9r = x\n"), "cfg:2:6: " KEY_LETTER},
    {TEXT("[a]\nto\xe2\x84\xaa"
          "en = " SECRET "\n"),
     "cfg:2:3: " KEY_LETTER},
    /* encodings */
    {TEXT("\xef\xbb\xbf[a]\n"), "cfg:1:1: the file begins with a byte order mark, which the Python "
                                "SDK refuses: save it as UTF-8 without one"},
    {TEXT("\xff\xfe[\0a\0]\0"), "cfg:1:1: the file is UTF-16: save it as UTF-8"},
    {TEXT("\xfe\xff\0[\0a\0]"), "cfg:1:1: the file is UTF-16: save it as UTF-8"},
    {TEXT("[a]\nname = J\xfcrgen\n"), "cfg:2:9: " NOT_UTF8},
    {TEXT("[a]\nname = \xc0\xaf\n"), "cfg:2:8: " NOT_UTF8},
    {TEXT("[a]\nname = \xed\xa0\x80\n"), "cfg:2:8: " NOT_UTF8},
    {TEXT("[a]\nname = \xe2\x82"), "cfg:2:8: " NOT_UTF8},
    {TEXT("# \x80\n[a]\n"), "cfg:1:3: " NOT_UTF8},
    /* control characters */
    {TEXT("[a]\ntoken = " SECRET "\rhost = h\n"), "cfg:2:17: " LONE_CR},
    {TEXT("[a]\r[b]\r"), "cfg:1:4: " LONE_CR},
    {TEXT("# c\r[a]\n"), "cfg:1:4: " LONE_CR},
    {TEXT("[a]\r\r\n"), "cfg:1:4: " LONE_CR},
    {TEXT("[a]\ntoken = " SECRET "\0x\n"), "cfg:2:17: a control character (0x00): remove it"},
    {TEXT("\0"), "cfg:1:1: a control character (0x00): remove it"},
    {TEXT("[a]\n# \x1b[31m\n"), "cfg:2:3: a control character (0x1b): remove it"},
    {TEXT("[a]\n\f\n"), "cfg:2:1: a control character (0x0c): remove it"},
    {TEXT("[a]\ntoken = t\x7f\n"), "cfg:2:10: a control character (0x7f): remove it"},
    /* settings */
    {TEXT("[__settings__]\ndefault_profile = 'a'\n"), "cfg:2:19: " QUOTES("default_profile")},
    {TEXT("[__settings__]\ndefault_profile = %(x)s\n"),
     "cfg:2: default_profile has \"%(\", which only the Go SDK would expand: name the profile "
     "itself"},
};

/* In one value only: the file is read, and that profile, its first, is not to be used. */
static const struct {
    const char *bytes;
    size_t len;
    const char *message;
} doubts[] = {
    /* comments behind values */
    {TEXT("[a]\ntoken = " SECRET " # c\n"), "cfg:2:18: " COMMENT("#", "token")},
    {TEXT("[a]\ntoken = " SECRET " ;\n"), "cfg:2:18: " COMMENT(";", "token")},
    {TEXT("[a]\ntoken = a ;b #c\n"), "cfg:2:14: " COMMENT("#", "token")},
    {TEXT("[a]\nunknown = #1 #2\n"), "cfg:2:14: " COMMENT("#", "unknown")},
    /* quotes */
    {TEXT("[a]\ntoken = \"" SECRET "\"\n"), "cfg:2:9: " QUOTES("token")},
    {TEXT("[a]\ntoken = '" SECRET "'\n"), "cfg:2:9: " QUOTES("token")},
    {TEXT("[a]\ntoken = `" SECRET "`\n"), "cfg:2:9: " QUOTES("token")},
    {TEXT("[a]\ntoken=\"\"\n"), "cfg:2:7: " QUOTES("token")},
    {TEXT("[a]\ntoken = \"\"\"" SECRET "\"\"\"\n"), "cfg:2:9: " QUOTES("token")},
    /* the first of several is told */
    {TEXT("[a]\nhost = 'h'\ntoken = \"" SECRET "\"\n"), "cfg:2:8: " QUOTES("host")},
    {TEXT("[a]\nhost = 'h' # c\n"), "cfg:2:12: " COMMENT("#", "host")},
    {TEXT("[DEFAULT]\nhost = h\n[b]\n[DEFAULT]\ntoken = t ;\n"),
     "cfg:5:11: " COMMENT(";", "token")},
};

static void assert_refused(const char *bytes, size_t len, const char *message)
{
    struct databrickscfg *cfg = NULL;
    struct err err = {0};
    /* On the heap, so that reading past the end is seen. */
    char *copy = xcalloc(1, len > 0 ? len : 1);
    memcpy(copy, bytes, len);
    bool ok = databrickscfg_parse("cfg", copy, len, &cfg, &err);
    free(copy);
    if (ok)
        fail_msg("accepted instead of %s", message);
    assert_null(cfg);
    assert_string_equal(err.message, message);
    assert_int_equal(err.exit_code, EX_CONFIG);
    assert_null(strstr(err.message, SECRET));
}

static void test_every_fault_has_its_place(void **state)
{
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        assert_refused(faults[i].bytes, faults[i].len, faults[i].message);
}

static void test_every_doubt_has_its_place(void **state)
{
    for (size_t i = 0; i < sizeof doubts / sizeof doubts[0]; i++) {
        struct databrickscfg *cfg = NULL;
        struct err err = {0};
        /* A profile beside it is not in doubt. */
        char *text = xasprintf("%.*s\n[beside]\ntoken = t\n", (int)doubts[i].len, doubts[i].bytes);
        assert_true(databrickscfg_parse("cfg", text, strlen(text), &cfg, &err));
        free(text);
        assert_true(cfg_profile_check(databrickscfg_profile(cfg, "beside"), &err));
        assert_false(cfg_profile_check(&cfg->profiles[0], &err));
        assert_string_equal(err.message, doubts[i].message);
        assert_int_equal(err.exit_code, EX_CONFIG);
        assert_null(strstr(err.message, SECRET));
        databrickscfg_destroy(cfg);
    }
}

static void test_long_names_are_cut_in_messages(void **state)
{
    struct strbuf text = {0}, message = {0};
    strbuf_append_text(&text, "[a]\n");
    for (int i = 0; i < 2000; i++)
        strbuf_append_char(&text, 'k');
    strbuf_append_text(&text, " = `" SECRET);
    strbuf_append_text(&message, "cfg:2:2004: the value of ");
    for (int i = 0; i < 64; i++)
        strbuf_append_char(&message, 'k');
    strbuf_append_text(&message, " ends with its line for the Python SDK and at another such "
                                 "quotation mark for the Go SDK: remove it");
    assert_refused(text.text, text.len, message.text);
    strbuf_finish(&text);
    strbuf_finish(&message);
}

/* --- limits ------------------------------------------------------------------------------ */

static void test_value_too_long(void **state)
{
    static const size_t lens[] = {DATABRICKSCFG_MAX_VALUE_BYTES + 1, 1 << 20};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct strbuf text = {.limit = DATABRICKSCFG_MAX_BYTES};
        strbuf_append_text(&text, "[a]\ntoken = ");
        for (size_t k = 0; k < lens[i]; k++)
            strbuf_append_char(&text, 'x');
        assert_refused(text.text, text.len, "cfg:2:9: the value of token is longer than 128 KiB");
        strbuf_finish(&text);
    }
}

static void test_too_many_keys_sections_and_entries(void **state)
{
    struct strbuf text = {.limit = DATABRICKSCFG_MAX_BYTES};
    strbuf_append_text(&text, "[a]\n");
    for (int i = 0; i <= DATABRICKSCFG_MAX_KEYS; i++)
        strbuf_append_format(&text, "k%d =\n", i);
    assert_refused(text.text, text.len, "cfg:258:1: more than 256 keys in one section");
    strbuf_finish(&text);

    text.limit = DATABRICKSCFG_MAX_BYTES;
    for (int i = 0; i <= DATABRICKSCFG_MAX_PROFILES; i++)
        strbuf_append_format(&text, "[p%d]\n", i);
    assert_refused(text.text, text.len, "cfg:4097:2: more than 4096 sections");
    strbuf_finish(&text);

    text.limit = DATABRICKSCFG_MAX_BYTES;
    for (int i = 0; i <= DATABRICKSCFG_MAX_ENTRIES / DATABRICKSCFG_MAX_KEYS; i++) {
        strbuf_append_format(&text, "[p%d]\n", i);
        for (int k = 0; k < DATABRICKSCFG_MAX_KEYS; k++)
            strbuf_append_format(&text, "k%d=\n", k);
    }
    assert_refused(text.text, text.len, "cfg:65794:1: more than 65536 keys in one file");
    strbuf_finish(&text);
}

static void test_text_too_large(void **state)
{
    char *text = xcalloc(1, DATABRICKSCFG_MAX_BYTES + 1);
    memset(text, '\n', DATABRICKSCFG_MAX_BYTES + 1);
    struct databrickscfg *cfg = NULL;
    assert_true(databrickscfg_parse("cfg", text, DATABRICKSCFG_MAX_BYTES, &cfg, NULL));
    databrickscfg_destroy(cfg);
    assert_refused(text, DATABRICKSCFG_MAX_BYTES + 1, "cfg: larger than 4 MiB");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_fault_has_its_place),
        cmocka_unit_test(test_every_doubt_has_its_place),
        cmocka_unit_test(test_long_names_are_cut_in_messages),
        cmocka_unit_test(test_value_too_long),
        cmocka_unit_test(test_too_many_keys_sections_and_entries),
        cmocka_unit_test(test_text_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
