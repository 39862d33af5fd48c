/* The precedence chain: begins a resolution, lets the chain asked for do it, and ends it. */
#include "conf/resolve.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/token_shape.h"
#include "conf/resolution.h"

static const char *config_file(const struct resolve_request *request)
{
    if (request->config_file != NULL)
        return request->config_file;
    for (size_t i = 0; i < request->sdk_config_count; i++)
        if (request->sdk_config[i].attribute == ATTR_CONFIG_FILE)
            return request->sdk_config[i].value->bytes;
    return NULL;
}

/* A server that is not Databricks needs no compute, whatever the environment may name. */
static bool take_no_compute(struct resolving *r)
{
    const struct resolve_request *request = r->request;
    if (!request->no_compute)
        return true;
    const char *source = request->no_compute_source;
    if (source == NULL)
        source = "--no-compute";
    if (request->cluster_id != NULL || request->serverless)
        return resolving_fail(r, "both", "%s excludes a cluster id and serverless: remove one",
                              source);
    r->binding->compute = COMPUTE_NONE;
    r->binding->compute_source = xstrdup(source);
    r->compute_known = true;
    return true;
}

/* Before any sentence can name it. */
static bool check_profile(struct resolving *r)
{
    const char *name = r->request->profile;
    return name == NULL || !token_shape_in(name) ||
           resolving_fail_token_for_profile(
               r, resolving_or_flag(r->request->profile_source, "--profile"));
}

/* Those that name a compute are no headers but values, and each chain's own business. */
static void add_headers(struct resolving *r)
{
    const struct metadata *headers = r->request->headers;
    for (size_t i = 0; headers != NULL && i < headers->count; i++) {
        const struct metadata_entry *entry = &headers->entries[i];
        if (strcmp(entry->name, HEADER_SESSION_ID) != 0 &&
            strcmp(entry->name, HEADER_CLUSTER_ID) != 0)
            resolving_add_header(r, entry->name, &entry->value);
    }
}

bool resolve(const struct resolve_request *request, struct resolve_result *ret_result)
{
    *ret_result = (struct resolve_result){0};
    struct resolving r = {
        .request = request,
        .result = ret_result,
        .binding = binding_create(),
    };
    add_headers(&r);
    layer_add_environment(&r.environment, request->environment);
    profile_file_init(&r.file, config_file(request), request->environment);
    r.file.trusted = request->trusted_file;
    bool complete =
        check_profile(&r) && take_no_compute(&r) &&
        (request->resolution == RESOLUTION_SDK ? resolve_sdk(&r) : resolve_documented(&r));
    resolving_add_usage_policy(&r);
    if (complete)
        ret_result->binding = r.binding;
    else
        ret_result->found = r.binding;
    host_finish(&r.host);
    layer_finish(&r.environment);
    secret_finish(&r.unmet.value);
    free(r.unmet.source);
    profile_file_finish(&r.file);
    return complete;
}

static void free_notes(char **notes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(notes[i]);
    free(notes);
}

void resolve_result_finish(struct resolve_result *result)
{
    binding_unref(result->binding);
    binding_unref(result->found);
    free_notes(result->passed_over, result->passed_over_count);
    free_notes(result->shadowed, result->shadowed_count);
    free_notes(result->warnings, result->warnings_count);
    free(result->auth_type);
    *result = (struct resolve_result){0};
}
