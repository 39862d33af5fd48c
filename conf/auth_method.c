/* The choice of an authentication method. */
#include "conf/auth_method.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "conf/environment.h"
#include "conf/host.h"

/* What a method is offered. */
struct offer {
    const struct layer *layer;
    char *const *environment;
    bool forced; /* auth_type names this very method */
};

typedef bool (*method_condition)(const struct offer *offer);

/* The token of an OpenID Connect identity is in a variable of the user's choice. */
static bool has_oidc_variable(const struct offer *offer)
{
    const char *name = layer_text(offer->layer, ATTR_OIDC_TOKEN_ENV);
    return environment_get(offer->environment, name != NULL ? name : "DATABRICKS_OIDC_TOKEN") !=
           NULL;
}

static bool in_github_actions(const struct offer *offer)
{
    return environment_get(offer->environment, "ACTIONS_ID_TOKEN_REQUEST_TOKEN") != NULL &&
           environment_get(offer->environment, "ACTIONS_ID_TOKEN_REQUEST_URL") != NULL;
}

static bool in_azure_pipelines(const struct offer *offer)
{
    static const char *const needed[] = {
        "SYSTEM_ACCESSTOKEN",   "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI",
        "SYSTEM_TEAMPROJECTID", "SYSTEM_PLANID",
        "SYSTEM_JOBID",         "SYSTEM_HOSTTYPE",
    };
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (environment_get(offer->environment, needed[i]) == NULL)
            return false;
    return true;
}

/* By the host; where the layers do not name it, by the resource that does. */
static bool is_on_azure(const struct offer *offer)
{
    const char *host = layer_text(offer->layer, ATTR_HOST);
    if (host == NULL)
        return layer_value(offer->layer, ATTR_AZURE_WORKSPACE_RESOURCE_ID) != NULL;
    char *url = host_url(host);
    bool azure = host_cloud(url) == CLOUD_AZURE;
    free(url);
    return azure;
}

static bool wants_azure_cli(const struct offer *offer)
{
    if (!is_on_azure(offer))
        return false;
    return offer->forced || layer_value(offer->layer, ATTR_AZURE_WORKSPACE_RESOURCE_ID) != NULL ||
           layer_value(offer->layer, ATTR_AZURE_USE_MSI) != NULL ||
           layer_value(offer->layer, ATTR_AZURE_TENANT_ID) != NULL;
}

static bool is_forced(const struct offer *offer)
{
    return offer->forced;
}

static bool never(const struct offer *offer)
{
    (void)offer;
    return false;
}

enum { METHOD_MAX_ATTRIBUTES = 2 };

/* In the order in which the SDK tries them. */
static const struct method {
    const char *name;
    size_t attribute_count;
    enum attribute attributes[METHOD_MAX_ATTRIBUTES]; /* all are needed; the last one is shown */
    method_condition condition;                       /* NULL where the attributes are enough */
    bool acts_as_group;                               /* works with group_id */
} methods[] = {
    {"pat", 1, {ATTR_TOKEN}, NULL, false},
    {"basic", 2, {ATTR_USERNAME, ATTR_PASSWORD}, NULL, false},
    {"metadata-service", 1, {ATTR_METADATA_SERVICE_URL}, NULL, false},
    {"oauth-m2m", 2, {ATTR_CLIENT_ID, ATTR_CLIENT_SECRET}, NULL, true},
    {"env-oidc", 0, {0}, has_oidc_variable, true},
    {"file-oidc", 1, {ATTR_OIDC_TOKEN_FILEPATH}, NULL, true},
    {"github-oidc", 1, {ATTR_CLIENT_ID}, in_github_actions, true},
    {"azure-client-secret", 2, {ATTR_AZURE_CLIENT_ID, ATTR_AZURE_CLIENT_SECRET}, NULL, false},
    {"github-oidc-azure", 1, {ATTR_AZURE_CLIENT_ID}, in_github_actions, false},
    {"azure-cli", 0, {0}, wants_azure_cli, false},
    {"azure-devops-oidc", 1, {ATTR_CLIENT_ID}, in_azure_pipelines, true},
    {"external-browser", 0, {0}, is_forced, true},
    {"databricks-cli", 0, {0}, is_forced, false},
    {"runtime-oauth", 0, {0}, never, true},
    {"runtime", 0, {0}, never, false},
    {"google-credentials", 1, {ATTR_GOOGLE_CREDENTIALS}, NULL, false},
    {"google-id", 1, {ATTR_GOOGLE_SERVICE_ACCOUNT}, NULL, false},
    {"model-serving", 0, {0}, never, false},
};

enum { METHOD_COUNT = sizeof methods / sizeof methods[0] };

bool auth_method_exists(const char *name)
{
    for (size_t i = 0; i < METHOD_COUNT; i++)
        if (strcmp(methods[i].name, name) == 0)
            return true;
    return false;
}

bool auth_is_configured(const struct layer *layer)
{
    for (int i = 0; i < ATTRIBUTE_COUNT; i++)
        if (attribute_info((enum attribute)i)->family != NULL &&
            layer_value(layer, (enum attribute)i) != NULL)
            return true;
    return false;
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "oauth and pat" where attributes of more than one family are there, NULL else. An attribute
 * that is there counts, be it empty. */
static char *conflicting_families(const struct layer *layer)
{
    const char *families[ATTRIBUTE_COUNT];
    size_t count = 0;
    for (int i = 0; i < ATTRIBUTE_COUNT; i++) {
        const char *family = attribute_info((enum attribute)i)->family;
        if (family != NULL && layer_setting(layer, (enum attribute)i) != NULL)
            families[count++] = family;
    }
    qsort(families, count, sizeof families[0], compare_text);
    struct strbuf text = {0};
    size_t different = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(families[i], families[i - 1]) == 0)
            continue;
        if (different++ > 0)
            strbuf_append_text(&text, " and ");
        strbuf_append_text(&text, families[i]);
    }
    char *names = different > 1 ? strbuf_take(&text) : NULL;
    strbuf_finish(&text);
    return names;
}

static bool has_what_it_needs(const struct method *method, const struct offer *offer)
{
    for (size_t i = 0; i < method->attribute_count; i++)
        if (layer_value(offer->layer, method->attributes[i]) == NULL)
            return false;
    return method->condition == NULL || method->condition(offer);
}

/* The place of the attribute that decided, for people. */
static const char *deciding_source(const struct method *method, const struct layer *layer)
{
    if (method->attribute_count > 0)
        return layer_value(layer, method->attributes[method->attribute_count - 1])->source;
    static const enum attribute hints[] = {
        ATTR_AUTH_TYPE,     ATTR_OIDC_TOKEN_ENV,  ATTR_AZURE_WORKSPACE_RESOURCE_ID,
        ATTR_AZURE_USE_MSI, ATTR_AZURE_TENANT_ID, ATTR_HOST,
    };
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++)
        if (layer_value(layer, hints[i]) != NULL)
            return layer_value(layer, hints[i])->source;
    return "the environment";
}

void auth_choose(const struct layer *layer, char *const *environment,
                 struct auth_choice *ret_choice)
{
    *ret_choice = (struct auth_choice){.outcome = AUTH_NONE};
    const char *auth_type = layer_text(layer, ATTR_AUTH_TYPE);
    char *families = auth_type == NULL ? conflicting_families(layer) : NULL;
    if (families != NULL) {
        *ret_choice = (struct auth_choice){.outcome = AUTH_CONFLICT, .families = families};
        return;
    }
    bool group = layer_value(layer, ATTR_GROUP_ID) != NULL;
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        const struct method *method = &methods[i];
        struct offer offer = {layer, environment, auth_type != NULL};
        if (auth_type != NULL && strcmp(auth_type, method->name) != 0)
            continue;
        if (group && !method->acts_as_group) {
            if (auth_type == NULL)
                continue;
            *ret_choice = (struct auth_choice){.outcome = AUTH_NO_GROUP, .method = method->name};
            return;
        }
        if (!has_what_it_needs(method, &offer))
            continue;
        *ret_choice = (struct auth_choice){
            .outcome = AUTH_CHOSEN,
            .method = method->name,
            .source = deciding_source(method, layer),
        };
        return;
    }
}

void auth_choice_finish(struct auth_choice *choice)
{
    free(choice->families);
    *choice = (struct auth_choice){0};
}
