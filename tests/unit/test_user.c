/* What the user database says of a user, of whom every system has one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdbool.h>

#include "daemon/user.h"
#include "tests/unit/threads.h"

enum { MANY = 3 * USER_MAX_THREADS };

static struct {
    uv_loop_t loop;
    struct workers *workers;
    size_t threads; /* that there were before */
} scene;

struct answer {
    struct user *user; /* owned */
    bool done;
};

static int begin(void **state)
{
    scene.threads = threads_count();
    uv_loop_init(&scene.loop);
    scene.workers = workers_create(&scene.loop, USER_MAX_THREADS);
    return 0;
}

static int finish(void **state)
{
    workers_destroy(scene.workers);
    uv_run(&scene.loop, UV_RUN_DEFAULT);
    threads_wait_for(scene.threads);
    return uv_loop_close(&scene.loop);
}

static void on_found(void *owner, struct user *user)
{
    struct answer *answer = owner;
    assert_false(answer->done);
    *answer = (struct answer){.user = user, .done = true};
}

static struct user_lookup *start(uid_t uid, struct answer *answer)
{
    *answer = (struct answer){0};
    struct user_lookup *lookup = user_lookup_start(scene.workers, uid, on_found, answer);
    assert_false(answer->done); /* never from within */
    return lookup;
}

static void wait_for(const struct answer *answer)
{
    while (!answer->done)
        uv_run(&scene.loop, UV_RUN_ONCE);
}

static void test_root(void **state)
{
    struct answer answer;
    start(0, &answer);
    wait_for(&answer);
    assert_non_null(answer.user);
    assert_string_equal(answer.user->name, "root");
    bool in_group_of_root = false;
    for (size_t i = 0; i < answer.user->group_count; i++)
        in_group_of_root |= answer.user->groups[i] == 0;
    assert_true(in_group_of_root);
    user_destroy(answer.user);
}

static void test_nobody_has_the_number(void **state)
{
    struct answer answer;
    start((uid_t)-2, &answer);
    wait_for(&answer);
    assert_non_null(answer.user);
    assert_null(answer.user->name);
    assert_int_equal(answer.user->group_count, 0);
    user_destroy(answer.user);
}

/* Whenever it comes to that: before, while or after it is asked. */
static void test_forgotten(void **state)
{
    struct answer answers[MANY], last;
    struct user_lookup *lookups[MANY];
    for (size_t i = 0; i < MANY; i++)
        lookups[i] = start(0, &answers[i]);
    for (size_t i = 0; i < MANY; i++)
        user_lookup_forget(lookups[i]);
    start(0, &last);
    wait_for(&last);
    for (size_t i = 0; i < MANY; i++)
        assert_false(answers[i].done);
    user_destroy(last.user);
}

/* That is no answer, and does not pass for "there is no such user". */
static void test_no_thread_can_be_had(void **state)
{
    struct answer answer;
    pthread_attr_t before;
    threads_forbid(&before);
    start(0, &answer);
    threads_allow(&before);
    wait_for(&answer);
    assert_null(answer.user);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)
    const struct CMUnitTest tests[] = {
        TEST(test_root),
        TEST(test_nobody_has_the_number),
        TEST(test_forgotten),
        TEST(test_no_thread_can_be_had),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
