/* When a silent peer is asked, given up or left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/keepalive.h"

enum { START = 1000 };

static struct keepalive begun(void)
{
    struct keepalive keepalive;
    keepalive_init(&keepalive, START);
    return keepalive;
}

/* At the moment that is due, and not a millisecond before. */
static uint64_t next(struct keepalive *keepalive, bool busy, enum keepalive_step wanted)
{
    uint64_t due = keepalive_due_ms(keepalive, busy);
    assert_int_equal(keepalive_step(keepalive, due - 1, busy), KEEPALIVE_WAIT);
    assert_int_equal(keepalive_step(keepalive, due, busy), wanted);
    return due;
}

static void test_silence_while_calls_wait(void **state)
{
    struct keepalive keepalive = begun();
    assert_int_equal(next(&keepalive, true, KEEPALIVE_PING), START + KEEPALIVE_FIRST_MS);
    assert_int_equal(next(&keepalive, true, KEEPALIVE_LOST),
                     START + KEEPALIVE_FIRST_MS + KEEPALIVE_ANSWER_MS);
}

static void test_silence_without_calls(void **state)
{
    struct keepalive keepalive = begun();
    assert_int_equal(next(&keepalive, false, KEEPALIVE_IDLE), START + KEEPALIVE_IDLE_MS);
}

static void test_a_ping_that_is_answered(void **state)
{
    struct keepalive keepalive = begun();
    uint64_t now = next(&keepalive, true, KEEPALIVE_PING) + 5;
    assert_false(keepalive_heard(&keepalive, now, false));
    assert_int_equal(next(&keepalive, true, KEEPALIVE_PING), now + KEEPALIVE_NEXT_MS);
}

/* An answer of a call makes silence news again, and the owner's timer has to be told. */
static void test_an_answer_after_a_ping(void **state)
{
    struct keepalive keepalive = begun();
    uint64_t now = next(&keepalive, true, KEEPALIVE_PING);
    assert_true(keepalive_heard(&keepalive, now, true));
    assert_false(keepalive_heard(&keepalive, now, true));
    assert_int_equal(next(&keepalive, true, KEEPALIVE_PING), now + KEEPALIVE_FIRST_MS);
}

/* The call that was asked for has gone, and another has come: the PING is still to be answered. */
static void test_another_call_during_a_ping(void **state)
{
    struct keepalive keepalive = begun();
    uint64_t sent = next(&keepalive, true, KEEPALIVE_PING);
    keepalive_restart(&keepalive, sent + 3);
    assert_int_equal(keepalive_step(&keepalive, sent + 3, false), KEEPALIVE_WAIT);
    keepalive_restart(&keepalive, sent + 4);
    assert_int_equal(next(&keepalive, true, KEEPALIVE_LOST), sent + KEEPALIVE_ANSWER_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silence_while_calls_wait),
        cmocka_unit_test(test_silence_without_calls),
        cmocka_unit_test(test_a_ping_that_is_answered),
        cmocka_unit_test(test_an_answer_after_a_ping),
        cmocka_unit_test(test_another_call_during_a_ping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
