/* What the daemon is to serve: the configuration and what its listeners grant. */
#include "daemon/setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/alloc.h"
#include "common/log.h"
#include "conf/token_expiry.h"

/* What goes in front of what is said about a listener: its name, where there are several. */
static char *prefix_of(const struct config *config, const struct listener_config *listener)
{
    return config->listener_count > 1 ? xasprintf("listener %s: ", listener->name) : xstrdup("");
}

static struct tls_context *load_tls(const struct config *config, struct diag_list *diags)
{
    const struct tls_files files = {
        .ca = {config->ca_file, config->ca_source},
        .cert = {config->client_cert, config->client_cert_source},
        .key = {config->client_key, config->client_key_source},
    };
    struct err err;
    struct tls_context *tls = tls_context_create(&files, &err);
    if (tls == NULL)
        diag_error(diags, err.exit_code, "%s", err.message);
    return tls;
}

bool setup_load(const struct setup_source *source, struct setup *ret_setup, struct diag_list *diags)
{
    struct setup setup = {0};
    if (!config_load(source->argc, source->argv, source->environment, &setup.config, diags))
        return false;
    const struct config *config = setup.config;
    bool complete = true;
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers it is */
    setup.accesses = xcalloc(config->listener_count, sizeof setup.accesses[0]);
    for (size_t i = 0; i < config->listener_count; i++) {
        const struct listener_config *listener = &config->listeners[i];
        char *prefix = prefix_of(config, listener);
        setup.accesses[i] = access_load(listener, prefix, source->environment, diags);
        free(prefix);
        complete = complete && setup.accesses[i] != NULL;
    }
    setup.tls = load_tls(config, diags);
    if (!complete || setup.tls == NULL) {
        setup_finish(&setup);
        return false;
    }
    *ret_setup = setup;
    return true;
}

void setup_finish(struct setup *setup)
{
    for (size_t i = 0; setup->accesses != NULL && i < setup->config->listener_count; i++)
        access_unref(setup->accesses[i]);
    free(setup->accesses);
    tls_context_unref(setup->tls);
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

static void log_rows(const struct listener_config *listener)
{
    char rows[16];
    snprintf(rows, sizeof rows, "%zu", listener->peers->row_count);
    log_fields(LOG_LEVEL_INFO, "users have profiles of their own", {"listener", listener->name},
               {"rows", rows});
}

void setup_log_access(const struct listener_config *listener, const struct access *access)
{
    const struct binding *binding = access_binding(access);
    if (binding == NULL) {
        log_rows(listener);
        return;
    }
    char fingerprint[SECRET_FINGERPRINT_SIZE] = "";
    if (secret_is_set(&binding->token))
        secret_fingerprint(&binding->token, fingerprint);
    char expires[TOKEN_EXPIRY_TEXT_SIZE] = "";
    if (binding->token_expires != 0)
        token_expiry_text(binding->token_expires, expires);
    log_fields(LOG_LEVEL_INFO, "binding resolved", {"listener", listener->name},
               {"host", binding->host}, {"host_source", binding->host_source},
               {"auth_type", binding->auth_type}, {"token_sha256", fingerprint},
               {"token_source", binding->token_source},
               {"token_expires", expires[0] != '\0' ? expires : NULL},
               {"cluster_id", binding->cluster_id}, {"compute_source", binding->compute_source});
    if (binding->token_expires != 0 && binding->token_expires <= time(NULL))
        log_warn("listener %s: the token from %s expired at %s, and the workspace will refuse it: "
                 "put a valid one there",
                 listener->name, binding->token_source, expires);
}
