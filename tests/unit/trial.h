/*
 * Acts that a sandbox refuses: each is done by a child with and by one without it, so that what is
 * refused is refused by the sandbox and not for some other reason.
 */
#ifndef SPARKBRIDGE_TESTS_TRIAL_H
#define SPARKBRIDGE_TESTS_TRIAL_H

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { KILLED = 1000 }; /* and the signal */

/* Returns 0, or errno as a failed system call leaves it. */
typedef int (*act_function)(void);

static int result(long returned)
{
    return returned < 0 ? errno : 0;
}

/* How the act ends in a child that has entered the sandbox by `enter`, which may be NULL. */
static int try_in_child(act_function act, void (*enter)(void))
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        for (int number = 1; number < 32; number++)
            signal(number, SIG_DFL); /* cmocka's and the sanitizers' */
        if (enter != NULL)
            enter();
        _exit(act());
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? KILLED + WTERMSIG(status) : WEXITSTATUS(status);
}

struct trial {
    const char *name;
    act_function act;
    int without, with; /* what is expected; -1: whatever */
};

static void try_all(const struct trial *trials, size_t count, void (*enter)(void))
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        int without = try_in_child(trials[i].act, NULL), with = try_in_child(trials[i].act, enter);
        bool right =
            (trials[i].without == -1 || trials[i].without == without) && trials[i].with == with;
        if (!right)
            print_error("%s: %d without and %d with the sandbox, not %d and %d\n", trials[i].name,
                        without, with, trials[i].without, trials[i].with);
        wrong += !right;
    }
    assert_int_equal(wrong, 0);
}
/* An act of both sandboxes. */
static int signal_parent(void)
{
    return result(kill(getppid(), 0));
}

#endif
