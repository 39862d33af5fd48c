/* Connections and calls against the limits, in total and per user; who has to go for the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/quota.h"

enum { MIB = 1 << 20, ALICE = 1000, BOB = 1001, MOST_EVICTED = QUOTA_MAX_LEAVING + 8 };

/* A connection as its owner has it. */
struct connection {
    struct quota_idle idle;
    struct quota_user *user;
    unsigned evicted;
    bool lingers; /* tells its client before it goes */
};

struct world {
    struct byte_pool pool;
    struct quota quota;
};

static void begin(struct world *world, unsigned connections, unsigned per_user)
{
    *world = (struct world){0};
    quota_init(&world->quota, &world->pool);
    world->quota.limits = (struct client_limits){.connections = connections,
                                                 .connections_per_user = per_user,
                                                 .calls = 4,
                                                 .calls_per_user = 2,
                                                 .buffer_bytes = (size_t)4 * MIB};
}

static void on_evict(struct quota_idle *idle)
{
    struct connection *connection = container_of(idle, struct connection, idle);
    connection->evicted++;
    quota_disconnect(connection->user);
    connection->user = NULL;
    if (!connection->lingers || connection->evicted > 1)
        list_remove(&idle->link);
}

/* `has_called` says where it waits; a connection with a call under way is on no list. */
static void open_idle(struct world *world, struct connection *connection, uid_t uid,
                      bool has_called)
{
    struct rpc_status status;
    connection->user = quota_connect(&world->quota, uid, &status);
    assert_non_null(connection->user);
    connection->idle = (struct quota_idle){.has_called = has_called, .on_evict = on_evict};
    list_init(&connection->idle.link);
    quota_begin_idle(connection->user, &connection->idle);
}

static void end(struct connection *connection)
{
    list_remove(&connection->idle.link);
    quota_disconnect(connection->user);
}

static struct quota_user *connect_user(struct world *world, uid_t uid)
{
    struct rpc_status status;
    struct quota_user *user = quota_connect(&world->quota, uid, &status);
    assert_non_null(user);
    return user;
}

/* What a client is told: the key, and how many the limit allows. */
static void assert_refused(const struct rpc_status *status, const char *limit, const char *key)
{
    assert_int_equal(status->code, GRPC_RESOURCE_EXHAUSTED);
    assert_string_equal(status->reason, "TOO_MANY");
    assert_non_null(strstr(status->message, limit));
    assert_non_null(strstr(status->message, key));
}

static void test_connections(void **state)
{
    struct world world;
    struct rpc_status status;
    begin(&world, 3, 2);
    struct quota_user *alice = connect_user(&world, ALICE), *bob;
    assert_ptr_equal(connect_user(&world, ALICE), alice);
    assert_null(quota_connect(&world.quota, ALICE, &status));
    assert_refused(&status, " 2 at once", "limits.connections_per_user ");
    bob = connect_user(&world, BOB);
    assert_null(quota_connect(&world.quota, BOB, &status));
    assert_refused(&status, " 3 at once", "limits.connections ");
    assert_int_equal(world.quota.connections, 3);
    quota_disconnect(alice);
    assert_ptr_equal(connect_user(&world, BOB), bob);
    quota_disconnect(alice);
    quota_disconnect(bob);
    quota_disconnect(bob);
    quota_disconnect(NULL);
    assert_int_equal(world.quota.connections, 0);
    assert_true(list_is_empty(&world.quota.users));
}

static void test_calls(void **state)
{
    struct world world;
    struct rpc_status status;
    begin(&world, 9, 9);
    struct quota_user *users[] = {connect_user(&world, ALICE), connect_user(&world, BOB),
                                  connect_user(&world, QUOTA_UNKNOWN_USER)};
    for (size_t i = 0; i < 2; i++) {
        assert_true(quota_begin_call(users[i], &status));
        assert_true(quota_begin_call(users[i], &status));
        if (i == 0) {
            assert_false(quota_begin_call(users[0], &status));
            assert_refused(&status, " 2 at once", "limits.calls_per_user ");
        }
    }
    assert_false(quota_begin_call(users[2], &status));
    assert_refused(&status, " 4 at once", "limits.calls ");
    assert_int_equal(world.quota.calls, 4);
    quota_end_call(users[0]);
    assert_true(quota_begin_call(users[2], &status));
    quota_end_call(users[2]);
    quota_end_call(users[0]);
    quota_end_call(users[1]);
    quota_end_call(users[1]);
    assert_int_equal(world.quota.calls, 0);
    for (size_t i = 0; i < 3; i++)
        quota_disconnect(users[i]);
}

/* First those that never had a call, then those that have been idle for longest. */
static void test_eviction_order(void **state)
{
    struct world world;
    struct connection made[4] = {0}, next[4] = {0};
    static const bool has_called[] = {true, false, true, false};
    static const size_t order[] = {1, 3, 0, 2};
    begin(&world, 4, 9);
    for (size_t i = 0; i < 4; i++)
        open_idle(&world, &made[i], i < 2 ? ALICE : BOB, has_called[i]);
    for (size_t turn = 0; turn < 4; turn++) {
        next[turn].user = connect_user(&world, ALICE);
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(made[order[i]].evicted, i <= turn);
        assert_int_equal(world.quota.connections, 4);
    }
    for (size_t i = 0; i < 4; i++)
        quota_disconnect(next[i].user);
    assert_true(list_is_empty(&world.quota.leaving));
}

/* Whoever has as many as a user may have makes place for the next, and nobody else does. */
static void test_eviction_is_the_users_own(void **state)
{
    struct world world;
    struct connection of_bob = {0}, of_alice[2] = {0};
    begin(&world, 9, 2);
    open_idle(&world, &of_bob, BOB, false);
    open_idle(&world, &of_alice[0], ALICE, true);
    open_idle(&world, &of_alice[1], ALICE, true);
    struct quota_user *alice = connect_user(&world, ALICE);
    assert_int_equal(of_bob.evicted, 0);
    assert_int_equal(of_alice[0].evicted, 1);
    assert_int_equal(of_alice[1].evicted, 0);
    quota_disconnect(alice);
    end(&of_alice[1]);
    end(&of_bob);
}

/* The user's account goes with its last connection, also where that is the one that is evicted. */
static void test_eviction_of_the_only_connection(void **state)
{
    struct world world;
    struct connection only = {0};
    begin(&world, 9, 1);
    open_idle(&world, &only, ALICE, true);
    struct quota_user *alice = connect_user(&world, ALICE);
    assert_int_equal(only.evicted, 1);
    assert_int_equal(world.quota.connections, 1);
    quota_disconnect(alice);
    assert_true(list_is_empty(&world.quota.users));
}

/* They may tell their clients; of those that take too long the oldest have to go at once. */
static void test_too_many_that_leave(void **state)
{
    struct world world;
    static struct connection made[MOST_EVICTED];
    begin(&world, 1, 9);
    memset(made, 0, sizeof made);
    for (size_t i = 0; i < MOST_EVICTED; i++) {
        made[i].lingers = true;
        open_idle(&world, &made[i], ALICE, false);
    }
    /* The last one is there, and QUOTA_MAX_LEAVING before it may still linger. */
    for (size_t i = 0; i < MOST_EVICTED - 1; i++)
        assert_int_equal(made[i].evicted, i < MOST_EVICTED - 1 - QUOTA_MAX_LEAVING ? 2 : 1);
    assert_int_equal(world.quota.connections, 1);
    for (size_t i = 0; i < MOST_EVICTED; i++)
        end(&made[i]);
    assert_true(list_is_empty(&world.quota.leaving));
}

/* Beyond the budget a body that holds more than its share of it has to go: a share for each call,
 * and one over. */
static void test_overdrawn(void **state)
{
    struct world world;
    struct rpc_status status;
    begin(&world, 9, 9);
    struct quota_user *alice = connect_user(&world, ALICE), *bob = connect_user(&world, BOB);
    assert_true(quota_begin_call(alice, &status));
    assert_true(quota_begin_call(alice, &status));
    assert_true(quota_begin_call(bob, &status));
    world.pool.used_bytes = (size_t)4 * MIB;
    assert_false(quota_is_overdrawn(&world.quota, (size_t)4 * MIB));
    world.pool.used_bytes++;
    assert_false(quota_is_overdrawn(&world.quota, MIB));
    assert_true(quota_is_overdrawn(&world.quota, MIB + 1));
    quota_end_call(bob);
    assert_false(quota_is_overdrawn(&world.quota, (size_t)4 * MIB / 3));

    assert_false(quota_begin_call(bob, &status));
    assert_int_equal(status.code, GRPC_RESOURCE_EXHAUSTED);
    assert_string_equal(status.reason, "BUFFERS_FULL");
    assert_non_null(strstr(status.message, "hold 4 MiB already"));
    assert_non_null(strstr(status.message, "raise limits.buffer_bytes"));
    assert_int_equal(world.quota.calls, 2);
    world.pool.used_bytes--;
    assert_true(quota_begin_call(bob, &status));
    quota_end_call(bob);
    quota_end_call(alice);
    quota_end_call(alice);
    quota_disconnect(alice);
    quota_disconnect(bob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connections),
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_eviction_order),
        cmocka_unit_test(test_eviction_is_the_users_own),
        cmocka_unit_test(test_eviction_of_the_only_connection),
        cmocka_unit_test(test_too_many_that_leave),
        cmocka_unit_test(test_overdrawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
