/* A directory of a test's own, and the path of one file in it. */
#ifndef SPARKBRIDGE_TESTS_SCRATCH_H
#define SPARKBRIDGE_TESTS_SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/alloc.h"

struct scratch {
    char dir[64];
    char path[128];
};

/* cmocka's set-up: *state is the scratch. */
static int make_scratch(void **state)
{
    struct scratch *scratch = xcalloc(1, sizeof *scratch);
    const char *tmp = getenv("TMPDIR");
    snprintf(scratch->dir, sizeof scratch->dir, "%.40s/cfg-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(scratch->dir) == NULL)
        return -1;
    snprintf(scratch->path, sizeof scratch->path, "%s/.databrickscfg", scratch->dir);
    *state = scratch;
    return 0;
}

/* What is at the path may be a file or a directory. */
static int remove_scratch(void **state)
{
    struct scratch *scratch = *state;
    unlink(scratch->path);
    rmdir(scratch->path);
    rmdir(scratch->dir);
    free(scratch);
    return 0;
}

#endif
