/* For tests: a request to resolve that is complete but for what a test takes away. */
#ifndef SPARKBRIDGE_TESTS_RESOLVE_FIXTURE_H
#define SPARKBRIDGE_TESTS_RESOLVE_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "conf/resolve.h"

/* String literals as the environment's type has them, for as long as the program runs. */
#define ENVIRONMENT(...)                                                                           \
    (__extension__({                                                                               \
        static const char *const variables[] = {__VA_ARGS__, NULL};                                \
        (char *const *)variables;                                                                  \
    }))

static const char token_text[] = "very-secret-token";

struct fixture {
    struct secret token;
    struct resolve_request request;
    struct resolve_result result;
};

/* cmocka's set-up: *state is the fixture. */
static int set_up(void **state)
{
    struct fixture *fixture = xcalloc(1, sizeof *fixture);
    secret_set(&fixture->token, token_text, strlen(token_text));
    fixture->request = (struct resolve_request){
        .host = "one.example.test",
        .token = &fixture->token,
        .cluster_id = "cl-1",
    };
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    resolve_result_finish(&fixture->result);
    secret_finish(&fixture->token);
    free(fixture);
    return 0;
}

#endif
