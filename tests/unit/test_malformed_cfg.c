/* Profile files that are malformed, that the two SDKs read differently, or that are no files: the
 * exact sentence for each. Nothing of a value is ever in it. */
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
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

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
    /* comments behind values */
    {TEXT("[a]\ntoken = " SECRET " # c\n"), "cfg:2:18: " COMMENT("#", "token")},
    {TEXT("[a]\ntoken = " SECRET " ;\n"), "cfg:2:18: " COMMENT(";", "token")},
    {TEXT("[a]\ntoken = a ;b #c\n"), "cfg:2:14: " COMMENT("#", "token")},
    {TEXT("[a]\nunknown = #1 #2\n"), "cfg:2:14: " COMMENT("#", "unknown")},
    /* quotes */
    {TEXT("[a]\ntoken = \"" SECRET "\"\n"), "cfg:2:9: " QUOTES("token")},
    {TEXT("[a]\ntoken = '" SECRET "'\n"), "cfg:2:9: " QUOTES("token")},
    {TEXT("[a]\ntoken = `" SECRET "`\n"), "cfg:2:9: " QUOTES("token")},
    {TEXT("[a]\ntoken = `" SECRET "\n"), "cfg:2:9: " QUOTES("token")},
    {TEXT("[a]\ntoken = \"\"\"" SECRET "\n"), "cfg:2:9: " QUOTES("token")},
    {TEXT("[a]\ntoken=\"\"\n"), "cfg:2:7: " QUOTES("token")},
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
    {TEXT("[__settings__]\ndefault_profile = %(x)s\n"),
     "cfg:2: default_profile has \"%(\", which only the Go SDK would expand: name the profile "
     "itself"},
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

static void test_long_names_are_cut_in_messages(void **state)
{
    struct strbuf text = {0}, message = {0};
    strbuf_append_text(&text, "[a]\n");
    for (int i = 0; i < 2000; i++)
        strbuf_append_char(&text, 'k');
    strbuf_append_text(&text, " = '" SECRET "'");
    strbuf_append_text(&message, "cfg:2:2004: the quotes around the value of ");
    for (int i = 0; i < 64; i++)
        strbuf_append_char(&message, 'k');
    strbuf_append_text(&message, " are a part of it for the Python SDK and not for the Go SDK: "
                                 "remove them");
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

/* --- files ------------------------------------------------------------------------------- */

struct scratch {
    char dir[64];
    char path[128];
};

/* What happens to the file of a test while the loader reads it. */
static struct {
    const char *path;
    void (*change)(const char *path);
    int times;
} meanwhile;

/* Takes the place of libc's for the whole program, so that the file can change at the one moment
 * that matters: after its size was asked for and before its first byte is read. Under another name
 * here, since the header may define an inline read(). */
ssize_t read_meanwhile(int fd, void *buffer, size_t size) __asm__("read");

ssize_t read_meanwhile(int fd, void *buffer, size_t size)
{
    if (meanwhile.times > 0 && lseek(fd, 0, SEEK_CUR) == 0) {
        meanwhile.times--;
        meanwhile.change(meanwhile.path);
    }
    return syscall(SYS_read, fd, buffer, size);
}

static int make_scratch(void **state)
{
    struct scratch *scratch = xcalloc(1, sizeof *scratch);
    const char *tmp = getenv("TMPDIR");
    snprintf(scratch->dir, sizeof scratch->dir, "%.40s/cfg-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(scratch->dir) == NULL)
        return -1;
    snprintf(scratch->path, sizeof scratch->path, "%s/cfg", scratch->dir);
    *state = scratch;
    return 0;
}

static int remove_scratch(void **state)
{
    struct scratch *scratch = *state;
    meanwhile.times = 0;
    unlink(scratch->path);
    rmdir(scratch->path);
    rmdir(scratch->dir);
    free(scratch);
    return 0;
}

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
    assert_int_equal(symlink("cfg", scratch->path), 0);
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
    assert_load(scratch->path, CFG_FAILED, EX_CONFIG, ":3:1: " NO_EQUALS);
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
    {append, "a", "host"}, {shrink, "a", NULL}, {overwrite, "b", "token"}, {replace, "b", "token"}};

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
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_fault_has_its_place),
        cmocka_unit_test(test_long_names_are_cut_in_messages),
        cmocka_unit_test(test_value_too_long),
        cmocka_unit_test(test_too_many_keys_sections_and_entries),
        cmocka_unit_test(test_text_too_large),
        cmocka_unit_test_setup_teardown(test_missing_file, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_not_a_regular_file, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_socket, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_cannot_be_opened, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_file_too_large, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_fault_in_a_file_names_its_path, make_scratch,
                                        remove_scratch),
        cmocka_unit_test(test_home),
        cmocka_unit_test_setup_teardown(test_a_change_while_reading_is_read_again, make_scratch,
                                        remove_scratch),
        cmocka_unit_test_setup_teardown(test_a_file_that_keeps_changing_is_left_alone, make_scratch,
                                        remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
