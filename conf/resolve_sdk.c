/* databricks-connect's own way of resolving, with the sentences of its errors. */
#include <string.h>

#include "conf/environment.h"
#include "conf/resolution.h"
#include "conf/sdk_config.h"

static const char spark_remote[] = "SPARK_REMOTE";

/* --- a connection string ----------------------------------------------------------------- */

/* Nothing else counts then: neither environment nor file. */
static bool take_explicit_remote(struct resolving *r, bool keywords)
{
    const struct resolve_request *request = r->request;
    const char *source = resolving_or_flag(request->remote_source, "--remote");
    if (keywords)
        return resolving_fail(r, "conflict",
                              "conn_string must not be set when connection parameters are "
                              "explicitly configured.");
    if (request->headers != NULL && request->headers->count > 0)
        return resolving_fail(r, "conflict",
                              "Can't insert custom headers when using connection string");
    if (request->profile != NULL || request->sdk_config_count > 0)
        resolving_warn(r, "%s comes first: the named %s is ignored", source,
                       request->profile != NULL ? "profile" : "SDK configuration");
    return resolving_ask_remote(r, request->remote, source);
}

/* --- the SDK's configuration ------------------------------------------------------------- */

static void set_text(struct layer *layer, enum attribute attribute, const char *text,
                     const char *source)
{
    struct secret value = {0};
    secret_set(&value, text, strlen(text));
    layer_set(layer, attribute, &value, source);
    secret_finish(&value);
}

/* What the client passes to Config: keywords, the profile, or the binding's own configuration. A
 * token given as keyword rules every other method out. */
static void collect_arguments(const struct resolve_request *request, struct layer *arguments)
{
    for (size_t i = 0; i < request->sdk_config_count; i++)
        layer_set(arguments, request->sdk_config[i].attribute, request->sdk_config[i].value,
                  "the binding's SDK configuration");
    if (request->config_file != NULL)
        set_text(arguments, ATTR_CONFIG_FILE, request->config_file, "--config-file");
    if (request->profile != NULL)
        set_text(arguments, ATTR_PROFILE, request->profile,
                 resolving_or_flag(request->profile_source, "--profile"));
    if (request->host != NULL)
        set_text(arguments, ATTR_HOST, request->host,
                 resolving_or_flag(request->host_source, "--host"));
    if (request->token != NULL) {
        const char *source = resolving_or_flag(request->token_source, "--token-file");
        layer_set(arguments, ATTR_TOKEN, request->token, source);
        set_text(arguments, ATTR_AUTH_TYPE, "pat", source);
    }
}

/* The compute that the configuration names, unless a keyword or header chose one. To the client an
 * empty value is one. */
static bool take_configured_compute(struct resolving *r, const struct layer *attributes,
                                    bool by_header)
{
    const struct setting *cluster = layer_setting(attributes, ATTR_CLUSTER_ID);
    const struct setting *serverless = layer_setting(attributes, ATTR_SERVERLESS_COMPUTE_ID);
    if (serverless != NULL && strcmp(serverless->value.bytes, "auto") != 0)
        return resolving_fail(r, "compute", "Invalid serverless_compute_id value. Must be 'auto'.");
    if (serverless != NULL && cluster != NULL)
        return resolving_fail(r, "both",
                              "Can't set both cluster id and serverless_compute_id in SDK config.");
    if (by_header)
        resolving_take_serverless(r, HEADER_SESSION_ID " of the binding");
    if (cluster != NULL && !resolving_take_cluster(r, &cluster->value, cluster->source))
        return false;
    if (serverless != NULL)
        resolving_take_serverless(r, serverless->source);
    if (!r->compute_known)
        return resolving_fail(r, "compute",
                              "Cluster id or serverless are required but were not specified.");
    return true;
}

static bool take_compute(struct resolving *r, const struct layer *attributes)
{
    const struct resolve_request *request = r->request;
    bool by_header =
        request->headers != NULL && metadata_find(request->headers, HEADER_SESSION_ID) != NULL;
    if (request->cluster_id == NULL && !request->serverless)
        return take_configured_compute(r, attributes, by_header);
    if (by_header)
        resolving_take_serverless(r, HEADER_SESSION_ID " of the binding");
    else if (request->serverless)
        resolving_take_serverless(r, resolving_or_flag(request->serverless_source, "--serverless"));
    if (request->cluster_id == NULL)
        return true;
    struct secret cluster = {0};
    secret_set(&cluster, request->cluster_id, strlen(request->cluster_id));
    bool ok = resolving_take_cluster(r, &cluster,
                                     resolving_or_flag(request->cluster_id_source, "--cluster-id"));
    secret_finish(&cluster);
    return ok;
}

/* The configured host is one that host_parse() has read before. */
static bool take_config(struct resolving *r, const struct sdk_config *config)
{
    const struct setting *setting = layer_value(&config->attributes, ATTR_HOST);
    struct host host;
    struct err err;
    if (!host_parse(setting->value.bytes, &host, &err))
        return resolving_fail_err(r, "host", &err);
    resolving_take_host(r, &host, setting->source);
    host_finish(&host);
    if (strcmp(config->auth_type, "pat") != 0)
        resolving_take_method(r, config->auth_type, config->auth_source);
    else if (!resolving_take_token(r, &layer_value(&config->attributes, ATTR_TOKEN)->value,
                                   layer_value(&config->attributes, ATTR_TOKEN)->source))
        return false;
    resolving_add_layer_headers(r, &config->attributes);
    r->environment_counts = true;
    return r->request->no_compute || take_compute(r, &config->attributes);
}

static bool take_configuration(struct resolving *r)
{
    struct layer arguments = {0};
    collect_arguments(r->request, &arguments);
    struct sdk_config config;
    const char *kind;
    struct err err;
    bool ok = sdk_config_load(&arguments, r->request->environment, &r->file, &config, &kind, &err);
    layer_finish(&arguments);
    if (!ok)
        return resolving_fail_err(r, kind, &err);
    const struct databrickscfg *cfg;
    ok = (!r->file.is_read || resolving_read_file(r, &cfg)) && take_config(r, &config);
    sdk_config_finish(&config);
    return ok;
}

/* --- the order ----------------------------------------------------------------------------- */

static bool ask(struct resolving *r)
{
    const struct resolve_request *request = r->request;
    bool keywords = request->host != NULL || request->token != NULL ||
                    request->cluster_id != NULL || request->serverless;
    if (request->remote != NULL)
        return take_explicit_remote(r, keywords);
    if (keywords && request->sdk_config_count > 0)
        return resolving_fail(r, "conflict",
                              "sdkConfig must not be set when connection parameters are "
                              "explicitly configured.");
    if (request->cluster_id != NULL && request->serverless)
        return resolving_fail(r, "both", "Can't set both cluster id and serverless.");
    if (request->sdk_config_count > 0 && request->profile != NULL)
        return resolving_fail(r, "conflict",
                              "Can't set profile when SDK Config is explicitly configured.");
    bool named = keywords || request->sdk_config_count > 0 || request->profile != NULL;
    const char *remote = environment_get_raw(request->environment, spark_remote);
    if (remote != NULL && !named)
        return resolving_ask_remote(r, remote, spark_remote);
    if (remote != NULL)
        resolving_warn(r, "SPARK_REMOTE is set, but %s first",
                       request->profile != NULL && !keywords ? "the named profile comes"
                       : keywords                            ? "keywords come"
                                                             : "the SDK configuration comes");
    return take_configuration(r);
}

bool resolve_sdk(struct resolving *r)
{
    return ask(r) && resolving_end(r);
}
