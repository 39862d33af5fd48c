/* Reading the YAML file: every malformed one gets its exact messages, and the sample file none. */
#include "common/secret_memory.h"
#include "conf/schema.h"
#include "conf/yaml_tree.h"
#include "tests/unit/load_config.h"
#include "tests/unit/meanwhile.h"

enum { CASES_SIZE = 1 << 16 };

static char cases[CASES_SIZE];

static int read_cases(void **state)
{
    FILE *file = fopen("tests/unit/malformed_yaml.txt", "rb");
    if (file == NULL)
        return 1;
    size_t len = fread(cases, 1, sizeof cases - 1, file);
    cases[len] = '\0';
    fclose(file);
    return len == 0 || len == sizeof cases - 1 || load_config_setup(state);
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Runs the case whose title is at `title`; returns the next title, NULL behind the last. */
static char *run_case(char *title)
{
    struct strbuf yaml = {0};
    struct strbuf messages = {0};
    char *line = strchr(title, '\n') + 1;
    while (*line != '\0' && !starts_with(line, "@@ ")) {
        size_t len = strcspn(line, "\n") + 1;
        if (starts_with(line, "!! "))
            strbuf_append_format(&messages, "%ssparkbridge.yaml:%.*s", messages.len > 0 ? "\n" : "",
                                 (int)len - 4, line + 3);
        else
            strbuf_append(&yaml, line, len);
        line += len;
    }
    print_message("%.*s\n", (int)strcspn(title, "\n"), title);
    assert_true(messages.len > 0);
    write_text("sparkbridge.yaml", strbuf_text(&yaml));
    assert_fails("run --config sparkbridge.yaml", NULL, EX_CONFIG, strbuf_text(&messages));
    strbuf_finish(&yaml);
    strbuf_finish(&messages);
    return *line != '\0' ? line : NULL;
}

static void test_malformed(void **state)
{
    size_t count = 0;
    for (char *title = strstr(cases, "\n@@ ") + 1; title != NULL; title = run_case(title))
        count++;
    assert_true(count >= 40);
}

static void assert_bytes_fail(const void *bytes, size_t len, int exit_code, const char *expected)
{
    write_file("sparkbridge.yaml", bytes, len, 0600);
    assert_fails("run --config sparkbridge.yaml", NULL, exit_code, expected);
}

static void test_bytes(void **state)
{
    static const char nul[] = "version: 1\n# caf\xc3\xa9 \0\n";
    static const char utf16[] = "\xff\xfe"
                                "v\0e\0r\0";
    static const char not_utf8[] = "version: 1\n# \xff\xfe\n";
    static const char control[] = "version: 1\nlog: { level: \x01 }\n";
    static const char tab[] = "version: 1\nlog:\n\tlevel: info\n";
    static const char key[] = "version: 1\nl\xc3\xb6g\x61: 1\n";
    assert_bytes_fail(nul, sizeof nul - 1, EX_CONFIG,
                      "sparkbridge.yaml:2:8: a NUL byte; this is not a text file");
    assert_bytes_fail(utf16, sizeof utf16 - 1, EX_CONFIG,
                      "sparkbridge.yaml:1:1: is UTF-16; save the file as UTF-8");
    assert_bytes_fail(
        not_utf8, sizeof not_utf8 - 1, EX_CONFIG,
        "sparkbridge.yaml:2:3: not valid YAML: not UTF-8; save the file in this encoding");
    assert_bytes_fail(
        control, sizeof control - 1, EX_CONFIG,
        "sparkbridge.yaml:2:15: not valid YAML: a control character, which YAML does not allow");
    assert_bytes_fail(tab, sizeof tab - 1, EX_CONFIG,
                      "sparkbridge.yaml:3:1: not valid YAML: a tab cannot indent; use spaces");
    assert_bytes_fail(key, sizeof key - 1, EX_CONFIG, "sparkbridge.yaml:2:1: l??ga: unknown key");
}

static void test_byte_order_mark(void **state)
{
    struct load load;
    write_text("sparkbridge.yaml", "\xef\xbb\xbfversion: 1\nlog: { level: debug }\n");
    assert_loads(&load, "run -c sparkbridge.yaml", NULL, "");
    assert_int_equal(load.config->log_level, LOG_LEVEL_DEBUG);
    load_finish(&load);
}

static void assert_text_fails(struct strbuf *text, int exit_code, const char *expected)
{
    assert_bytes_fail(strbuf_text(text), text->len, exit_code, expected);
    strbuf_finish(text);
}

/* Limits end the reading before memory or time run out. */
static void test_limits(void **state)
{
    struct strbuf text = {.limit = 10 << 20};
    while (!text.cut)
        strbuf_append_text(&text, "################################\n");
    assert_text_fails(&text, EX_NOINPUT,
                      "sparkbridge.yaml: is larger than 1024 KiB, more than it may be");
    strbuf_append_text(&text, "a:  ");
    for (size_t i = 0; i < 4096; i++)
        strbuf_append_char(&text, '[');
    assert_text_fails(&text, EX_CONFIG, "sparkbridge.yaml:1:36: nested more than 32 levels deep");
    for (size_t i = 0; i < 11000; i++)
        strbuf_append_text(&text, "- a\n");
    assert_text_fails(&text, EX_CONFIG,
                      "sparkbridge.yaml:10000:3: the file has more than 10000 values");
    strbuf_append_text(&text, "version: 1\nlisteners:\n");
    for (size_t i = 0; i < 65; i++)
        strbuf_append_format(&text, "  - { name: l%zu, listen: [\"localhost:0\"] }\n", i);
    assert_text_fails(&text, EX_CONFIG,
                      "sparkbridge.yaml:67:5: listeners: has more than 64 listeners");
}

static void test_alias_bomb(void **state)
{
    write_text("sparkbridge.yaml", "a: &a [x,x,x,x,x,x,x,x,x]\n"
                                   "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                                   "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n");
    assert_fails("run --config sparkbridge.yaml", NULL, EX_CONFIG,
                 "sparkbridge.yaml:1:4: anchors (&name) are not supported; write the value out");
}

/* A variable cannot make a value larger than a connection string may be. */
static void test_expansion_bomb(void **state)
{
    struct strbuf yaml = {0};
    struct strbuf variable = {0};
    strbuf_append_text(&yaml, "version: 1\nlisteners: [ { name: a, profile: \"");
    strbuf_append_text(&variable, "BIG=");
    for (size_t i = 0; i < 10000; i++) {
        strbuf_append_text(&yaml, "${BIG}");
        strbuf_append_text(&variable, "xxxxxxxxxx");
    }
    strbuf_append_text(&yaml, "\" } ]\n");
    write_text("sparkbridge.yaml", strbuf_text(&yaml));
    assert_fails("run --config sparkbridge.yaml", VARIABLES(strbuf_text(&variable)), EX_CONFIG,
                 "sparkbridge.yaml:2:34: listeners[0].profile: has more than 65536 bytes");
    strbuf_finish(&yaml);
    strbuf_finish(&variable);
}

/* A value of a megabyte; with its key it is larger than a value may be, not than a file. */
static void test_long_value(void **state)
{
    struct strbuf text = {.limit = 1 << 20};
    strbuf_append_text(&text, "version: 1\nlisteners: [ { name: a, profile: ");
    for (size_t i = 0; i < 1000000; i++)
        strbuf_append_char(&text, 'x');
    strbuf_append_text(&text, " } ]\n");
    assert_text_fails(&text, EX_CONFIG,
                      "sparkbridge.yaml:2:34: listeners[0].profile: has more than 65536 bytes");
}

static void append_timeouts(const char *path)
{
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    fputs("timeouts: { drain: 7s }\n", file);
    fclose(file);
}

/* As while an editor writes it: what is read is whole, or nothing is. */
static void test_changes_while_read(void **state)
{
    struct load load;
    write_text("sparkbridge.yaml", "version: 1\n");
    meanwhile.path = "sparkbridge.yaml";
    meanwhile.change = append_timeouts;
    meanwhile.times = 1;
    assert_loads(&load, "run -c sparkbridge.yaml", NULL, "");
    assert_int_equal(meanwhile.times, 0);
    assert_int_equal(load.config->drain_timeout_ms, 7000);
    load_finish(&load);
    meanwhile.times = 3;
    assert_fails("run -c sparkbridge.yaml", NULL, EX_TEMPFAIL,
                 "sparkbridge.yaml: it changed while it was read: try again");
    assert_int_equal(meanwhile.times, 1);
    meanwhile.times = 0;
}

/* More faults than are kept are counted. */
static void test_many_faults(void **state)
{
    struct strbuf yaml = {0};
    struct load load;
    for (size_t i = 0; i < 250; i++)
        strbuf_append_format(&yaml, "zz%zu: 1\n", i);
    write_text("sparkbridge.yaml", strbuf_text(&yaml));
    load_config(&load, "run -c sparkbridge.yaml", NULL);
    assert_int_equal(load.diags.errors, 251);
    assert_int_equal(load.diags.count, DIAG_MAX);
    assert_int_equal(load.diags.dropped, 151);
    load_finish(&load);
    strbuf_finish(&yaml);
}

static void test_not_a_file(void **state)
{
    mkdir("directory", 0700);
    mkfifo("fifo", 0600);
    assert_fails("run -c directory", NULL, EX_NOINPUT,
                 "directory: is a directory, not a regular file");
    assert_fails("run -c fifo", NULL, EX_NOINPUT, "fifo: is a FIFO, not a regular file");
    assert_fails("run -c /dev/null", NULL, EX_NOINPUT,
                 "/dev/null: is a device, not a regular file");
    assert_fails("run -c missing.yaml", NULL, EX_NOINPUT,
                 "missing.yaml: there is no such file: check the path");
    assert_fails("run", VARIABLES("SPARKBRIDGE_CONFIG=missing.yaml"), EX_NOINPUT,
                 "missing.yaml: there is no such file: check the path");
}

static const char full_file[] =
    "version: 1\n"
    "listeners:\n"
    "  - name: prod\n"
    "    listen: [ 'localhost:1', \"unix:${RUN_DIR}/a.sock\" ]\n"
    "    socket: { mode: \"0660\" }\n"
    "    profile: ${PROFILE:-team}$$1\n"
    "    authorities: [ Host.docker.internal, \"[fe80::0:1]\" ]\n"
    "    client_secret_file: client-secret\n"
    "    forward_headers: [ x-team, \"x-trace-*\", x-databricks-org-id ]\n"
    "  - name: generic\n"
    "    listen: [ \"127.0.0.1:0\" ]\n"
    "    connection: { host: h, compute: none, token_file: secrets/token }\n"
    "    config_file: ~/other.cfg\n"
    "    resolution: documented\n"
    "  - name: serverless\n"
    "    listen: [ \"[::1]:0\" ]\n"
    "    connection: { host: h, cluster_id: c, serverless: false }\n"
    "  - { name: remote, listen: [ 'localhost:0' ], remote: \"sc://h/;token=${TOKEN}\" }\n"
    "defaults: { resolution: sdk, config_file: /etc/cfg }\n"
    "timeouts: { upstream_connect: 1m, drain: 0s }\n"
    "upstream: { ca_file: ca.pem, stream_window: 1MiB }\n"
    "log:\n";

static void test_full_file(void **state)
{
    struct load load;
    mkdir("etc", 0700);
    write_file("etc/a.yaml", full_file, strlen(full_file), 0644);
    assert_loads(&load, "run -c etc/a.yaml", VARIABLES("RUN_DIR=/run/x", "PROFILE=", "TOKEN=t"),
                 "");
    const struct config *config = load.config;
    const struct listener_config *listeners = config->listeners;
    assert_string_equal(config->config_path, "etc/a.yaml");
    assert_string_equal(config->ca_file, "etc/ca.pem");
    assert_int_equal(config->stream_window_bytes, 1 << 20);
    assert_int_equal(config->connect_timeout_ms, 60000);
    assert_int_equal(config->drain_timeout_ms, 0);
    assert_int_equal(config->log_level, LOG_LEVEL_INFO);
    assert_int_equal(config->listener_count, 4);
    assert_string_equal(listeners[0].addresses[1].path, "/run/x/a.sock");
    assert_int_equal(listeners[0].socket_mode, 0660);
    assert_string_equal(listeners[0].profile, "team$1");
    assert_int_equal(listeners[0].authorities.count, 2);
    assert_string_equal(listeners[0].authorities.items[0], "host.docker.internal");
    assert_string_equal(listeners[0].authorities.items[1], "fe80::1");
    assert_string_equal(listeners[0].client_secret_file, "etc/client-secret");
    assert_string_equal(listeners[0].client_secret_source,
                        "client_secret_file etc/client-secret (etc/a.yaml:8:25)");
    assert_int_equal(listeners[0].forward_headers.count, 3);
    assert_string_equal(listeners[0].forward_headers.items[1], "x-trace-*");
    assert_int_equal(listeners[1].forward_headers.count, 0);
    assert_string_equal(listeners[0].config_file, "/etc/cfg");
    assert_int_equal(listeners[0].resolution, RESOLUTION_SDK);
    assert_string_equal(listeners[1].token_file, "etc/secrets/token");
    assert_string_equal(listeners[1].token_source,
                        "token_file etc/secrets/token (etc/a.yaml:12:55)");
    assert_true(listeners[1].no_compute);
    assert_int_equal(listeners[1].socket_mode, 0600);
    assert_int_equal(listeners[1].resolution, RESOLUTION_DOCUMENTED);
    char *config_file = xasprintf("%s/other.cfg", load_directory);
    assert_string_equal(listeners[1].config_file, config_file);
    free(config_file);
    assert_string_equal(listeners[2].cluster_id, "c");
    assert_false(listeners[2].serverless);
    assert_string_equal(listeners[3].remote.bytes, "sc://h/;token=t");
    assert_string_equal(listeners[3].remote_source, "etc/a.yaml:18:56");
    load_finish(&load);
}

/* A token in a file that others can read or change; the token itself is not shown. */
static void test_readable_by_others(void **state)
{
    static const char yaml[] = "version: 1\n"
                               "listeners: [ { name: a, remote: \"sc://h/;Token=dapi0\" } ]\n";
    static const struct {
        uid_t owner; /* next to the tests' own */
        mode_t mode;
        const char *verb; /* NULL: is fine */
    } modes[] = {
        {0, 0600, NULL},   {0, 0400, NULL},     {0, 0711, NULL},   {0, 0640, "read"},
        {0, 0604, "read"}, {0, 0620, "change"}, {1, 0640, NULL},   {1, 0604, "read"},
        {1, 0620, NULL},   {1, 0602, "change"}, {0, 0666, "read"},
    };
    struct load load;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        write_file("sparkbridge.yaml", yaml, strlen(yaml), modes[i].mode);
        if (chown("sparkbridge.yaml", geteuid() + modes[i].owner, (gid_t)-1) != 0)
            continue; /* needs root */
        if (modes[i].verb == NULL) {
            assert_loads(&load, "run -c sparkbridge.yaml", NULL, "");
            load_finish(&load);
            continue;
        }
        char *expected =
            xasprintf("sparkbridge.yaml: holds a token (listeners[].remote), and others may %s it "
                      "(mode %04o): chmod 600 sparkbridge.yaml",
                      modes[i].verb, modes[i].mode);
        assert_fails("run -c sparkbridge.yaml", NULL, EX_NOPERM, expected);
        free(expected);
    }
    /* Without a token in it everybody may read it. */
    static const char harmless[] = "version: 1\nlisteners: [ { name: a, profile: p } ]\n";
    write_file("sparkbridge.yaml", harmless, strlen(harmless), 0644);
    assert_int_equal(chown("sparkbridge.yaml", geteuid(), (gid_t)-1), 0);
    assert_loads(&load, "run -c sparkbridge.yaml", NULL, "");
    load_finish(&load);
}

static void test_sample(void **state)
{
    struct strbuf sample = {0};
    struct load load;
    sample_write(&sample);
    write_text("sparkbridge.yaml", strbuf_text(&sample));
    assert_loads(&load, "run -c sparkbridge.yaml", NULL, "");
    assert_int_equal(load.config->listener_count, 1);
    load_finish(&load);
    strbuf_finish(&sample);
}

/* Each commented key of the sample is right too, once its `#` is gone; but a key needs its
 * certificate. */
static void test_sample_keys(void **state)
{
    struct strbuf sample = {0};
    size_t count = 0;
    sample_write(&sample);
    char *text = strbuf_take(&sample);
    for (char *mark = text; (mark = strchr(mark, '#')) != NULL; mark++) {
        if (mark[1] < 'a' || mark[1] > 'z' || (mark != text && mark[-1] != ' ') ||
            strncmp(mark, "#client_key:", 12) == 0)
            continue;
        struct load load;
        char *uncommented = xasprintf("%.*s%s", (int)(mark - text), text, mark + 1);
        write_text("sparkbridge.yaml", uncommented);
        load_config(&load, "run -c sparkbridge.yaml", VARIABLES("HOST=h", "TOKEN=t", "ID=c"));
        assert_non_null(load.config);
        /* its example is a directory that a machine of the tests does not have */
        assert_int_equal(load.diags.count, strncmp(mark, "#sandbox_read:", 14) == 0);
        load_finish(&load);
        free(uncommented);
        count++;
    }
    assert_int_equal(count, 42);
    free(text);
}

/* A token on the wrong side of the colon is in the memory that is wiped, like those on the right.
 */
static void test_keys_are_in_secret_memory(void **state)
{
    static const char text[] = "dapi0123456789abcdef: true\nlist: [one]\ndapi0123456789abcdef: 2\n";
    struct secret_memory_usage before, during, after;
    struct diag_list diags = {0};
    secret_memory_usage(&before);
    struct yaml_node *root = yaml_tree_parse("f", text, strlen(text), &diags);
    secret_memory_usage(&during);
    assert_non_null(root);
    assert_int_equal(during.blocks - before.blocks, 4); /* two keys, two values */
    yaml_tree_destroy(root);
    secret_memory_usage(&after);
    assert_int_equal(after.blocks, before.blocks);
    assert_int_equal(diags.errors, 1);
    diag_list_finish(&diags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_byte_order_mark),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_alias_bomb),
        cmocka_unit_test(test_expansion_bomb),
        cmocka_unit_test(test_many_faults),
        cmocka_unit_test(test_not_a_file),
        cmocka_unit_test(test_full_file),
        cmocka_unit_test(test_readable_by_others),
        cmocka_unit_test(test_sample),
        cmocka_unit_test(test_sample_keys),
        cmocka_unit_test(test_long_value),
        cmocka_unit_test(test_changes_while_read),
        cmocka_unit_test(test_keys_are_in_secret_memory),
    };
    return cmocka_run_group_tests_name("yaml", tests, read_cases, load_config_teardown);
}
