/* Detached threads for questions, and how their answers come back to the loop. */
#include "daemon/workers.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "common/alloc.h"

/* Freed by the loop's side, or by the last thread where that comes later. */
struct workers {
    pthread_mutex_t mutex; /* of all that follows, and of each task's link and states */
    uv_async_t *async;     /* owned; NULL when the loop's side has ended */
    struct list waiting;   /* for a thread, oldest first */
    struct list finished;  /* the loop has not heard of these */
    unsigned threads, max_threads;
};

static void workers_free(struct workers *workers)
{
    pthread_mutex_destroy(&workers->mutex);
    free(workers);
}

/* ---- in the thread ------------------------------------------------------------------------------
 */

/* Hands in a task that is worked off. Returns one that waits, if any; else the thread ends. */
static struct worker_task *hand_in(struct workers *workers, struct worker_task *task)
{
    pthread_mutex_lock(&workers->mutex);
    bool abandoned = task->abandoned;
    task->has_thread = false;
    if (!abandoned) {
        list_append(&workers->finished, &task->link);
        uv_async_send(workers->async);
    }
    bool is_last = false;
    struct worker_task *next = list_first(&workers->waiting, struct worker_task, link);
    if (next != NULL) {
        list_remove(&next->link);
        next->has_thread = true;
    } else {
        workers->threads--;
        is_last = workers->threads == 0 && workers->async == NULL;
    }
    pthread_mutex_unlock(&workers->mutex);
    if (abandoned)
        task->drop(task);
    if (is_last)
        workers_free(workers);
    return next;
}

static void *on_thread(void *arg)
{
    struct worker_task *task = arg;
    struct workers *workers = task->workers;
    while (task != NULL) {
        task->work(task);
        task = hand_in(workers, task);
    }
    return NULL;
}

/* The loop's thread has the signals. */
static int start_thread(struct worker_task *task)
{
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread, NULL, on_thread, task);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0)
        pthread_detach(thread);
    return error;
}

/* ---- in the loop --------------------------------------------------------------------------------
 */

static struct worker_task *take_finished(struct workers *workers)
{
    pthread_mutex_lock(&workers->mutex);
    struct worker_task *task = list_first(&workers->finished, struct worker_task, link);
    if (task != NULL)
        list_remove(&task->link);
    pthread_mutex_unlock(&workers->mutex);
    return task;
}

static void on_async(uv_async_t *async)
{
    struct worker_task *task;
    while ((task = take_finished(async->data)) != NULL) {
        task->done(task);
        task->drop(task);
    }
}

static void adopt(struct workers *workers, struct worker_task *task)
{
    list_init(&task->link);
    task->workers = workers;
    task->has_thread = task->abandoned = false;
}

/* A thread for the task, or a place among those that wait for one. */
int workers_start(struct workers *workers, struct worker_task *task)
{
    adopt(workers, task);
    pthread_mutex_lock(&workers->mutex);
    bool has_thread = workers->threads < workers->max_threads;
    task->has_thread = has_thread;
    if (has_thread)
        workers->threads++;
    else
        list_append(&workers->waiting, &task->link);
    pthread_mutex_unlock(&workers->mutex);
    if (!has_thread)
        return 0;
    int error = start_thread(task);
    if (error == 0)
        return 0;
    pthread_mutex_lock(&workers->mutex);
    task->has_thread = false;
    workers->threads--;
    pthread_mutex_unlock(&workers->mutex);
    return -error;
}

void workers_report(struct workers *workers, struct worker_task *task)
{
    adopt(workers, task);
    pthread_mutex_lock(&workers->mutex);
    list_append(&workers->finished, &task->link);
    pthread_mutex_unlock(&workers->mutex);
    uv_async_send(workers->async);
}

void worker_task_abandon(struct worker_task *task)
{
    struct workers *workers = task->workers;
    pthread_mutex_lock(&workers->mutex);
    list_remove(&task->link);
    task->abandoned = task->has_thread;
    bool abandoned = task->abandoned;
    pthread_mutex_unlock(&workers->mutex);
    if (!abandoned)
        task->drop(task);
}

struct workers *workers_create(uv_loop_t *loop, unsigned max_threads)
{
    struct workers *workers = xcalloc(1, sizeof *workers);
    pthread_mutex_init(&workers->mutex, NULL);
    list_init(&workers->waiting);
    list_init(&workers->finished);
    workers->max_threads = max_threads;
    workers->async = xcalloc(1, sizeof *workers->async);
    if (uv_async_init(loop, workers->async, on_async) < 0)
        abort(); /* the loop has what it needs for this since uv_loop_init() */
    workers->async->data = workers;
    return workers;
}

static void on_async_closed(uv_handle_t *async)
{
    free(async);
}

void workers_destroy(struct workers *workers)
{
    assert(list_is_empty(&workers->waiting) && list_is_empty(&workers->finished));
    uv_close((uv_handle_t *)workers->async, on_async_closed);
    pthread_mutex_lock(&workers->mutex);
    workers->async = NULL;
    bool is_last = workers->threads == 0;
    pthread_mutex_unlock(&workers->mutex);
    if (is_last)
        workers_free(workers);
}
