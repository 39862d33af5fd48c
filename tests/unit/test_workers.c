/* Threads for questions that may hang: how many there are, and whose a task is in the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>

#include "daemon/workers.h"
#include "tests/unit/threads.h"

enum { MAX_THREADS = 2 };

/* ---- questions ----------------------------------------------------------------------------------
 */

static struct {
    uv_loop_t loop;
    struct workers *workers;
    size_t threads;      /* that there were before */
    pthread_t loop_side; /* the thread of the loop */
    sem_t begun;         /* once for each question that hangs */
    sem_t release;       /* lets one of them go */
    unsigned live;       /* questions that have not been dropped; by atomics */
    unsigned turn;       /* how many are done */
} scene;

/* What became of a question. */
struct fate {
    unsigned worked;             /* by atomics */
    unsigned dropped;            /* by atomics */
    unsigned done;               /* which turn; 0: not */
    bool in_loop;                /* dropped there */
    bool has_signals;            /* the thread that worked had not blocked SIGTERM */
    struct question *to_abandon; /* when it is done */
};

struct question {
    struct worker_task task;
    struct fate *fate; /* borrowed */
    bool hangs;
};

static void on_work(struct worker_task *task)
{
    struct question *question = container_of(task, struct question, task);
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    question->fate->has_signals = sigismember(&blocked, SIGTERM) == 0;
    __atomic_add_fetch(&question->fate->worked, 1, __ATOMIC_SEQ_CST);
    if (question->hangs) {
        sem_post(&scene.begun);
        sem_wait(&scene.release);
    }
}

static void on_done(struct worker_task *task)
{
    struct fate *fate = container_of(task, struct question, task)->fate;
    assert_int_equal(fate->done, 0);
    assert_true(pthread_equal(pthread_self(), scene.loop_side));
    fate->done = ++scene.turn;
    if (fate->to_abandon != NULL)
        worker_task_abandon(&fate->to_abandon->task);
}

static void on_drop(struct worker_task *task)
{
    struct question *question = container_of(task, struct question, task);
    question->fate->in_loop = pthread_equal(pthread_self(), scene.loop_side) != 0;
    __atomic_add_fetch(&question->fate->dropped, 1, __ATOMIC_SEQ_CST);
    __atomic_sub_fetch(&scene.live, 1, __ATOMIC_SEQ_CST);
    free(question);
}

static struct question *make(struct fate *fate)
{
    struct question *question = calloc(1, sizeof *question);
    assert_non_null(question);
    *fate = (struct fate){0};
    question->task = (struct worker_task){.work = on_work, .done = on_done, .drop = on_drop};
    question->fate = fate;
    __atomic_add_fetch(&scene.live, 1, __ATOMIC_SEQ_CST);
    return question;
}

static struct question *start(struct workers *workers, struct fate *fate, bool hangs)
{
    struct question *question = make(fate);
    question->hangs = hangs;
    assert_int_equal(workers_start(workers, &question->task), 0);
    return question;
}

static struct question *ask(struct fate *fate)
{
    return start(scene.workers, fate, false);
}

static struct question *ask_and_hang(struct fate *fate)
{
    struct question *question = start(scene.workers, fate, true);
    sem_wait(&scene.begun);
    return question;
}

static void wait_for(const struct fate *fate)
{
    while (fate->done == 0)
        uv_run(&scene.loop, UV_RUN_ONCE);
}

static unsigned dropped(const struct fate *fate)
{
    return __atomic_load_n(&fate->dropped, __ATOMIC_SEQ_CST);
}

/* ---- a scene ------------------------------------------------------------------------------------
 */

static int begin(void **state)
{
    scene.threads = threads_count();
    scene.loop_side = pthread_self();
    scene.turn = 0;
    sem_init(&scene.begun, 0, 0);
    sem_init(&scene.release, 0, 0);
    uv_loop_init(&scene.loop);
    scene.workers = workers_create(&scene.loop, MAX_THREADS);
    return 0;
}

static void end_loop(void)
{
    workers_destroy(scene.workers);
    scene.workers = NULL;
    uv_run(&scene.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&scene.loop), 0);
}

/* The sanitizers say whether something of the workers was left. */
static int finish(void **state)
{
    if (scene.workers != NULL)
        end_loop();
    threads_wait_for(scene.threads);
    return __atomic_load_n(&scene.live, __ATOMIC_SEQ_CST) != 0;
}

/* ---- the tests ----------------------------------------------------------------------------------
 */

static void test_asked_in_a_thread(void **state)
{
    struct fate fate;
    ask(&fate);
    wait_for(&fate);
    assert_int_equal(fate.worked, 1);
    assert_int_equal(fate.dropped, 1);
    assert_false(fate.has_signals);
    threads_wait_for(scene.threads); /* none is kept for what may come */
}

static void test_nothing_to_ask(void **state)
{
    struct fate fate, never;
    workers_report(scene.workers, &make(&fate)->task);
    assert_int_equal(fate.done, 0); /* never from within */
    struct question *question = make(&never);
    workers_report(scene.workers, &question->task);
    worker_task_abandon(&question->task);
    assert_int_equal(never.dropped, 1);
    wait_for(&fate);
    assert_true(fate.worked == 0 && fate.dropped == 1 && never.done == 0);
    assert_int_equal(threads_count(), scene.threads);
}

/* What comes on top waits for a thread, and has it in the order of its coming. */
static void test_no_more_threads_than_the_limit(void **state)
{
    struct fate slow[MAX_THREADS], first, second, never;
    for (size_t i = 0; i < MAX_THREADS; i++)
        ask_and_hang(&slow[i]);
    ask(&first);
    struct question *abandoned = ask(&never);
    ask(&second);
    assert_int_equal(threads_count(), scene.threads + MAX_THREADS);
    worker_task_abandon(&abandoned->task); /* no thread has it */
    assert_int_equal(never.dropped, 1);
    uv_run(&scene.loop, UV_RUN_NOWAIT);
    assert_true(first.worked + second.worked + scene.turn == 0);

    sem_post(&scene.release);
    wait_for(&second);
    assert_true(first.done > 0 && first.done < second.done);
    assert_int_equal(never.worked, 0);
    sem_post(&scene.release);
    for (size_t i = 0; i < MAX_THREADS; i++)
        wait_for(&slow[i]);
    assert_int_equal(scene.turn, MAX_THREADS + 2);
}

/* The thread goes on with the next one, and counts until then. */
static void test_abandoned_while_it_is_asked(void **state)
{
    struct fate slow[MAX_THREADS], next;
    for (size_t i = 0; i < MAX_THREADS; i++)
        worker_task_abandon(&ask_and_hang(&slow[i])->task);
    ask(&next);
    uv_run(&scene.loop, UV_RUN_NOWAIT);
    assert_int_equal(threads_count(), scene.threads + MAX_THREADS);
    assert_true(next.worked == 0 && dropped(&slow[0]) + dropped(&slow[1]) == 0);
    sem_post(&scene.release);
    wait_for(&next);
    sem_post(&scene.release);
    threads_wait_for(scene.threads);
    uv_run(&scene.loop, UV_RUN_NOWAIT);
    for (size_t i = 0; i < MAX_THREADS; i++)
        assert_true(dropped(&slow[i]) == 1 && slow[i].done == 0 && !slow[i].in_loop);
}

static void test_abandoned_when_it_has_been_asked(void **state)
{
    struct fate fate;
    struct question *question = ask(&fate);
    threads_wait_for(scene.threads);
    worker_task_abandon(&question->task);
    uv_run(&scene.loop, UV_RUN_NOWAIT);
    assert_true(fate.worked == 1 && fate.dropped == 1 && fate.done == 0);
}

/* Both have been asked before the loop hears of either. */
static void test_abandoned_by_another(void **state)
{
    struct fate fate, never;
    struct question *question = ask(&fate);
    threads_wait_for(scene.threads);
    fate.to_abandon = ask(&never);
    threads_wait_for(scene.threads);
    assert_ptr_equal(question->fate, &fate);
    wait_for(&fate);
    uv_run(&scene.loop, UV_RUN_NOWAIT);
    assert_true(never.worked == 1 && never.dropped == 1 && never.done == 0);
}

/* The loop does not wait, and the last thread cleans up behind it. */
static void test_left_behind(void **state)
{
    struct fate slow[MAX_THREADS];
    struct question *questions[MAX_THREADS];
    for (size_t i = 0; i < MAX_THREADS; i++)
        questions[i] = ask_and_hang(&slow[i]);
    for (size_t i = 0; i < MAX_THREADS; i++)
        worker_task_abandon(&questions[i]->task);
    end_loop();
    for (size_t i = 0; i < MAX_THREADS; i++)
        assert_int_equal(dropped(&slow[i]), 0);
    for (size_t i = 0; i < MAX_THREADS; i++)
        sem_post(&scene.release);
    threads_wait_for(scene.threads);
    for (size_t i = 0; i < MAX_THREADS; i++)
        assert_true(dropped(&slow[i]) == 1 && slow[i].done == 0);
}

/* All threads of a service that hangs are its own. */
static void test_one_service_holds_up_no_other(void **state)
{
    struct fate slow[MAX_THREADS], fast;
    struct workers *others = workers_create(&scene.loop, 1);
    for (size_t i = 0; i < MAX_THREADS; i++)
        ask_and_hang(&slow[i]);
    start(others, &fast, false);
    wait_for(&fast);
    assert_int_equal(scene.turn, 1);
    workers_destroy(others);
    for (size_t i = 0; i < MAX_THREADS; i++)
        sem_post(&scene.release);
    for (size_t i = 0; i < MAX_THREADS; i++)
        wait_for(&slow[i]);
}

/* The task stays the caller's, and the place among the threads is free again. */
static void test_no_thread_can_be_had(void **state)
{
    struct fate fate, later;
    struct question *question = make(&fate);
    pthread_attr_t before;
    threads_forbid(&before);
    for (size_t i = 0; i <= MAX_THREADS; i++)
        assert_int_equal(workers_start(scene.workers, &question->task), -EAGAIN);
    threads_allow(&before);
    assert_true(fate.worked == 0 && fate.dropped == 0);
    workers_report(scene.workers, &question->task);
    wait_for(&fate);
    ask(&later);
    wait_for(&later);
    assert_true(fate.worked == 0 && later.worked == 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)
    const struct CMUnitTest tests[] = {
        TEST(test_asked_in_a_thread),
        TEST(test_nothing_to_ask),
        TEST(test_no_more_threads_than_the_limit),
        TEST(test_abandoned_while_it_is_asked),
        TEST(test_abandoned_when_it_has_been_asked),
        TEST(test_abandoned_by_another),
        TEST(test_left_behind),
        TEST(test_one_service_holds_up_no_other),
        TEST(test_no_thread_can_be_had),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
