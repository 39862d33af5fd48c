/* Who may connect and what each user gets: reading it, and the files it may name. */
#include "load_config.h"

#include <pwd.h>

#include "conf/peer_policy.h"
#include "conf/trusted_file.h"

enum { OTHER_UID = 20001 };

static void assert_user_fails(const char *text, const char *expected)
{
    struct peer_users users = {0};
    struct err err = {0};
    assert_false(peer_users_add(&users, text, &err));
    assert_string_equal(err.message, expected);
    assert_int_equal(users.count, 0);
}

static void test_users(void **state)
{
    static const char *const texts[] = {"root", "#1001", "@daemon", "self"};
    struct peer_users users = {0};
    struct err err;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_true(peer_users_add(&users, texts[i], &err));
    assert_true(peer_users_have(&users, 0));
    assert_true(peer_users_have(&users, 1001));
    assert_true(peer_users_have(&users, geteuid()));
    assert_false(peer_users_have(&users, 1002));
    assert_true(peer_users_have_group(&users, 1)); /* daemon's, on every Debian */
    assert_false(peer_users_have_group(&users, 1001));
    assert_true(peer_users_name_groups(&users));
    assert_false(peer_users_any(&users));
    struct strbuf text = {0};
    peer_users_describe(&users, &text);
    char *expected =
        xasprintf("root, #1001, @daemon, the user who runs it (uid %u)", (unsigned)geteuid());
    assert_string_equal(strbuf_text(&text), expected);
    free(expected);
    strbuf_finish(&text);
    assert_true(peer_users_add(&users, "any", &err));
    assert_true(peer_users_any(&users));
    peer_users_finish(&users);
}

static void test_user_faults(void **state)
{
    assert_user_fails("nobody-of-that-name",
                      "there is no user \"nobody-of-that-name\" on this machine; write a user "
                      "name, \"#UID\", \"@GROUP\", self or any");
    assert_user_fails("@no-such-group", "there is no group \"no-such-group\" on this machine");
    static const char *const wrong[] = {"#", "#-1", "#1x", "#4294967295", "#99999999999", "@", ""};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct peer_users users = {0};
        struct err err = {0};
        assert_false(peer_users_add(&users, wrong[i], &err));
        assert_int_not_equal(strlen(err.message), 0);
        peer_users_finish(&users);
    }
}

static void test_user_limit(void **state)
{
    struct peer_users users = {0};
    struct err err;
    for (int i = 0; i < PEER_USERS_MAX; i++)
        assert_true(peer_users_add(&users, "#7", &err));
    assert_false(peer_users_add(&users, "#7", &err));
    peer_users_finish(&users);
}

static void test_paths(void **state)
{
    static const struct {
        const char *text, *name, *expected;
    } cases[] = {
        {"/etc/u/%u.cfg", "alice", "/etc/u/alice.cfg"},
        {"/etc/u/%U.cfg", NULL, "/etc/u/20001.cfg"},
        {"/etc/%%u/%u/%U", "a.b-c_d@e", "/etc/%u/a.b-c_d@e/20001"},
        {"/etc/u", NULL, "/etc/u"},
        {"/etc/u/%u", NULL, NULL},
        {"/etc/u/%u", "", NULL},
        {"/etc/u/%u", "..", NULL},
        {"/etc/u/%u", ".hidden", NULL},
        {"/etc/u/%u", "a/b", NULL},
        {"/etc/u/%u", "-a", NULL},
        {"/etc/u/%u", "DOM\\user", NULL},
        {"/etc/u/%u", "\xc3\xa4", NULL},
        {"/etc/u/%x", "alice", NULL},
        {"/etc/u/%", "alice", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = xstrdup(cases[i].text);
        struct peer_row row = {.config_file = text};
        struct err err = {0};
        char *path = peer_row_path(&row, OTHER_UID, cases[i].name, &err);
        if (cases[i].expected == NULL) {
            assert_null(path);
            assert_int_not_equal(strlen(err.message), 0);
        } else {
            assert_string_equal(path, cases[i].expected);
        }
        free(path);
        free(text);
    }
}

static void test_names_user(void **state)
{
    static const struct {
        const char *text;
        bool names;
    } cases[] = {
        {"/etc/u", false}, {"/etc/%u", true}, {"/etc/%U/x", true},
        {"/%%u", false},   {"/%%%%", false},  {"/%%%u", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = xstrdup(cases[i].text);
        assert_int_equal(peer_row_names_user(&(struct peer_row){.config_file = text}),
                         cases[i].names);
        free(text);
    }
}

static void test_rows(void **state)
{
    struct peer_policy *policy = peer_policy_create();
    struct err err;
    assert_true(peer_policy_add_row(policy, "#1001", "f:1:1", &err));
    assert_null(peer_policy_row(policy, 1002));
    assert_true(peer_policy_add_row(policy, "default", "f:2:1", &err));
    assert_ptr_equal(peer_policy_row(policy, 1001), &policy->rows[0]);
    assert_ptr_equal(peer_policy_row(policy, 1002), &policy->rows[1]);
    /* uid 0 is no other word for the default row. */
    assert_true(peer_policy_add_row(policy, "root", "f:3:1", &err));
    assert_ptr_equal(peer_policy_row(policy, 0), &policy->rows[2]);
    assert_false(peer_policy_add_row(policy, "#0", "f:4:1", &err));
    assert_string_equal(err.message, "the user of \"#0\" has a row already, \"root\"");
    assert_false(peer_policy_add_row(policy, "@daemon", "f:5:1", &err));
    assert_false(peer_policy_add_row(policy, "any", "f:6:1", &err));
    peer_policy_unref(policy);
}

static void test_client_header(void **state)
{
    static const char *const wrong[] = {"authorization", "x-", "X-Profile",     "x-databricks-a",
                                        "x-a-bin",       "",   "x_sparkbridge", "x-a b"};
    struct peer_policy *policy = peer_policy_create();
    struct err err;
    assert_true(peer_policy_set_client_header(policy, "x-sparkbridge-profile", &err));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        bool accepted = peer_policy_set_client_header(policy, wrong[i], &err);
        if (accepted)
            fail_msg("%s", wrong[i]);
    }
    assert_string_equal(policy->client_header, "x-sparkbridge-profile");
    assert_true(peer_policy_add_client_profile(policy, "dev", &err));
    assert_false(peer_policy_add_client_profile(policy, "dev", &err));
    assert_int_equal(peer_policy_client_profile(policy, "dev"), 0);
    assert_int_equal(peer_policy_client_profile(policy, "prod"), -1);
    peer_policy_unref(policy);
}

/* ---- the YAML file ----------------------------------------------------------------------------
 */

static void test_yaml(void **state)
{
    struct load load;
    write_text("peers.yaml", "version: 1\n"
                             "listeners:\n"
                             "  - name: a\n"
                             "    peer_users: [root, '#1001']\n"
                             "    profile_from_client: {allow: [dev, staging]}\n"
                             "  - name: b\n"
                             "    listen: ['localhost:1']\n"
                             "    profile_by_peer:\n"
                             "      default: {config_file: '/etc/%u', profile: p}\n"
                             "      '#1001': {config_file: /etc/x}\n");
    assert_loads(&load, "run -c peers.yaml", NULL, "");
    const struct peer_policy *a = load.config->listeners[0].peers,
                             *b = load.config->listeners[1].peers;
    assert_int_equal(a->users.count, 2);
    assert_int_equal(a->client_profile_count, 2);
    assert_string_equal(a->client_header, "x-sparkbridge-profile");
    assert_int_equal(b->row_count, 2);
    assert_int_equal(b->users.count, 0); /* whoever has a row */
    assert_string_equal(b->rows[1].place, "peers.yaml:10:7");
    assert_true(peer_policy_needs_lookup(b, 1));
    assert_false(peer_policy_needs_lookup(b, 1001));
    load_finish(&load);
}

static void test_layers(void **state)
{
    struct load load;
    write_text("layers.yaml", "version: 1\nlisteners: [{name: a, peer_users: ['#1']}]\n");
    assert_loads(&load, "run", NULL, "");
    assert_int_equal(load.config->listeners[0].peers->users.count, 1);
    assert_true(peer_users_have(&load.config->listeners[0].peers->users, geteuid()));
    load_finish(&load);
    assert_loads(&load, "run -c layers.yaml", VARIABLES("SPARKBRIDGE_PEER_USERS=#2,#3"), "");
    assert_int_equal(load.config->listeners[0].peers->users.count, 2);
    assert_false(peer_users_have(&load.config->listeners[0].peers->users, 1));
    load_finish(&load);
    assert_loads(&load, "run -c layers.yaml --peer-users #4",
                 VARIABLES("SPARKBRIDGE_PEER_USERS=#2,#3"), "");
    assert_int_equal(load.config->listeners[0].peers->users.count, 1);
    assert_true(peer_users_have(&load.config->listeners[0].peers->users, 4));
    load_finish(&load);
    assert_loads(&load, "run --peer-users any", NULL,
                 "listener default: peer_users has `any`: every user and process of this machine "
                 "that reaches it uses its credential");
    load_finish(&load);
}

static void test_yaml_faults(void **state)
{
    static const struct {
        const char *keys, *expected;
    } cases[] = {
        {"peer_users: [nobody-of-that-name]",
         "f.yaml:3:18: listeners[0].peer_users[0]: there is no user \"nobody-of-that-name\" on "
         "this "
         "machine; write a user name, \"#UID\", \"@GROUP\", self or any"},
        {"peer_users: self", "f.yaml:3:17: listeners[0].peer_users: is one value, but a list, [ "
                             "... ], is expected"},
        {"profile_by_peer: {'@daemon': {config_file: /etc/x}}",
         "f.yaml:3:23: listeners[0].profile_by_peer.@daemon: \"@daemon\" is no single user; write "
         "a "
         "user name, \"#UID\", self or default"},
        {"profile_by_peer: {default: {profile: p}}",
         "f.yaml:3:32: listeners[0].profile_by_peer.default.config_file: is missing; write for "
         "example `config_file: /etc/sparkbridge/users/%u.databrickscfg`"},
        {"profile_by_peer: {default: {config_file: /etc/%h}}",
         "f.yaml:3:46: listeners[0].profile_by_peer.default.config_file: only %u, %U and %% are "
         "understood behind a % in /etc/%h"},
        {"profile_by_peer: {default: {config_file: /etc/x, token: t}}",
         "f.yaml:3:54: listeners[0].profile_by_peer.default.token: unknown key"},
        {"profile_by_peer: {}",
         "f.yaml:3:22: listeners[0].profile_by_peer: has no row; give it one or leave the key out"},
        {"profile_by_peer: {default: {config_file: /etc/x}}\n    profile: p",
         "f.yaml:4:5: listeners[0].profile: cannot stand beside profile_by_peer (line 3); keep one "
         "of them"},
        {"remote: sc://h\n    profile_from_client: {allow: [a]}",
         "f.yaml:4:5: listeners[0].profile_from_client: cannot stand beside remote (line 3); keep "
         "one of them"},
        {"profile_from_client: {}",
         "f.yaml:3:26: listeners[0].profile_from_client.allow: is missing; write for example "
         "`allow: [dev]`"},
        {"profile_from_client: {header: te, allow: [a]}",
         "f.yaml:3:35: listeners[0].profile_from_client.header: \"te\" has to begin with x- and to "
         "go on with at most 62 small letters, digits and hyphens, and not to be x-databricks-... "
         "or ...-bin"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = xasprintf("version: 1\nlisteners:\n  - %s\n    name: a\n", cases[i].keys);
        write_text("f.yaml", text);
        assert_fails("run -c f.yaml", NULL, EX_CONFIG, cases[i].expected);
        free(text);
    }
}

/* ---- files for other users --------------------------------------------------------------------
 */

/* What reading says; free it. "" where it works. */
static char *read_trusted(const char *path)
{
    struct secret content = {0};
    struct err err = {0};
    bool ok = read_trusted_file(path, 1000, &content, NULL, &err);
    assert_int_equal(ok, secret_is_set(&content));
    assert_int_equal(ok, err.message[0] == '\0');
    secret_finish(&content);
    return xstrdup(err.message);
}

static void assert_trusted(const char *path, const char *expected)
{
    char *found = read_trusted(path);
    if (expected[0] == '\0' ? found[0] != '\0' : strstr(found, expected) == NULL)
        fail_msg("%s: %s", path, found);
    free(found);
}

static void test_trusted(void **state)
{
    char *directory = xasprintf("%s/trusted", load_directory);
    char *file = xasprintf("%s/file", directory);
    char *link = xasprintf("%s/link", directory), *below = xasprintf("%s/below/file", directory);
    char *missing = xasprintf("%s/missing", directory);
    assert_int_equal(mkdir(directory, 0755), 0);
    write_file(file, "x", 1, 0600);
    assert_trusted(file, "");
    assert_trusted("relative", "has to be an absolute path");
    assert_trusted(missing, "cannot be opened: No such file");
    assert_trusted(directory, "is a directory, not a regular file");
    assert_int_equal(symlink(file, link), 0);
    assert_trusted(link, "is a symbolic link");
    assert_int_equal(unlink(link), 0);
    assert_int_equal(chmod(file, 0660), 0);
    assert_trusted(file, "others can write to it");
    assert_int_equal(chmod(file, 0600), 0);
    assert_int_equal(chmod(directory, 0775), 0);
    assert_trusted(file, "others can write to it");
    assert_int_equal(chmod(directory, 01777), 0); /* as /tmp: nobody can replace what is ours */
    assert_trusted(file, "");
    assert_int_equal(chmod(directory, 0755), 0);
    assert_int_equal(symlink(directory, link), 0);
    char *through = xasprintf("%s/file", link);
    assert_trusted(through, "is a symbolic link");
    free(through);
    free(below);
    free(missing);
    free(link);
    free(file);
    free(directory);
}

static void test_trusted_owner(void **state)
{
    if (geteuid() != 0) {
        print_message("skipped: giving files to another user needs root\n");
        skip();
    }
    char *home = xasprintf("%s/home", load_directory), *file = xasprintf("%s/file", home);
    assert_int_equal(mkdir(home, 0755), 0);
    write_file(file, "x", 1, 0644);
    assert_trusted(file, "");
    assert_int_equal(chown(file, OTHER_UID, OTHER_UID), 0);
    assert_trusted(file, "file: belongs to the user with uid 20001");
    assert_int_equal(chown(file, 0, 0), 0);
    assert_int_equal(chown(home, OTHER_UID, OTHER_UID), 0);
    assert_trusted(file, "home: belongs to the user with uid 20001");
    assert_int_equal(chown(home, 0, 0), 0);
    free(file);
    free(home);
}

/* A home of somebody who is neither root nor us, if the machine has such a user. */
static const struct passwd *find_home(void)
{
    const struct passwd *entry;
    struct stat status;
    setpwent();
    while ((entry = getpwent()) != NULL)
        if (entry->pw_uid >= 1000 && entry->pw_uid != geteuid() && strlen(entry->pw_dir) > 1 &&
            stat(entry->pw_dir, &status) == 0)
            break;
    return entry;
}

static void test_homes(void **state)
{
    const struct passwd *user = find_home();
    if (user == NULL) {
        print_message("skipped: this machine has no user with a home of his own\n");
        skip();
        return;
    }
    char *path = xasprintf("%s/.databrickscfg", user->pw_dir);
    struct peer_row row = {.is_default = true, .config_file = path};
    struct err err;
    assert_false(peer_row_check_homes(&row, &err));
    assert_non_null(strstr(err.message, "is inside the home of"));
    free(path);
    row.config_file = load_directory;
    assert_true(peer_row_check_homes(&row, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_users),         cmocka_unit_test(test_user_faults),
        cmocka_unit_test(test_user_limit),    cmocka_unit_test(test_paths),
        cmocka_unit_test(test_names_user),    cmocka_unit_test(test_rows),
        cmocka_unit_test(test_client_header), cmocka_unit_test(test_yaml),
        cmocka_unit_test(test_layers),        cmocka_unit_test(test_yaml_faults),
        cmocka_unit_test(test_trusted),       cmocka_unit_test(test_trusted_owner),
        cmocka_unit_test(test_homes),
    };
    return cmocka_run_group_tests_name("peer_policy", tests, load_config_setup,
                                       load_config_teardown);
}
