/* The documented chain: explicit, named profile, SPARK_REMOTE, the SDK's defaults. */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/token_shape.h"
#include "conf/environment.h"
#include "conf/resolution.h"
#include "conf/suggest.h"

enum { MAX_SOURCES = 3 }; /* an SDK configuration, the environment, a profile */

/* --- 1: explicit ------------------------------------------------------------------------- */

static bool check_explicit(struct resolving *r)
{
    const struct resolve_request *request = r->request;
    bool keywords = request->host != NULL || request->token != NULL ||
                    request->cluster_id != NULL || request->serverless;
    if (request->remote != NULL && keywords)
        return resolving_fail(r, "conflict",
                              "%s and a host, token, cluster id or serverless exclude each other: "
                              "say all in the connection string, or nothing",
                              resolving_or_flag(request->remote_source, "--remote"));
    const char *cluster = resolving_or_flag(request->cluster_id_source, "--cluster-id");
    const char *serverless = resolving_or_flag(request->serverless_source, "--serverless");
    if (request->cluster_id != NULL && request->serverless)
        return resolving_fail(r, "both", "%s and %s exclude each other: remove one of them",
                              cluster, serverless);
    return true;
}

static bool take_keywords(struct resolving *r)
{
    const struct resolve_request *request = r->request;
    if (request->host != NULL) {
        const char *source = resolving_or_flag(request->host_source, "--host");
        struct host host;
        struct err err;
        if (!host_parse(request->host, &host, &err))
            return resolving_fail(r, "host", "%s: %s", source, err.message);
        resolving_take_host(r, &host, source);
        host_finish(&host);
    }
    if (request->token != NULL &&
        !resolving_take_token(r, request->token,
                              resolving_or_flag(request->token_source, "--token-file")))
        return false;
    if (request->cluster_id != NULL) {
        struct secret cluster = {0};
        secret_set(&cluster, request->cluster_id, strlen(request->cluster_id));
        bool ok = resolving_take_cluster(
            r, &cluster, resolving_or_flag(request->cluster_id_source, "--cluster-id"));
        secret_finish(&cluster);
        if (!ok)
            return false;
    }
    if (request->serverless)
        resolving_take_serverless(r, resolving_or_flag(request->serverless_source, "--serverless"));
    return true;
}

/* The headers that a binding names select a compute as those of a connection string do. */
static bool take_compute_headers(struct resolving *r)
{
    static const struct metadata none = {0};
    const struct metadata *headers = r->request->headers != NULL ? r->request->headers : &none;
    const struct metadata_entry *cluster = metadata_find(headers, HEADER_CLUSTER_ID);
    const struct metadata_entry *session = metadata_find(headers, HEADER_SESSION_ID);
    if (!r->compute_known && cluster != NULL && session != NULL)
        return resolving_fail(r, "both", "the headers %s and %s exclude each other: remove one",
                              HEADER_CLUSTER_ID, HEADER_SESSION_ID);
    if (session != NULL)
        resolving_take_serverless(r, "the binding's header " HEADER_SESSION_ID);
    return cluster == NULL ||
           resolving_take_cluster(r, &cluster->value, "the binding's header " HEADER_CLUSTER_ID);
}

static bool ask_explicit(struct resolving *r)
{
    if (!check_explicit(r))
        return false;
    const struct resolve_request *request = r->request;
    bool ok = request->remote != NULL
                  ? resolving_ask_remote(r, request->remote,
                                         resolving_or_flag(request->remote_source, "--remote"))
                  : take_keywords(r);
    return ok && take_compute_headers(r);
}

/* --- 2: a named profile or SDK configuration --------------------------------------------- */

static struct source profile_source(struct resolving *r, const struct cfg_profile *profile,
                                    struct layer *layer)
{
    layer_add_profile(layer, profile, r->file.shown);
    return (struct source){
        .layer = layer,
        .name = xasprintf("profile %s, %s:%u", profile->name, r->file.shown, profile->line),
    };
}

static struct source environment_source(const struct resolving *r)
{
    return (struct source){.layer = &r->environment, .name = xstrdup("the environment")};
}

static bool fail_no_profile(struct resolving *r, const char *name, const char *said_by)
{
    if (token_shape_in(name))
        return resolving_fail_token_for_profile(r, said_by);
    if (r->file.path == NULL)
        return resolving_fail(r, "profile",
                              "%s names the profile %.100s, but %s is not read, since HOME is not "
                              "set: set HOME or give --config-file",
                              said_by, name, r->file.shown);
    if (r->file.cfg == NULL)
        return resolving_fail(r, "profile",
                              "%s names the profile %.100s, but %s does not exist: write it with "
                              "`databricks configure`, or name another file by --config-file",
                              said_by, name, r->file.shown);
    struct suggest suggest = {.word = name};
    for (size_t i = 0; i < r->file.cfg->count; i++)
        suggest_offer(&suggest, r->file.cfg->profiles[i].name);
    return resolving_fail(r, "profile", "%s names the profile %.100s, which %s does not have%s",
                          said_by, name, r->file.shown, suggest_text(&suggest).text);
}

/* Warns where the environment's value was taken although the named profile has another one. */
static void warn_override(struct resolving *r, const struct layer *profile,
                          enum attribute attribute, const char *taken)
{
    const struct setting *ours = layer_value(&r->environment, attribute);
    const struct setting *theirs = layer_value(profile, attribute);
    if (ours == NULL || theirs == NULL || taken == NULL || strcmp(taken, ours->source) != 0 ||
        secret_equal(&ours->value, &theirs->value))
        return;
    resolving_warn(r, "%s overrides the %s of %s", ours->source, attribute_info(attribute)->name,
                   theirs->source);
}

static void warn_overrides(struct resolving *r, const struct source *profile)
{
    const struct binding *binding = r->binding;
    if (!profile->admitted) {
        resolving_warn(r, "the named %s contributes nothing: %s decides the host", profile->name,
                       binding->host_source);
        return;
    }
    warn_override(r, profile->layer, ATTR_TOKEN, binding->token_source);
    warn_override(r, profile->layer, ATTR_CLUSTER_ID, binding->compute_source);
    warn_override(r, profile->layer, ATTR_SERVERLESS_COMPUTE_ID, binding->compute_source);
}

/* A profile with a value in doubt is not asked. */
static bool check_profile(struct resolving *r, const struct cfg_profile *profile)
{
    struct err err;
    return cfg_profile_check(profile, &err) || resolving_fail_err(r, "profile", &err);
}

/* Did the binding's credential come from this layer? */
static bool gave_credential(const struct resolving *r, const struct layer *layer)
{
    const char *source = r->binding->token_source;
    for (int i = 0; source != NULL && i < ATTRIBUTE_COUNT; i++) {
        const struct setting *setting = layer_setting(layer, (enum attribute)i);
        if (setting != NULL && strcmp(source, setting->source) == 0)
            return true;
    }
    return false;
}

/* Without a host of its own a named profile means the one that is said or the environment's, as in
 * the SDK, which lays the environment over it. Its credential must not go to the host of a source
 * that comes later; its compute may, which is no secret. */
static bool check_profiles_host(struct resolving *r, const struct source *profile)
{
    if (r->host.name != NULL || !gave_credential(r, profile->layer))
        return true;
    return resolving_fail(r, "host",
                          "%s, has a credential but names no host: add `host = ...` to it, give "
                          "--host or set DATABRICKS_HOST",
                          profile->name);
}

static bool ask_sources_with_profile(struct resolving *r, const char *name,
                                     struct source sources[MAX_SOURCES], size_t *count)
{
    const struct databrickscfg *cfg;
    if (!resolving_read_file(r, &cfg))
        return false;
    const struct cfg_profile *profile = cfg != NULL ? databrickscfg_profile(cfg, name) : NULL;
    if (profile == NULL)
        return fail_no_profile(r, name, resolving_or_flag(r->request->profile_source, "--profile"));
    if (!check_profile(r, profile))
        return false;
    struct layer layer = {0};
    sources[(*count)++] = profile_source(r, profile, &layer);
    bool ok = resolving_ask(r, sources, *count);
    r->profile = ok && sources[*count - 1].admitted ? profile : NULL;
    ok = ok && check_profiles_host(r, &sources[*count - 1]);
    if (ok)
        warn_overrides(r, &sources[*count - 1]);
    layer_finish(&layer);
    return ok;
}

static bool ask_named(struct resolving *r)
{
    struct layer configuration = {0};
    for (size_t i = 0; i < r->request->sdk_config_count; i++)
        layer_set(&configuration, r->request->sdk_config[i].attribute,
                  r->request->sdk_config[i].value, "the binding's SDK configuration");
    const char *name = r->request->profile;
    if (name == NULL)
        name = layer_text(&configuration, ATTR_PROFILE);
    struct source sources[MAX_SOURCES];
    size_t count = 0;
    if (r->request->sdk_config_count > 0)
        sources[count++] = (struct source){
            .layer = &configuration,
            .name = xstrdup("the binding's SDK configuration"),
        };
    sources[count++] = environment_source(r);
    bool ok = true;
    if (name != NULL)
        ok = ask_sources_with_profile(r, name, sources, &count);
    else if (r->request->sdk_config_count > 0)
        ok = resolving_ask(r, sources, count);
    resolving_finish_sources(sources, count);
    layer_finish(&configuration);
    return ok;
}

/* --- 3: SPARK_REMOTE --------------------------------------------------------------------- */

static const char spark_remote[] = "SPARK_REMOTE";

/* Clients find the bridge itself through this variable, so one that names this machine and has no
 * credential is not an upstream. */
static bool is_the_bridge(const char *text)
{
    struct connection_string string;
    if (!connection_string_parse(text, &string, NULL))
        return false;
    struct host host = {.name = string.host};
    bool bridge = host_is_loopback(&host) && !secret_is_set(&string.token);
    connection_string_finish(&string);
    return bridge;
}

static bool names_compute(const struct connection_string *string)
{
    return metadata_find(&string->headers, HEADER_CLUSTER_ID) != NULL ||
           metadata_find(&string->headers, HEADER_SESSION_ID) != NULL;
}

static bool ask_spark_remote(struct resolving *r)
{
    const char *text = environment_get(r->request->environment, spark_remote);
    if (text == NULL)
        return true;
    if (is_the_bridge(text)) {
        resolving_passed_over(r, "SPARK_REMOTE points at this machine without a token: it is for "
                                 "clients of sparkbridge");
        return true;
    }
    struct connection_string string;
    struct host host;
    if (!resolving_parse_remote(r, text, spark_remote, &string, &host))
        return false;
    bool ok = true;
    if (resolving_admit_host(r, &host, spark_remote))
        ok = resolving_take_remote(r, &string, spark_remote);
    else
        resolving_pass_over(
            r, spark_remote,
            resolving_contents(secret_is_set(&string.token), names_compute(&string)), &host);
    host_finish(&host);
    connection_string_finish(&string);
    return ok;
}

/* --- 4: the SDK's default authentication ------------------------------------------------- */

/* The default profile's name and who says so; DEFAULT need not be there. */
static const char *default_profile(const struct resolving *r, const char **ret_said_by)
{
    const char *name = layer_text(&r->environment, ATTR_PROFILE);
    *ret_said_by = NULL;
    if (name != NULL)
        *ret_said_by = "DATABRICKS_CONFIG_PROFILE from the environment";
    else if (r->file.cfg != NULL && r->file.cfg->default_profile != NULL)
        *ret_said_by = "[__settings__] default_profile";
    return name != NULL ? name : profile_file_default(&r->file);
}

/* A default profile that is named but missing is an error once a workspace is known. Before, the
 * person is best told that no source names one, and that this is why. */
static bool miss_default_profile(struct resolving *r, const char *name, const char *said_by)
{
    if (r->host.name != NULL || token_shape_in(name))
        return fail_no_profile(r, name, said_by);
    resolving_passed_over(r, "%s names the profile %.100s, which %s does not have", said_by, name,
                          r->file.shown);
    return true;
}

static bool ask_default_profile(struct resolving *r)
{
    const struct databrickscfg *cfg;
    if (!resolving_read_file(r, &cfg))
        return false;
    const char *said_by;
    const char *name = default_profile(r, &said_by);
    const struct cfg_profile *profile =
        cfg != NULL && name != NULL ? databrickscfg_profile(cfg, name) : NULL;
    if (profile == NULL)
        return said_by == NULL || miss_default_profile(r, name, said_by);
    if (!check_profile(r, profile))
        return false;
    struct layer layer = {0};
    struct source sources[] = {environment_source(r), profile_source(r, profile, &layer)};
    bool ok = resolving_ask(r, sources, 2);
    if (ok && sources[1].admitted)
        r->profile = profile;
    resolving_finish_sources(sources, 2);
    layer_finish(&layer);
    return ok;
}

static bool ask_defaults(struct resolving *r)
{
    struct source environment = environment_source(r);
    bool ok = resolving_ask(r, &environment, 1);
    resolving_finish_sources(&environment, 1);
    return ok && (resolving_is_complete(r) || ask_default_profile(r));
}

/* --- what was not asked ------------------------------------------------------------------ */

static void note_spark_remote(struct resolving *r)
{
    const struct binding *binding = r->binding;
    const char *text = environment_get(r->request->environment, spark_remote);
    if (text == NULL || is_the_bridge(text) || strcmp(binding->host_source, spark_remote) == 0 ||
        strcmp(binding->token_source, spark_remote) == 0 ||
        strcmp(binding->compute_source, spark_remote) == 0)
        return;
    resolving_shadowed(r, "connection string", spark_remote, binding->host_source);
    if (r->request->profile != NULL)
        resolving_warn(r, "SPARK_REMOTE is set, but the named profile %.100s comes first",
                       r->request->profile);
}

/* Tells which values of the environment the finished binding leaves unused. */
static void note_unasked(struct resolving *r)
{
    const struct binding *binding = r->binding;
    const struct {
        enum attribute attribute;
        const char *what, *winner;
    } values[] = {
        {ATTR_HOST, "host", binding->host_source},
        {ATTR_TOKEN, "token", binding->token_source},
        {ATTR_CLUSTER_ID, "cluster id", binding->compute_source},
        {ATTR_SERVERLESS_COMPUTE_ID, "serverless", binding->compute_source},
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const struct setting *setting = layer_value(&r->environment, values[i].attribute);
        if (setting != NULL)
            resolving_shadowed(r, values[i].what, setting->source, values[i].winner);
    }
    note_spark_remote(r);
    const struct setting *profile = layer_value(&r->environment, ATTR_PROFILE);
    if (profile != NULL && r->request->profile != NULL)
        resolving_shadowed(r, "profile", profile->source,
                           resolving_or_flag(r->request->profile_source, "--profile"));
}

bool resolve_documented(struct resolving *r)
{
    static bool (*const steps[])(struct resolving *) = {
        ask_explicit,
        ask_named,
        ask_spark_remote,
        ask_defaults,
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && !resolving_is_complete(r); i++)
        if (!steps[i](r))
            return false;
    if (!resolving_end(r))
        return false;
    if (r->request->profile != NULL && !r->file.is_read)
        resolving_warn(r, "the profile %.100s is not asked: all is said explicitly",
                       r->request->profile);
    note_unasked(r);
    return true;
}
