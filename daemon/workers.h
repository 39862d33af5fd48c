/*
 * Threads for questions that are answered late or never: to name services and user databases.
 *
 * Not libuv's pool: uv_cancel() cannot cancel what runs there, so that the end of the process would
 * wait for it, and its few threads are for everybody. These are detached. A task that is abandoned
 * is left to its thread, which drops it when the answer comes; at the end of the process nobody
 * waits for it.
 *
 * Owner: there are workers for each service, so that one that hangs holds up no other. A task is
 * embedded in what asks, on the heap; it is the workers' from workers_start() or workers_report()
 * on, and ends in drop(): after done(), or silently after worker_task_abandon(). Loop thread only,
 * but for work() and drop().
 */
#ifndef SPARKBRIDGE_DAEMON_WORKERS_H
#define SPARKBRIDGE_DAEMON_WORKERS_H

#include <stdbool.h>
#include <uv.h>

#include "common/list.h"

struct workers;

struct worker_task {
    void (*work)(struct worker_task *task); /* in a thread, which has no signals: asks */
    void (*done)(struct worker_task *task); /* in the loop; must not abandon this task */
    void (*drop)(
        struct worker_task *task); /* frees it, in whichever thread is the last to have it */
    /* The workers'. */
    struct list link; /* `waiting` or `finished`, or alone */
    struct workers *workers;
    bool has_thread; /* which touches the rest of what asks without a lock */
    bool abandoned;
};

/* Threads begin when they are needed and end when nothing waits. There are at most `max_threads`,
 * also counting those that nobody waits for any more; further tasks wait for one of them. */
struct workers *workers_create(uv_loop_t *loop, unsigned max_threads);

/* All tasks have ended or been abandoned. The loop must run once more for its handle to close. */
void workers_destroy(struct workers *workers);

/* 0; or a negative errno where there is no thread to be had, and the task stays the caller's. */
int workers_start(struct workers *workers, struct worker_task *task);

/* There is nothing to ask any more: done() comes when the loop comes round, without work(). */
void workers_report(struct workers *workers, struct worker_task *task);

/* done() will not be called. */
void worker_task_abandon(struct worker_task *task);

#endif
