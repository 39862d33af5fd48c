/* Looking names up, also with a name service that hangs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>

#include "daemon/name_lookup.h"
#include "tests/unit/threads.h"

/* ---- a name service -----------------------------------------------------------------------------
 */

static struct {
    sem_t asked;      /* once for each name that hangs */
    sem_t release;    /* lets one of them go */
    unsigned names;   /* that were asked for, and are no addresses; by atomics */
    bool has_signals; /* a thread has not blocked SIGTERM */
} service_state;

/* Takes the place of libc's for the whole program: "hangs" does, everything else is libc's to know.
 */
int getaddrinfo_or_hang(const char *host, const char *port, const struct addrinfo *hints,
                        struct addrinfo **found) __asm__("getaddrinfo");

int getaddrinfo_or_hang(const char *host, const char *port, const struct addrinfo *hints,
                        struct addrinfo **found)
{
    __typeof__(getaddrinfo_or_hang) *libc;
    *(void **)&libc = dlsym(RTLD_NEXT, "getaddrinfo");
    if ((hints->ai_flags & AI_NUMERICHOST) == 0) {
        sigset_t blocked;
        pthread_sigmask(SIG_SETMASK, NULL, &blocked);
        __atomic_add_fetch(&service_state.names, 1, __ATOMIC_SEQ_CST);
        if (sigismember(&blocked, SIGTERM) == 0)
            service_state.has_signals = true;
        if (strcmp(host, "hangs") == 0) {
            sem_post(&service_state.asked);
            sem_wait(&service_state.release);
            host = "127.0.0.1";
        }
    }
    return libc(host, port, hints, found);
}

/* Waits until `count` look-ups hang. */
static void wait_for_hanging(unsigned count)
{
    while (count-- > 0)
        sem_wait(&service_state.asked);
}

static void release(unsigned count)
{
    while (count-- > 0)
        sem_post(&service_state.release);
}

/* ---- a scene ------------------------------------------------------------------------------------
 */

static struct {
    uv_loop_t loop;
    struct name_service *names;
    size_t threads; /* that there were before */
} scene;

/* What a look-up found. */
struct answer {
    char text[100];
    struct in_addr first_v4;
    unsigned v4, v6;
    uint16_t port;
    bool done;
};

static int begin(void **state)
{
    memset(&service_state, 0, sizeof service_state);
    sem_init(&service_state.asked, 0, 0);
    sem_init(&service_state.release, 0, 0);
    scene.threads = threads_count();
    uv_loop_init(&scene.loop);
    scene.names = name_service_create(&scene.loop);
    return 0;
}

static int end_loop(void)
{
    name_service_destroy(scene.names);
    scene.names = NULL;
    uv_run(&scene.loop, UV_RUN_DEFAULT);
    return uv_loop_close(&scene.loop);
}

/* All threads end by themselves; the sanitizers say whether something was left. */
static int finish(void **state)
{
    int result = scene.names != NULL ? end_loop() : 0;
    threads_wait_for(scene.threads);
    return result != 0 || service_state.has_signals;
}

static void on_name(void *owner, const struct addrinfo *found, const char *text)
{
    struct answer *answer = owner;
    assert_false(answer->done);
    answer->done = true;
    if (found == NULL)
        snprintf(answer->text, sizeof answer->text, "%s", text);
    for (; found != NULL; found = found->ai_next) {
        assert_int_equal(found->ai_socktype, SOCK_STREAM);
        if (found->ai_family == AF_INET6) {
            answer->v6++;
            answer->port = ntohs(((const struct sockaddr_in6 *)(void *)found->ai_addr)->sin6_port);
        } else {
            const struct sockaddr_in *address = (const struct sockaddr_in *)(void *)found->ai_addr;
            answer->v4++;
            answer->port = ntohs(address->sin_port);
            answer->first_v4 = address->sin_addr;
        }
    }
}

static struct name_lookup *start(const char *host, struct answer *answer)
{
    *answer = (struct answer){0};
    struct name_lookup *lookup = name_lookup_start(scene.names, host, 443, on_name, answer);
    assert_false(answer->done); /* never from within */
    return lookup;
}

static void wait_for(const struct answer *answer)
{
    while (!answer->done)
        uv_run(&scene.loop, UV_RUN_ONCE);
}

/* ---- the tests ----------------------------------------------------------------------------------
 */

static void test_addresses_are_asked_of_nobody(void **state)
{
    struct answer answer;
    start("192.0.2.7", &answer);
    wait_for(&answer);
    assert_true(answer.v4 == 1 && answer.v6 == 0 && answer.port == 443);
    assert_int_equal(ntohl(answer.first_v4.s_addr), 0xc0000207);
    start("2001:db8::7", &answer);
    wait_for(&answer);
    assert_true(answer.v4 == 0 && answer.v6 == 1 && answer.port == 443);
    assert_int_equal(service_state.names, 0);
}

static void test_localhost(void **state)
{
    struct answer answer;
    start("localhost", &answer);
    wait_for(&answer);
    assert_true(answer.v4 + answer.v6 > 0 && answer.port == 443);
    assert_int_equal(service_state.names, 1);
}

/* No label may be that long, so that no name server is asked. */
static void test_a_name_that_cannot_be(void **state)
{
    struct answer answer;
    char name[80];
    snprintf(name, sizeof name, "%064d.invalid", 1);
    start(name, &answer);
    wait_for(&answer);
    assert_int_equal(answer.v4 + answer.v6, 0);
    assert_true(strlen(answer.text) > 10);
}

static void test_one_that_hangs_holds_up_no_other(void **state)
{
    struct answer slow, fast;
    start("hangs", &slow);
    wait_for_hanging(1);
    start("localhost", &fast);
    wait_for(&fast);
    assert_false(slow.done);
    release(1);
    wait_for(&slow);
    assert_int_equal(slow.v4, 1);
}

static void test_cancelled_while_it_hangs(void **state)
{
    struct answer slow, next;
    struct name_lookup *lookup = start("hangs", &slow);
    wait_for_hanging(1);
    name_lookup_cancel(lookup);
    release(1);
    start("localhost", &next);
    wait_for(&next);
    assert_false(slow.done);
}

/* The loop is gone when the answer comes. */
static void test_left_behind(void **state)
{
    struct answer slow;
    struct name_lookup *lookup = start("hangs", &slow);
    wait_for_hanging(1);
    name_lookup_cancel(lookup);
    assert_int_equal(end_loop(), 0);
    release(1);
}

static void test_cancelled_when_it_is_known(void **state)
{
    struct answer answer;
    name_lookup_cancel(start("192.0.2.7", &answer));
    uv_run(&scene.loop, UV_RUN_NOWAIT);
    assert_false(answer.done);

    struct name_lookup *lookup = start("localhost", &answer);
    threads_wait_for(scene.threads);
    name_lookup_cancel(lookup);
    uv_run(&scene.loop, UV_RUN_NOWAIT);
    assert_false(answer.done);
    name_lookup_cancel(NULL);
}

/* What comes on top waits for a thread, and is not lost. */
static void test_no_more_threads_than_a_limit(void **state)
{
    struct answer slow[NAME_SERVICE_MAX_THREADS], waiting, cancelled, late;
    struct name_lookup *lookups[NAME_SERVICE_MAX_THREADS];
    for (size_t i = 0; i < NAME_SERVICE_MAX_THREADS; i++)
        lookups[i] = start("hangs", &slow[i]);
    wait_for_hanging(NAME_SERVICE_MAX_THREADS);
    struct name_lookup *never = start("hangs", &cancelled);
    start("localhost", &waiting);
    struct name_lookup *hangs_late = start("hangs", &late);
    name_lookup_cancel(never);
    name_lookup_cancel(lookups[0]); /* its thread still counts */
    uv_run(&scene.loop, UV_RUN_NOWAIT);
    assert_int_equal(service_state.names, NAME_SERVICE_MAX_THREADS);
    assert_int_equal(threads_count(), scene.threads + NAME_SERVICE_MAX_THREADS);
    assert_false(waiting.done);

    release(1);
    wait_for(&waiting);
    assert_true(waiting.v4 + waiting.v6 > 0);
    wait_for_hanging(1);
    name_lookup_cancel(hangs_late);
    release(NAME_SERVICE_MAX_THREADS);
    for (size_t i = 1; i < NAME_SERVICE_MAX_THREADS; i++)
        wait_for(&slow[i]);
    assert_false(slow[0].done || cancelled.done || late.done);
}

static void test_no_thread_can_be_had(void **state)
{
    struct answer answer;
    pthread_attr_t before;
    threads_forbid(&before);
    start("localhost", &answer);
    struct answer cancelled;
    name_lookup_cancel(start("localhost", &cancelled));
    threads_allow(&before);
    wait_for(&answer);
    assert_non_null(strstr(answer.text, "no thread"));
    start("localhost", &answer);
    wait_for(&answer);
    assert_true(answer.v4 + answer.v6 > 0);
    assert_false(cancelled.done);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)
    const struct CMUnitTest tests[] = {
        TEST(test_addresses_are_asked_of_nobody), TEST(test_localhost),
        TEST(test_a_name_that_cannot_be),         TEST(test_one_that_hangs_holds_up_no_other),
        TEST(test_cancelled_while_it_hangs),      TEST(test_left_behind),
        TEST(test_cancelled_when_it_is_known),    TEST(test_no_more_threads_than_a_limit),
        TEST(test_no_thread_can_be_had),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
