/* The configuration from flags, environment, file and defaults, and how they go together. */
#include "tests/unit/load_config.h"

static void test_defaults(void **state)
{
    struct load load;
    assert_loads(&load, "run", NULL, "");
    struct config *config = load.config;
    char *path = xasprintf("%s/.config/sparkbridge/sparkbridge.yaml", load_directory);
    assert_string_equal(config->config_path, path);
    free(path);
    assert_int_equal(config->listener_count, 1);
    assert_int_equal(config->connect_timeout_ms, 10000);
    assert_int_equal(config->drain_timeout_ms, 60000);
    assert_int_equal(config->stream_window_bytes, 4 << 20);
    assert_int_equal(config->log_level, LOG_LEVEL_INFO);
    assert_null(config->ca_file);
    assert_false(config->quiet || config->json || config->compare);
    struct listener_config *listener = &config->listeners[0];
    assert_string_equal(listener->name, "default");
    assert_int_equal(listener->address_count, 1);
    assert_string_equal(listener->addresses[0].text, "localhost:15002");
    assert_string_equal(listener->addresses[0].host, "localhost");
    assert_int_equal(listener->addresses[0].port, 15002);
    assert_int_equal(listener->socket_mode, 0600);
    assert_int_equal(listener->resolution, RESOLUTION_DOCUMENTED);
    assert_false(secret_is_set(&listener->remote));
    assert_false(listener->serverless || listener->no_compute);
    assert_null(listener->host);
    assert_null(listener->profile);
    load_finish(&load);
}

static void test_no_file(void **state)
{
    struct load load;
    if (access("/etc/sparkbridge/sparkbridge.yaml", F_OK) == 0)
        skip();
    assert_loads(&load, "run", VARIABLES("XDG_CONFIG_HOME=/nonexistent"), "");
    assert_null(load.config->config_path);
    assert_int_equal(load.config->listener_count, 1);
    load_finish(&load);
}

static void test_flags(void **state)
{
    struct load load;
    assert_loads(&load,
                 "run --listen=127.0.0.2:0 -l [::1]:1 --listen unix:///run/x.sock --host h.test "
                 "--token-file ~/token --cluster-id c --config-file f.cfg --resolution sdk "
                 "--ca-file /ca.pem --connect-timeout 500ms --drain-timeout 0s --log-level debug "
                 "--stream-window 64KiB",
                 NULL, "");
    struct config *config = load.config;
    struct listener_config *listener = &config->listeners[0];
    assert_int_equal(listener->address_count, 3);
    assert_string_equal(listener->addresses[0].host, "127.0.0.2");
    assert_int_equal(listener->addresses[0].port, 0);
    assert_string_equal(listener->addresses[1].host, "::1");
    assert_int_equal(listener->addresses[2].kind, ADDRESS_UNIX);
    assert_string_equal(listener->addresses[2].path, "/run/x.sock");
    assert_string_equal(listener->host, "h.test");
    assert_string_equal(listener->cluster_id, "c");
    char *token_file = xasprintf("%s/token", load_directory);
    char *token_source = xasprintf("--token-file %s", token_file);
    assert_string_equal(listener->token_file, token_file);
    assert_string_equal(listener->token_source, token_source);
    free(token_file);
    free(token_source);
    assert_string_equal(listener->config_file, "f.cfg");
    assert_int_equal(listener->resolution, RESOLUTION_SDK);
    assert_string_equal(config->ca_file, "/ca.pem");
    assert_int_equal(config->connect_timeout_ms, 500);
    assert_int_equal(config->drain_timeout_ms, 0);
    assert_int_equal(config->stream_window_bytes, 64 << 10);
    assert_int_equal(config->log_level, LOG_LEVEL_DEBUG);
    load_finish(&load);
}

static void test_variables(void **state)
{
    struct load load;
    assert_loads(&load, "check",
                 VARIABLES("SPARKBRIDGE_LISTEN=localhost:1,unix:/x", "SPARKBRIDGE_SERVERLESS=1",
                           "SPARKBRIDGE_NO_COMPUTE=false", "SPARKBRIDGE_PROFILE=",
                           "SPARKBRIDGE_HOST=h", "SPARKBRIDGE_DRAIN_TIMEOUT=2m",
                           "SPARKBRIDGE_BIN=/usr/bin/sparkbridge", "OTHER=1"),
                 "");
    struct listener_config *listener = &load.config->listeners[0];
    assert_int_equal(listener->address_count, 2);
    assert_string_equal(listener->addresses[1].path, "/x");
    assert_true(listener->serverless);
    assert_false(listener->no_compute);
    assert_null(listener->profile);
    assert_string_equal(listener->host, "h");
    assert_int_equal(load.config->drain_timeout_ms, 120000);
    load_finish(&load);
    assert_loads(&load, "run", VARIABLES("SPARKBRIDGE_QUIET=1", "SPARKBRIDGE_HELP_ALL="),
                 "\"SPARKBRIDGE_QUIET\": not read: --quiet can only be said on the command line\n"
                 "\"SPARKBRIDGE_HELP_ALL\": not read: --help-all can only be said on the command "
                 "line");
    load_finish(&load);
    assert_fails("run",
                 VARIABLES("SPARKBRIDGE_LISTEN=localhost:1,", "SPARKBRIDGE_SERVERLESS=maybe",
                           "SPARKBRIDGE_DRAIN_TIMEOUT=3h", "SPARKBRIDGE_PROFIL=x"),
                 EX_CONFIG,
                 "\"SPARKBRIDGE_PROFIL\": unknown variable, not read (did you mean "
                 "SPARKBRIDGE_PROFILE?)\n"
                 "SPARKBRIDGE_DRAIN_TIMEOUT: \"3h\" is out of range: from 0s to 1h\n"
                 "SPARKBRIDGE_SERVERLESS: \"maybe\" has to be true or false\n"
                 "SPARKBRIDGE_LISTEN: \"\" is not an address: write it as HOST:PORT or unix:PATH, "
                 "as in localhost:15002");
}

/* flag > environment > file > default, for each option by itself. */
static void test_precedence(void **state)
{
    static const char *const variables[] = {"SPARKBRIDGE_DRAIN_TIMEOUT=2s",
                                            "SPARKBRIDGE_CONNECT_TIMEOUT=2s",
                                            "SPARKBRIDGE_RESOLUTION=documented", NULL};
    struct load load;
    write_text("all.yaml", "version: 1\n"
                           "timeouts: { drain: 1s, upstream_connect: 1s }\n"
                           "log: { level: warn }\n"
                           "listeners: [ { name: a, resolution: sdk, profile: p } ]\n");
    assert_loads(&load, "run -c all.yaml --drain-timeout 3s", variables, "");
    assert_int_equal(load.config->drain_timeout_ms, 3000);
    assert_int_equal(load.config->connect_timeout_ms, 2000);
    assert_int_equal(load.config->log_level, LOG_LEVEL_WARN);
    assert_int_equal(load.config->listeners[0].resolution, RESOLUTION_DOCUMENTED);
    assert_string_equal(load.config->listeners[0].profile, "p");
    load_finish(&load);
    assert_loads(&load, "run -c all.yaml --drain-timeout 3s --drain-timeout 4s", NULL, "");
    assert_int_equal(load.config->drain_timeout_ms, 4000);
    load_finish(&load);
    /* --config itself */
    assert_loads(&load, "run -c all.yaml", VARIABLES("SPARKBRIDGE_CONFIG=missing"), "");
    assert_string_equal(load.config->config_path, "all.yaml");
    load_finish(&load);
    assert_loads(&load, "run", VARIABLES("SPARKBRIDGE_CONFIG=all.yaml"), "");
    assert_string_equal(load.config->config_path, "all.yaml");
    load_finish(&load);
}

static const char two[] = "version: 1\n"
                          "listeners:\n"
                          "  - { name: a, listen: [ 'localhost:1' ], profile: p }\n"
                          "  - { name: b, listen: [ 'localhost:2' ] }\n"
                          "timeouts: { drain: 1s }\n";

/* A connection on the command line is a listener of its own. */
static void test_replaces_listeners(void **state)
{
    struct load load;
    write_text("two.yaml", two);
    write_text("one.yaml", "version: 1\nlisteners: [{name: a}]\n");
    assert_loads(&load, "run -c one.yaml --profile x", NULL,
                 "--profile: describes the only listener; that of one.yaml is not used");
    load_finish(&load);
    assert_loads(&load, "run -c two.yaml --profile x", NULL,
                 "--profile: describes the only listener; the 2 of two.yaml are not used");
    assert_int_equal(load.config->listener_count, 1);
    assert_string_equal(load.config->listeners[0].name, "default");
    assert_string_equal(load.config->listeners[0].profile, "x");
    assert_string_equal(load.config->listeners[0].addresses[0].text, "localhost:15002");
    assert_int_equal(load.config->drain_timeout_ms, 1000);
    load_finish(&load);
}

/* --listen alone says where, not whom. */
static void test_listen_and_file(void **state)
{
    struct load load;
    write_text("two.yaml", two);
    assert_fails("run -c two.yaml --listen localhost:3", NULL, EX_USAGE,
                 "--listen: the YAML file has several listeners, and this cannot say which it "
                 "means; name the connection too (--profile), or change the file");
    write_text("one.yaml", "version: 1\n"
                           "listeners: [ { name: a, listen: [ 'localhost:1', 'localhost:2' ], "
                           "profile: p } ]\n");
    assert_loads(&load, "run -c one.yaml --listen localhost:3", NULL, "");
    assert_string_equal(load.config->listeners[0].name, "a");
    assert_string_equal(load.config->listeners[0].profile, "p");
    assert_int_equal(load.config->listeners[0].address_count, 1);
    assert_int_equal(load.config->listeners[0].addresses[0].port, 3);
    load_finish(&load);
}

/* A flag also sets aside the variables that contradict it. */
static void test_flag_hides_variables(void **state)
{
    static const char *const variables[] = {"SPARKBRIDGE_HOST=h", "SPARKBRIDGE_TOKEN_FILE=/t",
                                            "SPARKBRIDGE_CLUSTER_ID=c", NULL};
    struct load load;
    assert_loads(&load, "run --profile p", variables, "");
    assert_null(load.config->listeners[0].host);
    assert_null(load.config->listeners[0].token_file);
    assert_null(load.config->listeners[0].cluster_id);
    load_finish(&load);
    assert_loads(&load, "run --serverless", variables, "");
    assert_string_equal(load.config->listeners[0].host, "h");
    assert_string_equal(load.config->listeners[0].token_file, "/t");
    assert_null(load.config->listeners[0].cluster_id);
    load_finish(&load);
    assert_loads(&load, "run --host h2", VARIABLES("SPARKBRIDGE_PROFILE=p"), "");
    assert_null(load.config->listeners[0].profile);
    load_finish(&load);
}

static void test_select_listener(void **state)
{
    struct load load;
    write_text("two.yaml", two);
    assert_loads(&load, "explain -c two.yaml --listener b --json --compare", NULL, "");
    assert_int_equal(load.config->listener_count, 1);
    assert_string_equal(load.config->listeners[0].name, "b");
    assert_true(load.config->json && load.config->compare);
    load_finish(&load);
    assert_fails("explain -c two.yaml --listener c", NULL, EX_USAGE,
                 "--listener: there is no listener \"c\"");
    assert_fails("explain --listener b --host h", NULL, EX_USAGE,
                 "--listener: names one of the YAML file, but --host describes another; leave one "
                 "of them out");
}

/* A token on a command line is refused, and nothing of it is left there. */
static void test_secret_flag(void **state)
{
    struct load load;
    load_config(&load, "run --remote sc://h/;token=dapi0 --remote=sc://h/;token=dapi0", NULL);
    assert_int_equal(diag_list_exit_code(&load.diags), EX_USAGE);
    assert_int_equal(load.diags.count, 2);
    assert_string_equal(load.diags.items[1].message,
                        "--remote: a token on the command line can be read by every user of this "
                        "machine; put the string into SPARK_REMOTE or the YAML key "
                        "listeners[].remote, or the token into a file (--token-file)");
    assert_string_equal(load.argv[2], "");
    assert_string_equal(load.argv[3], "--remote=");
    load_finish(&load);
    assert_loads(&load, "explain --remote sc://h/;token=dapi0", NULL,
                 "--remote: the token in it can be read by every user of this machine, in the "
                 "list of processes; put the string into SPARK_REMOTE");
    assert_string_equal(load.config->listeners[0].remote.bytes, "sc://h/;token=dapi0");
    assert_string_equal(load.argv[2], "");
    load_finish(&load);
    assert_loads(&load, "run --remote sc://h/;use_ssl=true", NULL, "");
    assert_string_equal(load.config->listeners[0].remote_source, "--remote");
    load_finish(&load);
    assert_loads(&load, "run", VARIABLES("SPARKBRIDGE_REMOTE=sc://h/;token=dapi0"), "");
    assert_string_equal(load.config->listeners[0].remote_source, "SPARKBRIDGE_REMOTE");
    load_finish(&load);
}

static void test_profiles(void **state)
{
    struct load load;
    assert_loads(&load, "profiles --config-file x.cfg --json",
                 VARIABLES("SPARKBRIDGE_CONFIG=missing", "SPARKBRIDGE_DRAIN_TIMEOUT=bad"), "");
    assert_string_equal(load.config->listeners[0].config_file, "x.cfg");
    assert_true(load.config->json);
    load_finish(&load);
}

/* The request of a listener whose token file has these bytes; the fault without its file name. */
static void assert_token(const char *bytes, size_t len, const char *token, const char *fault)
{
    struct load load;
    struct secret secret = {0};
    struct resolve_request request = {0};
    struct err err = {0};
    write_file("token", bytes, len, 0600);
    assert_loads(&load, "run --host h --token-file token", NULL, "");
    bool ok = listener_config_request(&load.config->listeners[0], NULL, &secret, &request, &err);
    assert_int_equal(ok, token != NULL);
    if (ok && token != NULL) {
        assert_int_equal(secret.len, strlen(token));
        assert_string_equal(secret.bytes, token);
        assert_ptr_equal(request.token, &secret);
        assert_string_equal(request.token_source, "--token-file token");
        assert_string_equal(request.host, "h");
    } else {
        assert_string_equal(err.message, fault);
        assert_false(secret_is_set(&secret));
        assert_null(request.host);
    }
    secret_finish(&secret);
    load_finish(&load);
}

static void test_token_file(void **state)
{
    static char large[CONFIG_TOKEN_MAX_BYTES + 1];
    memset(large, 'x', sizeof large);
    assert_token("dapi0", 5, "dapi0", NULL);
    assert_token("dapi0\n", 6, "dapi0", NULL);
    assert_token("dapi0\r\n", 7, "dapi0", NULL);
    assert_token("", 0, NULL, "--token-file token: is empty; it has to hold the access token");
    assert_token("\n", 1, NULL, "--token-file token: is empty; it has to hold the access token");
    assert_token("a\n\n", 3, NULL,
                 "--token-file token: byte 2 is a newline; the file has to hold the access token "
                 "alone, on one line");
    assert_token(" a", 2, NULL,
                 "--token-file token: byte 1 is a space; the file has to hold the access token "
                 "alone, on one line");
    assert_token(
        "a\0b", 3, NULL,
        "--token-file token: byte 2 is a control character; the file has to hold the access "
        "token alone, on one line");
    assert_token("a\xc3\xa4", 3, NULL,
                 "--token-file token: byte 2 is not ASCII; the file has to hold the access token "
                 "alone, on one line");
    static const char *const quoted[] = {"\"dapi0\"\n", "'dapi0'", "\"dapi0"};
    for (size_t i = 0; i < sizeof quoted / sizeof quoted[0]; i++)
        assert_token(quoted[i], strlen(quoted[i]), NULL,
                     "--token-file token: has quotation marks around the token; leave them out, "
                     "the file has to hold the access token alone");
    static const char *const named[] = {"token=dapi0\n", "DATABRICKS_TOKEN=dapi0", "Token:dapi0"};
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
        assert_token(named[i], strlen(named[i]), NULL,
                     "--token-file token: has a name in front of the token; leave it out, the file "
                     "has to hold the access token alone");
    assert_token("tokenized=", 10, "tokenized=", NULL);
    assert_token(large, sizeof large, NULL,
                 "--token-file token: is larger than 64 KiB, more than it may be");
}

static void test_token_file_kind(void **state)
{
    struct load load;
    struct secret secret = {0};
    struct resolve_request request = {0};
    struct err err = {0};
    mkfifo("fifo", 0600);
    assert_loads(&load, "run --token-file fifo", NULL, "");
    assert_false(
        listener_config_request(&load.config->listeners[0], NULL, &secret, &request, &err));
    assert_string_equal(err.message, "--token-file fifo: is a FIFO, not a regular file");
    assert_int_equal(err.exit_code, EX_NOINPUT);
    load_finish(&load);
    assert_loads(&load, "run --token-file nowhere", NULL, "");
    assert_false(
        listener_config_request(&load.config->listeners[0], NULL, &secret, &request, &err));
    assert_string_equal(err.message, "--token-file nowhere: there is no such file: check the path");
    load_finish(&load);
    write_file("open", "dapi0\n", 6, 0644);
    assert_loads(&load, "run --token-file open", NULL, "");
    assert_false(
        listener_config_request(&load.config->listeners[0], NULL, &secret, &request, &err));
    assert_int_equal(err.exit_code, EX_NOPERM);
    assert_string_equal(err.message,
                        "--token-file open: holds the access token, and others may read "
                        "it (mode 0644): chmod 600 open");
    load_finish(&load);
}

static void assert_client_secret(const char *bytes, size_t len, const char *expected,
                                 const char *message)
{
    struct load load;
    struct secret secret = {0};
    struct err err = {0};
    write_file("secret", bytes, len, 0600);
    assert_loads(&load, "run --client-secret-file secret", NULL, "");
    const struct listener_config *listener = &load.config->listeners[0];
    assert_string_equal(listener->client_secret_source, "--client-secret-file secret");
    assert_int_equal(listener_config_client_secret(listener, &secret, &err), expected != NULL);
    assert_int_equal(secret_is_set(&secret), expected != NULL);
    if (expected != NULL)
        assert_string_equal(secret.bytes, expected);
    else
        assert_string_equal(err.message, message);
    secret_finish(&secret);
    load_finish(&load);
}

static void test_client_secret_file(void **state)
{
    assert_client_secret("0123456789abcdef\n", 17, "0123456789abcdef", NULL);
    assert_client_secret("0123456789abcde\n", 16, NULL,
                         "--client-secret-file secret: is too easy to guess with less than 16 "
                         "characters; `openssl rand -hex 32` makes a good one");
    assert_client_secret("", 0, NULL,
                         "--client-secret-file secret: is empty; it has to hold the secret of the "
                         "clients");
    struct load load;
    struct secret none = {0};
    struct err err = {0};
    assert_loads(&load, "run", NULL, "");
    assert_true(listener_config_client_secret(&load.config->listeners[0], &none, &err));
    assert_false(secret_is_set(&none));
    load_finish(&load);
    write_file("open", "0123456789abcdef", 16, 0644);
    assert_loads(&load, "run --client-secret-file open", NULL, "");
    assert_false(listener_config_client_secret(&load.config->listeners[0], &none, &err));
    assert_int_equal(err.exit_code, EX_NOPERM);
    assert_string_equal(err.message, "--client-secret-file open: holds the secret of the clients, "
                                     "and others may read it (mode 0644): chmod 600 open");
    load_finish(&load);
}

/* A list comes from one source, the first of flags, variable, file. */
static void test_forward_headers(void **state)
{
    struct load load;
    write_text("l.yaml", "version: 1\nlisteners: [{name: a, forward_headers: [x-file]}]\n");
    assert_loads(&load, "run -c l.yaml", NULL, "");
    assert_string_equal(load.config->listeners[0].forward_headers.items[0], "x-file");
    load_finish(&load);
    assert_loads(&load, "run -c l.yaml", VARIABLES("SPARKBRIDGE_FORWARD_HEADER=x-a,x-b-*"), "");
    assert_int_equal(load.config->listeners[0].forward_headers.count, 2);
    assert_string_equal(load.config->listeners[0].forward_headers.items[1], "x-b-*");
    load_finish(&load);
    assert_loads(&load, "run -c l.yaml --forward-header x-c",
                 VARIABLES("SPARKBRIDGE_FORWARD_HEADER=x-a,x-b-*"), "");
    assert_int_equal(load.config->listeners[0].forward_headers.count, 1);
    assert_string_equal(load.config->listeners[0].forward_headers.items[0], "x-c");
    load_finish(&load);
}

/* `status` takes no notice of what only the daemon can know, or has to mind. */
static void test_status(void **state)
{
    struct load load;
    write_text("s.yaml", "version: 1\nnonsense: 7\ncontrol: {listen: \"unix:/run/c.sock\"}\n"
                         "listeners: [{name: a, config_file: \"${CREDENTIALS_DIRECTORY}/x\"}]\n");
    assert_loads(&load, "status -c s.yaml", NULL, "");
    assert_string_equal(load.config->control, "unix:/run/c.sock");
    load_finish(&load);
    assert_loads(&load, "status -c s.yaml --control unix:/run/d.sock --json", NULL, "");
    assert_string_equal(load.config->control, "unix:/run/d.sock");
    assert_true(load.config->json);
    load_finish(&load);
    write_text("s.yaml", "version: [\n");
    assert_loads(&load, "status -c s.yaml", NULL, "");
    assert_null(load.config->control);
    load_finish(&load);
    load_config(&load, "status -c missing.yaml", NULL);
    assert_null(load.config);
    assert_int_equal(diag_list_exit_code(&load.diags), EX_NOINPUT);
    load_finish(&load);
    load_config(&load, "status --control tcp:1", NULL);
    assert_null(load.config);
    load_finish(&load);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_flags),           cmocka_unit_test(test_variables),
        cmocka_unit_test(test_precedence),      cmocka_unit_test(test_replaces_listeners),
        cmocka_unit_test(test_listen_and_file), cmocka_unit_test(test_flag_hides_variables),
        cmocka_unit_test(test_select_listener), cmocka_unit_test(test_secret_flag),
        cmocka_unit_test(test_profiles),        cmocka_unit_test(test_token_file),
        cmocka_unit_test(test_token_file_kind), cmocka_unit_test(test_client_secret_file),
        cmocka_unit_test(test_forward_headers), cmocka_unit_test(test_status),
    };
    return cmocka_run_group_tests_name("config", tests, load_config_setup_empty,
                                       load_config_teardown);
}
