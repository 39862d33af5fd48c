/* `sparkbridge explain`: each connection value and where it comes from. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/config.h"
#include "conf/explain.h"
#include "conf/resolve.h"
#include "daemon/command.h"

/* An incomplete resolution is an answer, too: printed, and told by the exit status. */
static int explain_one(struct resolve_request *request, bool json)
{
    struct resolve_result result = {0};
    bool complete = resolve(request, &result);
    int status = command_print(json ? explain_json(&result) : explain_table(&result),
                               complete ? EX_OK : EX_CONFIG);
    resolve_result_finish(&result);
    return status;
}

static int compare(struct resolve_request *request, bool json)
{
    struct resolve_result documented = {0}, sdk = {0};
    request->resolution = RESOLUTION_DOCUMENTED;
    bool complete = resolve(request, &documented);
    request->resolution = RESOLUTION_SDK;
    complete = resolve(request, &sdk) && complete;
    int status = command_print(json ? explain_compare_json(&documented, &sdk)
                                    : explain_compare_table(&documented, &sdk),
                               complete ? EX_OK : EX_CONFIG);
    resolve_result_finish(&documented);
    resolve_result_finish(&sdk);
    return status;
}

/* A token file that cannot be read leaves the credential open: an answer as well. */
static void fail_credential(const struct err *err, struct resolve_result *ret_result)
{
    *ret_result = (struct resolve_result){
        .error_kind = "credential",
        .err = *err,
        .found = binding_create(),
    };
}

static int explain_listener(const struct config *config, const struct listener_config *listener,
                            char **environment)
{
    struct secret token = {0};
    struct resolve_request request;
    struct err err = {0};
    int status;
    if (!listener_config_request(listener, environment, &token, &request, &err)) {
        struct resolve_result result;
        fail_credential(&err, &result);
        status =
            command_print(config->json ? explain_json(&result) : explain_table(&result), EX_CONFIG);
        resolve_result_finish(&result);
    } else if (config->compare) {
        status = compare(&request, config->json);
    } else {
        status = explain_one(&request, config->json);
    }
    secret_finish(&token);
    return status;
}

static int explain_all(const struct config *config, char **environment)
{
    int status = EX_OK;
    if (config->json && config->listener_count > 1) {
        fprintf(stderr, "%s has %zu listeners: name one by --listener for --json\n",
                config->config_path, config->listener_count);
        return EX_USAGE;
    }
    for (size_t i = 0; i < config->listener_count; i++) {
        if (config->listener_count > 1 &&
            printf("%slistener %s\n\n", i > 0 ? "\n" : "", config->listeners[i].name) < 0)
            return EX_IOERR;
        int one = explain_listener(config, &config->listeners[i], environment);
        status = status == EX_OK ? one : status;
    }
    return status;
}

int command_explain(int argc, char **argv, char **environment)
{
    struct config *config = NULL;
    int status = command_load_config(argc, argv, environment, &config);
    if (config != NULL)
        status = explain_all(config, environment);
    config_destroy(config);
    return status;
}
