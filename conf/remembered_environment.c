/* The environment, remembered apart, with the secrets in the process's own wiped. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/redaction.h"
#include "conf/attributes.h"
#include "conf/environment.h"
#include "conf/options.h"

/* Those that are in neither of the tables. DATABRICKS_OIDC_TOKEN is where the SDK looks for a token
 * unless DATABRICKS_OIDC_TOKEN_ENV names another variable. */
static const char *const secret_names[] = {"SPARK_REMOTE", "DATABRICKS_OIDC_TOKEN", NULL};
static const char *const proxy_names[] = {"http_proxy", "https_proxy", "all_proxy", NULL};

struct name {
    const char *at; /* borrowed from the variable */
    size_t len;
};

static bool is(struct name name, const char *text)
{
    return text != NULL && strlen(text) == name.len && strncmp(name.at, text, name.len) == 0;
}

static bool is_secret_option(struct name name)
{
    for (int id = 0; id < OPTION_COUNT; id++) {
        const struct option_def *def = option_get((enum option_id)id);
        char variable[OPTION_VARIABLE_SIZE];
        if (def->secret && option_variable(def, variable) && is(name, variable))
            return true;
    }
    return false;
}

static bool is_secret_attribute(struct name name)
{
    for (int i = 0; i < ATTRIBUTE_COUNT; i++) {
        const struct attribute_info *info = attribute_info((enum attribute)i);
        if (info->sensitive && (is(name, info->env) || is(name, info->env_alias)))
            return true;
    }
    return false;
}

static bool holds_secret(struct name name, char *const *environment)
{
    for (size_t i = 0; secret_names[i] != NULL; i++)
        if (is(name, secret_names[i]))
            return true;
    for (size_t i = 0; proxy_names[i] != NULL; i++)
        if (strlen(proxy_names[i]) == name.len &&
            strncasecmp(name.at, proxy_names[i], name.len) == 0)
            return true;
    const char *oidc = environment_get(environment, attribute_info(ATTR_OIDC_TOKEN_ENV)->env);
    return is(name, oidc) || is_secret_option(name) || is_secret_attribute(name);
}

void environment_remember(char **environment, struct remembered_environment *ret)
{
    struct remembered_environment remembered = {0};
    size_t count = 0, size = 0;
    for (; environment[count] != NULL; count++)
        size += strlen(environment[count]) + 1;
    secret_reserve(&remembered.bytes, size);
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers it is */
    remembered.variables = xcalloc(count + 1, sizeof remembered.variables[0]);
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(environment[i]) + 1;
        remembered.variables[i] = remembered.bytes.bytes + remembered.bytes.len;
        memcpy(remembered.variables[i], environment[i], len);
        remembered.bytes.len += len;
    }
    for (size_t i = 0; i < count; i++) {
        struct name name = {environment[i], strcspn(environment[i], "=")};
        if (environment[i][name.len] == '=' && holds_secret(name, remembered.variables))
            secret_wipe_text(environment[i] + name.len + 1);
    }
    *ret = remembered;
}

void environment_wipe_secrets(char **environment)
{
    for (; *environment != NULL; environment++) {
        char *value = strchr(*environment, '=');
        for (char *c = value; c != NULL && *c != '\0'; c++)
            if (redaction_match(c) > 0)
                secret_wipe_text(value + 1);
    }
}

void remembered_environment_finish(struct remembered_environment *remembered)
{
    free(remembered->variables);
    secret_finish(&remembered->bytes);
    *remembered = (struct remembered_environment){0};
}
