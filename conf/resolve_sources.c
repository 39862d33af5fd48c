/* Sources: what "one workspace" lets each of them contribute. */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "conf/resolution.h"

/* --- one workspace ----------------------------------------------------------------------- */

const char *resolving_contents(bool token, bool compute)
{
    if (token && compute)
        return "has a token and a compute, but is";
    if (token)
        return "has a token, but is";
    return compute ? "has a compute, but is" : "is";
}

void resolving_pass_over(struct resolving *r, const char *name, const char *what,
                         const struct host *host)
{
    char *theirs = host_text(host), *ours = host_text(&r->host);
    resolving_passed_over(r, "%s %s for %s, not %s (%s)", name, what, theirs, ours,
                          r->binding->host_source);
    free(theirs);
    free(ours);
}

bool resolving_admit_host(struct resolving *r, const struct host *host, const char *source)
{
    if (r->host.name != NULL && !host_same(&r->host, host))
        return false;
    resolving_take_host(r, host, source);
    return true;
}

/* Sets `admitted`. Fails where the host would decide but cannot be read. */
static bool admit(struct resolving *r, struct source *source)
{
    source->admitted = true;
    const struct setting *setting = layer_value(source->layer, ATTR_HOST);
    if (setting == NULL)
        return true;
    struct host host;
    struct err err;
    if (!host_parse(setting->value.bytes, &host, &err)) {
        if (r->host.name == NULL)
            return resolving_fail(r, "host", "%s: %s", setting->source, err.message);
        resolving_passed_over(r, "%s: its host cannot be read: %s", source->name, err.message);
        source->admitted = false;
        return true;
    }
    source->admitted = resolving_admit_host(r, &host, setting->source);
    if (!source->admitted)
        resolving_pass_over(
            r, source->name,
            resolving_contents(layer_value(source->layer, ATTR_TOKEN) != NULL,
                               layer_value(source->layer, ATTR_CLUSTER_ID) != NULL ||
                                   layer_value(source->layer, ATTR_SERVERLESS_COMPUTE_ID) != NULL),
            &host);
    host_finish(&host);
    return true;
}

/* --- what layers give -------------------------------------------------------------------- */

/* "pat by DATABRICKS_TOKEN from the environment, oauth by profile P, FILE:3" */
static void describe_families(const struct layer *layer, struct strbuf *text)
{
    for (int i = 0; i < ATTRIBUTE_COUNT; i++) {
        const char *family = attribute_info((enum attribute)i)->family;
        bool first = family != NULL && layer_setting(layer, (enum attribute)i) != NULL;
        for (int j = 0; first && j < i; j++) {
            const char *other = attribute_info((enum attribute)j)->family;
            first = other == NULL || strcmp(other, family) != 0 ||
                    layer_setting(layer, (enum attribute)j) == NULL;
        }
        if (first)
            strbuf_append_format(text, "%s%s by %s", text->len > 0 ? ", " : "", family,
                                 layer_setting(layer, (enum attribute)i)->source);
    }
}

static bool fail_conflict(struct resolving *r, const struct layer *layer, const char *families)
{
    struct strbuf places = {.limit = 512};
    describe_families(layer, &places);
    resolving_fail(r, "conflict",
                   "more than one authorization method is configured: %s (%s): remove all but one, "
                   "or choose with auth_type or DATABRICKS_AUTH_TYPE",
                   families, strbuf_text(&places));
    strbuf_finish(&places);
    return false;
}

static void keep_unmet(struct resolving *r, const struct setting *type)
{
    secret_set(&r->unmet.value, type->value.bytes, type->value.len);
    free(r->unmet.source);
    r->unmet.source = xstrdup(type->source);
}

/* Lets the SDK's rules choose among the attributes of all the layers together. */
static bool take_credential(struct resolving *r, const struct layer *merged)
{
    struct auth_choice choice;
    auth_choose(merged, r->request->environment, &choice);
    bool ok = true;
    switch (choice.outcome) {
    case AUTH_NONE: {
        const struct setting *type = layer_value(merged, ATTR_AUTH_TYPE);
        if (type != NULL)
            keep_unmet(r, type);
        break;
    }
    case AUTH_CONFLICT: ok = fail_conflict(r, merged, choice.families); break;
    case AUTH_NO_GROUP:
        ok = resolving_fail(r, "auth", "the method %s cannot act as a group (group_id: %s)",
                            choice.method, layer_value(merged, ATTR_GROUP_ID)->source);
        break;
    case AUTH_CHOSEN:
        if (strcmp(choice.method, "pat") == 0)
            ok = resolving_take_token(r, &layer_value(merged, ATTR_TOKEN)->value, choice.source);
        else
            resolving_take_method(r, choice.method, choice.source);
        break;
    }
    auth_choice_finish(&choice);
    return ok;
}

static bool take_compute(struct resolving *r, const struct layer *layer)
{
    const struct setting *cluster = layer_value(layer, ATTR_CLUSTER_ID);
    const struct setting *serverless = layer_value(layer, ATTR_SERVERLESS_COMPUTE_ID);
    if (!r->compute_known && cluster != NULL && serverless != NULL)
        return resolving_fail(r, "both",
                              "a cluster id (%s) and serverless (%s) exclude each other: remove "
                              "one of them",
                              cluster->source, serverless->source);
    if (!r->compute_known && serverless != NULL && strcmp(serverless->value.bytes, "auto") != 0)
        return resolving_fail(r, "compute", "%s: the value of serverless_compute_id must be 'auto'",
                              serverless->source);
    if (cluster != NULL && !resolving_take_cluster(r, &cluster->value, cluster->source))
        return false;
    if (serverless != NULL)
        resolving_take_serverless(r, serverless->source);
    return true;
}

static bool take_from_sources(struct resolving *r, const struct source *sources, size_t count)
{
    struct layer merged = {0};
    for (size_t i = 0; i < count; i++)
        if (sources[i].admitted)
            layer_add_layer(&merged, sources[i].layer);
    for (size_t i = 0; i < count; i++)
        if (sources[i].admitted && sources[i].layer == &r->environment)
            r->environment_counts = true;
    bool ok = resolving_has_credential(r) || take_credential(r, &merged);
    resolving_add_layer_headers(r, &merged);
    layer_finish(&merged);
    for (size_t i = 0; ok && i < count; i++) {
        if (!sources[i].admitted)
            continue;
        const struct setting *token = layer_value(sources[i].layer, ATTR_TOKEN);
        if (token != NULL && resolving_has_credential(r))
            resolving_shadowed(r, "token", token->source, r->binding->token_source);
        ok = take_compute(r, sources[i].layer);
    }
    return ok;
}

bool resolving_ask(struct resolving *r, struct source *sources, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!admit(r, &sources[i]))
            return false;
    return take_from_sources(r, sources, count);
}

void resolving_finish_sources(struct source *sources, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(sources[i].name);
}
