/* For tests: the threads of the process, and a time in which there are no more to be had. */
#ifndef SPARKBRIDGE_TESTS_THREADS_H
#define SPARKBRIDGE_TESTS_THREADS_H

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>

static inline size_t threads_count(void)
{
    DIR *directory = opendir("/proc/self/task");
    size_t count = 0;
    assert_non_null(directory);
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

/* All threads end by themselves. */
static inline void threads_wait_for(size_t count)
{
    while (threads_count() > count)
        sched_yield();
}

/* From now on each would need more stack than there are addresses. `before` is for threads_allow().
 */
static inline void threads_forbid(pthread_attr_t *before)
{
    pthread_attr_t huge;
    assert_int_equal(pthread_getattr_default_np(before), 0);
    assert_int_equal(pthread_getattr_default_np(&huge), 0);
    assert_int_equal(pthread_attr_setstacksize(&huge, (size_t)1 << 60), 0);
    assert_int_equal(pthread_setattr_default_np(&huge), 0);
    pthread_attr_destroy(&huge);
}

static inline void threads_allow(pthread_attr_t *before)
{
    assert_int_equal(pthread_setattr_default_np(before), 0);
    pthread_attr_destroy(before);
}

#endif
