/* The environment overlay and both chains on any environment: no file is read. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "conf/explain.h"
#include "conf/resolve.h"

enum { MAX_VARIABLES = 64 };

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* Splits the input at its NUL bytes into "NAME=value" strings. */
static void split(char *text, size_t len, char *environment[MAX_VARIABLES + 1])
{
    size_t count = 0;
    for (char *at = text; at < text + len && count < MAX_VARIABLES; at += strlen(at) + 1)
        environment[count++] = at;
    environment[count] = NULL;
}

/* What is complete must be fit to be used, and what is not must say why. */
static void check_result(const struct resolve_result *result, bool complete)
{
    check(complete == (result->binding != NULL));
    if (!complete) {
        check(result->error_kind != NULL && result->err.message[0] != '\0');
        check(result->err.exit_code != 0 && result->found != NULL);
        return;
    }
    const struct binding *binding = result->binding;
    check(binding->host != NULL && binding->host[0] != '\0' && binding->port != 0);
    check(strpbrk(binding->host, "@/ \n") == NULL);
    check(strcmp(binding->auth_type, "pat") == 0 && secret_is_set(&binding->token));
    check(memchr(binding->authorization.bytes, '\n', binding->authorization.len) == NULL);
    check((binding->compute == COMPUTE_CLUSTER) == (binding->cluster_id != NULL));
    check(binding->host_source != NULL && binding->token_source != NULL);
    check(binding->compute_source != NULL);
}

static void resolve_one(struct resolve_request *request, enum resolution resolution)
{
    struct resolve_result result;
    request->resolution = resolution;
    check_result(&result, resolve(request, &result));
    json_t *object = explain_json(&result);
    free(json_dumps(object, 0));
    json_decref(object);
    free(explain_table(&result));
    resolve_result_finish(&result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = xcalloc(1, size + 1);
    memcpy(text, data, size);
    char *environment[MAX_VARIABLES + 1];
    split(text, size, environment);
    struct resolve_request request = {
        .environment = environment,
        .config_file = "/nonexistent/.databrickscfg", /* whatever the environment names */
    };
    resolve_one(&request, RESOLUTION_DOCUMENTED);
    resolve_one(&request, RESOLUTION_SDK);
    request.cluster_id = "cl";
    request.host = "https://one.example.test";
    resolve_one(&request, RESOLUTION_DOCUMENTED);
    resolve_one(&request, RESOLUTION_SDK);
    free(text);
    return 0;
}
