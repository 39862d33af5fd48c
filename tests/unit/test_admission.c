/* May a peer use a listener, and what the log says of those who may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/admission.h"
#include "daemon/peer_throttle.h"

static struct peer_policy *policy_of(const char *const *users, const char *const *rows)
{
    struct peer_policy *policy = peer_policy_create();
    struct err err;
    for (size_t i = 0; users != NULL && users[i] != NULL; i++)
        assert_true(peer_users_add(&policy->users, users[i], &err));
    for (size_t i = 0; rows != NULL && rows[i] != NULL; i++)
        assert_true(peer_policy_add_row(policy, rows[i], "f:1:1", &err));
    return policy;
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

/* One question; `reason` NULL: admitted. */
static void assert_answer(const struct peer_policy *policy, const struct peer *peer,
                          const char *reason)
{
    struct rpc_status status = {0};
    bool admitted = admission_check(policy, peer, &status);
    assert_int_equal(admitted, reason == NULL);
    if (reason == NULL)
        return;
    assert_string_equal(status.reason, reason);
    assert_int_equal(status.code, GRPC_PERMISSION_DENIED);
    assert_non_null(strstr(status.message, "sparkbridge: "));
}

static const struct peer one = {.known = true, .uid = 1}, two = {.known = true, .uid = 2};
static const struct peer nobody = {.unknown = "a reason"};
/* What an unknown peer's uid happens to be in memory must not matter. */
static const struct peer unknown_root = {.unknown = "a reason", .uid = 0};

static void test_users(void **state)
{
    struct peer_policy *policy = policy_of(LIST("#1"), NULL);
    assert_answer(policy, &one, NULL);
    assert_answer(policy, &two, "PEER_REFUSED");
    assert_answer(policy, &nobody, "PEER_UNKNOWN");
    peer_policy_unref(policy);
    policy = policy_of(LIST("#0"), NULL);
    assert_answer(policy, &unknown_root, "PEER_UNKNOWN");
    peer_policy_unref(policy);
    policy = policy_of(LIST("any"), NULL);
    assert_answer(policy, &two, NULL);
    assert_answer(policy, &nobody, NULL);
    peer_policy_unref(policy);
}

static void test_nothing_said(void **state)
{
    struct peer_policy *policy = policy_of(NULL, NULL);
    assert_answer(policy, &one, "PEER_REFUSED");
    assert_answer(policy, &nobody, "PEER_UNKNOWN");
    peer_policy_unref(policy);
}

static void test_rows(void **state)
{
    struct peer_policy *policy = policy_of(NULL, LIST("#1"));
    assert_answer(policy, &one, NULL);
    assert_answer(policy, &two, "PEER_HAS_NO_PROFILE");
    assert_answer(policy, &nobody, "PEER_UNKNOWN");
    peer_policy_unref(policy);
    policy = policy_of(LIST("any"), LIST("default"));
    assert_answer(policy, &two, NULL);
    assert_answer(policy, &nobody, "PEER_UNKNOWN"); /* whose profile should it be? */
    peer_policy_unref(policy);
    policy = policy_of(LIST("#1", "#2"), LIST("#1"));
    assert_answer(policy, &two, "PEER_HAS_NO_PROFILE");
    peer_policy_unref(policy);
    policy = policy_of(LIST("#1"), LIST("#1", "#2"));
    assert_answer(policy, &two, "PEER_REFUSED");
    peer_policy_unref(policy);
}

static void test_groups(void **state)
{
    struct peer_policy *policy = policy_of(LIST("#1", "@daemon"), NULL);
    gid_t groups[] = {7, 1};
    char name[] = "two";
    struct user user = {.name = name, .groups = groups, .group_count = 2};
    struct peer member = {.known = true, .uid = 2, .user = &user};
    assert_false(admission_needs_user(policy, &one));
    assert_true(admission_needs_user(policy, &two));
    assert_false(admission_needs_user(policy, &member));
    assert_false(admission_needs_user(policy, &nobody));
    assert_answer(policy, &member, NULL);
    user.group_count = 1;
    assert_answer(policy, &member, "PEER_REFUSED");
    assert_answer(policy, &two, "PEER_REFUSED");
    peer_policy_unref(policy);
}

static void test_sentence(void **state)
{
    struct peer_policy *policy = policy_of(LIST("#1", "@daemon"), NULL);
    struct rpc_status status;
    assert_false(admission_check(policy, &two, &status));
    assert_string_equal(status.message,
                        "sparkbridge: the user with uid 2 may not use this port, which is for #1, "
                        "@daemon: run a sparkbridge of your own, or have its owner add you to "
                        "peer_users");
    peer_policy_unref(policy);
}

static void test_log(void **state)
{
    struct peer_throttle log = {0};
    unsigned collapsed = 99;
    assert_true(peer_throttle_pass(&log, &one, 1000, 1, &collapsed));
    assert_int_equal(collapsed, 0);
    for (int i = 0; i < 500; i++)
        assert_false(peer_throttle_pass(&log, &one, 1001 + (uint64_t)i, 1, &collapsed));
    assert_true(peer_throttle_pass(&log, &two, 1600, 1, &collapsed)); /* another user is news */
    assert_true(peer_throttle_pass(&log, &nobody, 1600, 1, &collapsed));
    assert_true(peer_throttle_pass(&log, &one, 1000 + THROTTLE_MS, 1, &collapsed));
    assert_int_equal(collapsed, 500);
    /* More users than there is room for: the oldest gives way. */
    for (uid_t uid = 100; uid < 100 + PEER_THROTTLE_USERS; uid++) {
        struct peer peer = {.known = true, .uid = uid};
        assert_true(peer_throttle_pass(&log, &peer, 200000 + uid, 1, &collapsed));
    }
    for (uid_t uid = 100; uid < 100 + PEER_THROTTLE_USERS; uid++) {
        struct peer peer = {.known = true, .uid = uid};
        assert_false(peer_throttle_pass(&log, &peer, 200200, 1, &collapsed));
    }
}

static void test_several_lines(void **state)
{
    struct throttle throttle = {0};
    unsigned left_out;
    for (int i = 0; i < 10; i++)
        assert_int_equal(throttle_pass(&throttle, 1000, 3, &left_out), i < 3);
    assert_true(throttle_pass(&throttle, 1000 + THROTTLE_MS, 3, &left_out));
    assert_int_equal(left_out, 7);
    assert_true(throttle_pass(&throttle, 1001 + THROTTLE_MS, 3, &left_out));
    assert_int_equal(left_out, 0); /* they have been told of */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_users),         cmocka_unit_test(test_nothing_said),
        cmocka_unit_test(test_rows),          cmocka_unit_test(test_groups),
        cmocka_unit_test(test_sentence),      cmocka_unit_test(test_log),
        cmocka_unit_test(test_several_lines),
    };
    return cmocka_run_group_tests_name("admission", tests, NULL, NULL);
}
