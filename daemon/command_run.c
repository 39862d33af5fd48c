/* `sparkbridge run`: the daemon. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/log.h"
#include "conf/config.h"
#include "conf/resolve.h"
#include "daemon/bridge.h"
#include "daemon/command.h"

static void log_diags(const struct diag_list *diags)
{
    for (size_t i = 0; i < diags->count; i++)
        log_write(diags->items[i].severity == DIAG_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
                  diags->items[i].message, NULL);
}

static void log_binding(const struct listener_config *listener, const struct binding *binding)
{
    char fingerprint[SECRET_FINGERPRINT_SIZE] = "";
    if (secret_is_set(&binding->token))
        secret_fingerprint(&binding->token, fingerprint);
    log_fields(LOG_LEVEL_INFO, "binding resolved", {"listener", listener->name},
               {"host", binding->host}, {"host_source", binding->host_source},
               {"auth_type", binding->auth_type}, {"token_sha256", fingerprint},
               {"token_source", binding->token_source}, {"cluster_id", binding->cluster_id},
               {"compute_source", binding->compute_source});
}

/* Resolves one listener's binding; NULL with `err` where it is incomplete. */
static struct binding *resolve_listener(const struct listener_config *listener, char **environment,
                                        struct err *err)
{
    struct secret token = {0};
    struct resolve_request request;
    struct resolve_result result = {0};
    struct binding *binding = NULL;

    if (!listener_config_request(listener, environment, &token, &request, err)) {
        secret_finish(&token);
        return NULL;
    }
    if (resolve(&request, &result)) {
        binding = binding_ref(result.binding);
        for (size_t i = 0; i < result.warnings_count; i++)
            log_warn("%s", result.warnings[i]);
        log_binding(listener, binding);
    } else {
        *err = result.err;
    }
    resolve_result_finish(&result);
    secret_finish(&token);
    return binding;
}

static int run(const struct config *config, char **environment)
{
    struct err err = {0};
    int status = EX_OK;
    struct bridge_listener *listeners = xcalloc(config->listener_count, sizeof listeners[0]);
    for (size_t i = 0; i < config->listener_count; i++) {
        listeners[i].config = &config->listeners[i];
        listeners[i].binding = resolve_listener(&config->listeners[i], environment, &err);
        if (listeners[i].binding == NULL) {
            log_error("%s", err.message);
            status = status == EX_OK ? err.exit_code : status;
        }
    }
    if (status == EX_OK) {
        status = bridge_run(config, listeners, &err);
        if (err.message[0] != '\0')
            log_error("%s", err.message);
    }
    for (size_t i = 0; i < config->listener_count; i++)
        binding_unref(listeners[i].binding);
    free(listeners);
    return status;
}

int command_run(int argc, char **argv, char **environment)
{
    struct config *config = NULL;
    struct diag_list diags = {0};
    int status;
    bool loaded = config_load(argc, argv, environment, &config, &diags);
    if (loaded)
        log_set_level(config->log_level);
    log_diags(&diags);
    if (loaded)
        status = run(config, environment);
    else
        status = diag_list_exit_code(&diags);
    diag_list_finish(&diags);
    config_destroy(config);
    return status;
}
