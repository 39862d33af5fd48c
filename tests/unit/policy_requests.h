/* Requests and policies for the tests of what passes. */
#ifndef SPARKBRIDGE_TESTS_POLICY_REQUESTS_H
#define SPARKBRIDGE_TESTS_POLICY_REQUESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "daemon/policy.h"

static const char execute_plan[] = "/spark.connect.SparkConnectService/ExecutePlan";

/* A request as gRPC libraries make it. */
static inline struct header_list request_for(const char *path)
{
    struct header_list list = {0};
    header_list_add_text(&list, ":method", "POST");
    header_list_add_text(&list, ":scheme", "http");
    header_list_add_text(&list, ":path", path);
    header_list_add_text(&list, ":authority", "localhost:15002");
    header_list_add_text(&list, "content-type", "application/grpc");
    header_list_add_text(&list, "te", "trailers");
    return list;
}

/* Gives the first field of that name another value, or takes it away. */
static inline void change(struct header_list *list, const char *name, const char *value)
{
    struct header_list changed = {0};
    for (size_t i = 0; i < list->count; i++) {
        const char *kept = header_field_name(list, &list->fields[i]);
        if (strcmp(kept, name) != 0)
            header_list_add_text(&changed, kept, header_field_value(list, &list->fields[i]));
        else if (value != NULL)
            header_list_add_text(&changed, name, value);
    }
    header_list_finish(list);
    *list = changed;
}

static inline struct policy *policy_for(const char *forward_header, const char *authority,
                                        const char *client_secret)
{
    static char name[] = "test";
    struct listener_config listener = {.name = name};
    struct secret secret = {0};
    char *words[] = {xstrdup(forward_header), xstrdup(authority)};
    listener.forward_headers = (struct config_words){.items = {words[0]}, .count = 1};
    listener.authorities = (struct config_words){.items = {words[1]}, .count = 1};
    if (client_secret != NULL)
        secret_set(&secret, client_secret, strlen(client_secret));
    struct policy *policy = policy_create(&listener, &secret);
    assert_false(secret_is_set(&secret));
    free(words[0]);
    free(words[1]);
    return policy;
}

static inline struct policy *plain_policy(void)
{
    struct listener_config listener = {.name = (char *)"test"};
    struct secret none = {0};
    return policy_create(&listener, &none);
}

#endif
