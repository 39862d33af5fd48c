/* What the daemon is to serve: the configuration and the bindings of its listeners. */
#include "daemon/setup.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/log.h"
#include "conf/resolve.h"

/* A listener's name in front of what is said about it, where there are several. */
static const char *context(const struct config *config, const struct listener_config *listener)
{
    return config->listener_count > 1 ? listener->name : NULL;
}

static void report(const struct resolve_result *result, const char *name, struct diag_list *diags)
{
    const char *open = name != NULL ? "listener " : "", *close = name != NULL ? ": " : "";
    name = name != NULL ? name : "";
    for (size_t i = 0; i < result->warnings_count; i++)
        diag_warning(diags, "%s%s%s%s", open, name, close, result->warnings[i]);
    if (result->binding == NULL)
        diag_error(diags, result->err.exit_code, "%s%s%s%s", open, name, close,
                   result->err.message);
}

/* The binding of a listener; NULL, with a diagnostic, where it is incomplete. */
static struct binding *resolve_listener(const struct listener_config *listener, const char *name,
                                        char *const *environment, struct diag_list *diags)
{
    struct secret token = {0};
    struct resolve_request request;
    struct resolve_result result = {0};
    struct err err = {0};
    struct binding *binding = NULL;

    if (listener_config_request(listener, environment, &token, &request, &err)) {
        resolve(&request, &result);
        report(&result, name, diags);
        if (result.binding != NULL)
            binding = binding_ref(result.binding);
    } else {
        diag_error(diags, err.exit_code, "%s%s%s%s", name != NULL ? "listener " : "",
                   name != NULL ? name : "", name != NULL ? ": " : "", err.message);
    }
    resolve_result_finish(&result);
    secret_finish(&token);
    return binding;
}

/* What a listener lets pass; NULL, with a diagnostic, where its secret cannot be had. */
static struct policy *read_policy(const struct listener_config *listener, const char *name,
                                  struct diag_list *diags)
{
    struct secret secret = {0};
    struct err err = {0};
    if (listener_config_client_secret(listener, &secret, &err))
        return policy_create(listener, &secret);
    diag_error(diags, err.exit_code, "%s%s%s%s", name != NULL ? "listener " : "",
               name != NULL ? name : "", name != NULL ? ": " : "", err.message);
    return NULL;
}

bool setup_load(const struct setup_source *source, struct setup *ret_setup, struct diag_list *diags)
{
    struct setup setup = {0};
    if (!config_load(source->argc, source->argv, source->environment, &setup.config, diags))
        return false;
    const struct config *config = setup.config;
    bool complete = true;
    /* NOLINTBEGIN(bugprone-sizeof-expression): arrays of pointers they are */
    setup.bindings = xcalloc(config->listener_count, sizeof setup.bindings[0]);
    setup.policies = xcalloc(config->listener_count, sizeof setup.policies[0]);
    /* NOLINTEND(bugprone-sizeof-expression) */
    for (size_t i = 0; i < config->listener_count; i++) {
        const struct listener_config *listener = &config->listeners[i];
        setup.bindings[i] =
            resolve_listener(listener, context(config, listener), source->environment, diags);
        setup.policies[i] = read_policy(listener, context(config, listener), diags);
        complete = complete && setup.bindings[i] != NULL && setup.policies[i] != NULL;
    }
    if (!complete) {
        setup_finish(&setup);
        return false;
    }
    *ret_setup = setup;
    return true;
}

void setup_finish(struct setup *setup)
{
    for (size_t i = 0; setup->bindings != NULL && i < setup->config->listener_count; i++) {
        binding_unref(setup->bindings[i]);
        policy_unref(setup->policies[i]);
    }
    free(setup->bindings);
    free(setup->policies);
    config_destroy(setup->config);
    *setup = (struct setup){0};
}

void setup_log_diags(const struct diag_list *diags)
{
    for (size_t i = 0; i < diags->count; i++)
        log_write(diags->items[i].severity == DIAG_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
                  diags->items[i].message, NULL);
    if (diags->dropped > 0)
        log_warn("%zu more faults are not shown", diags->dropped);
}

void setup_log_binding(const struct listener_config *listener, const struct binding *binding)
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
