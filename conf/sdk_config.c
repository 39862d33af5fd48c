/* The configuration of Databricks' SDK, put together as the SDK does it. */
#include "conf/sdk_config.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/strbuf.h"
#include "conf/auth_method.h"
#include "conf/environment.h"

struct loader {
    struct layer *attributes;
    char *const *environment;
    struct profile_file *file;
    const char **kind;
    struct err *err;
};

/* --- the sentence of an error ------------------------------------------------------------ */

static bool ends_with_dot(const struct strbuf *text)
{
    return text->len > 0 && text->text[text->len - 1] == '.';
}

static bool parse_cloud(const char *text, enum cloud *ret_cloud)
{
    static const char *const names[] = {
        [CLOUD_AWS] = "AWS", [CLOUD_AZURE] = "AZURE", [CLOUD_GCP] = "GCP"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcasecmp(text, names[i]) == 0) {
            *ret_cloud = (enum cloud)i;
            return true;
        }
    }
    return false;
}

static char shown_char(enum attribute_type type, char c)
{
    if (type == ATTRIBUTE_CLOUD)
        return (char)toupper((unsigned char)c);
    return (unsigned char)c < 0x20 || c == 0x7f ? '?' : c;
}

/* A host with user information could hold a password, one with parameters a token. */
static bool is_hidden(enum attribute attribute, const char *value)
{
    return attribute_info(attribute)->sensitive ||
           (attribute == ATTR_HOST && strpbrk(value, "@;") != NULL);
}

/* The value as the SDK shows it. */
static void append_value(struct strbuf *text, enum attribute attribute, const char *value)
{
    const struct attribute_info *info = attribute_info(attribute);
    if (is_hidden(attribute, value)) {
        strbuf_append_text(text, "***");
        return;
    }
    if (info->type == ATTRIBUTE_BOOL) {
        strbuf_append_text(text, "True");
        return;
    }
    if (info->type == ATTRIBUTE_CLOUD)
        strbuf_append_text(text, "Cloud.");
    for (const char *c = value; *c != '\0'; c++)
        if (info->type != ATTRIBUTE_INTEGER || strchr("+_ ", *c) == NULL)
            strbuf_append_char(text, shown_char(info->type, *c));
}

/* "Config: host=x, token=***", without the attributes that are not set. */
static void append_attributes(struct strbuf *text, const struct layer *attributes)
{
    const char *separator = ". Config: ";
    for (int i = 0; i < ATTRIBUTE_COUNT; i++) {
        const struct attribute_info *info = attribute_info((enum attribute)i);
        const char *value = layer_text(attributes, (enum attribute)i);
        enum cloud cloud;
        if (value == NULL || (info->type == ATTRIBUTE_CLOUD && !parse_cloud(value, &cloud)))
            continue;
        strbuf_append_format(text, "%s%s=", separator, info->name);
        append_value(text, (enum attribute)i, value);
        separator = ", ";
    }
}

/* "Env: DATABRICKS_HOST, DATABRICKS_TOKEN" */
static void append_variables(struct strbuf *text, char *const *environment)
{
    const char *separator = ". Env: ";
    for (int i = 0; i < ATTRIBUTE_COUNT; i++) {
        const struct attribute_info *info = attribute_info((enum attribute)i);
        const char *name = info->env;
        if (name != NULL && environment_get(environment, name) == NULL)
            name = info->env_alias;
        if (name == NULL || environment_get(environment, name) == NULL)
            continue;
        strbuf_append_format(text, "%s%s", separator, name);
        separator = ", ";
    }
}

static bool __attribute__((format(printf, 3, 4)))
fail(const struct loader *loader, const char *kind, const char *format, ...)
{
    struct err sentence;
    va_list args;
    va_start(args, format);
    vsnprintf(sentence.message, sizeof sentence.message, format, args);
    va_end(args);
    struct strbuf details = {0};
    append_attributes(&details, loader->attributes);
    append_variables(&details, loader->environment);
    struct strbuf text = {0};
    strbuf_append_text(&text, sentence.message);
    if (details.len > 0)
        while (ends_with_dot(&text))
            text.text[--text.len] = '\0';
    strbuf_append_text(&text, strbuf_text(&details));
    *loader->kind = kind;
    err_set(loader->err, EX_CONFIG, "%s", strbuf_text(&text));
    strbuf_finish(&details);
    strbuf_finish(&text);
    return false;
}

/* --- attributes -------------------------------------------------------------------------- */

/* Python's int(): white space around, a sign, digits that may be grouped by single underscores. */
static bool is_integer(const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    if (*text == '+' || *text == '-')
        text++;
    if (!isdigit((unsigned char)*text))
        return false;
    for (; isdigit((unsigned char)*text) || (*text == '_' && isdigit((unsigned char)text[1]));)
        text++;
    while (isspace((unsigned char)*text))
        text++;
    return *text == '\0';
}

/* Python's float(), but for grouping underscores. */
static bool is_number(const char *text)
{
    if (strpbrk(text, "xXpP(") != NULL)
        return false; /* strtod() also reads hexadecimal and nan(...) */
    char *end;
    (void)strtod(text, &end);
    if (end == text)
        return false;
    while (isspace((unsigned char)*end))
        end++;
    return *end == '\0';
}

/* The SDK turns a value into its type when it is set. Of the types only numbers can be wrong. */
static bool check_types(const struct loader *loader)
{
    for (int i = 0; i < ATTRIBUTE_COUNT; i++) {
        enum attribute_type type = attribute_info((enum attribute)i)->type;
        const struct setting *setting = layer_setting(loader->attributes, (enum attribute)i);
        if (setting == NULL)
            continue;
        const char *value = setting->value.bytes;
        if (type == ATTRIBUTE_INTEGER && !is_integer(value))
            return fail(loader, "auth", "invalid literal for int() with base 10: '%.100s'", value);
        if (type == ATTRIBUTE_NUMBER && !is_number(value))
            return fail(loader, "auth", "could not convert string to float: '%.100s'", value);
    }
    return true;
}

/* --- the profile file -------------------------------------------------------------------- */

/* With a host or any credential at hand and no profile named, the file is not asked. */
static bool needs_file(const struct layer *attributes)
{
    return layer_value(attributes, ATTR_PROFILE) != NULL ||
           (!auth_is_configured(attributes) && layer_value(attributes, ATTR_HOST) == NULL);
}

/* An empty DEFAULT is none to Python's configparser. */
static const struct cfg_profile *find_profile(const struct databrickscfg *cfg, const char *name)
{
    const struct cfg_profile *profile = databrickscfg_profile(cfg, name);
    return profile != NULL && profile->count == 0 && strcmp(name, "DEFAULT") == 0 ? NULL : profile;
}

static bool add_profile(const struct loader *loader, const char *name, bool is_fallback,
                        const char *said_by)
{
    static const char reserved[] = "__settings__";
    if (strcmp(name, reserved) == 0)
        return fail(loader, "profile",
                    "%s is a reserved section name and cannot be used as a profile", reserved);
    const struct cfg_profile *profile = find_profile(loader->file->cfg, name);
    if (profile == NULL)
        return is_fallback ||
               fail(loader, "profile", "resolve: %s has no %.100s profile configured",
                    loader->file->path, name);
    if (!cfg_profile_check(profile, loader->err)) {
        *loader->kind = "profile";
        return false;
    }
    layer_add_profile(loader->attributes, profile, loader->file->shown);
    if (!is_fallback) {
        struct secret value = {0};
        secret_set(&value, name, strlen(name));
        layer_set(loader->attributes, ATTR_PROFILE, &value, said_by);
        secret_finish(&value);
    }
    return check_types(loader);
}

static bool add_file(const struct loader *loader)
{
    if (!needs_file(loader->attributes))
        return true;
    switch (profile_file_read(loader->file)) {
    case CFG_MISSING: return true;
    case CFG_FAILED:
        *loader->kind = "profile";
        *loader->err = loader->file->err;
        return false;
    case CFG_LOADED: break;
    }
    const struct setting *profile = layer_setting(loader->attributes, ATTR_PROFILE);
    const char *name = profile != NULL ? profile->value.bytes : loader->file->cfg->default_profile;
    char *copy = xstrdup(name != NULL ? name : "DEFAULT");
    char *said_by = xstrdup(profile != NULL ? profile->source : "[__settings__] default_profile");
    bool ok = add_profile(loader, copy, name == NULL, said_by);
    free(said_by);
    free(copy);
    return ok;
}

/* --- host and credential ----------------------------------------------------------------- */

static bool fix_host(const struct loader *loader)
{
    const struct setting *setting = layer_value(loader->attributes, ATTR_HOST);
    if (setting == NULL)
        return true;
    struct host host;
    struct err err;
    if (!host_parse(setting->value.bytes, &host, &err))
        return fail(loader, "host", "%s: %s", setting->source, err.message);
    host_finish(&host);
    char *url = host_url(setting->value.bytes), *source = xstrdup(setting->source);
    struct secret value = {0};
    secret_set(&value, url, strlen(url));
    layer_set(loader->attributes, ATTR_HOST, &value, source);
    secret_finish(&value);
    free(source);
    free(url);
    return true;
}

static bool fail_no_method(const struct loader *loader)
{
    return fail(loader, layer_value(loader->attributes, ATTR_HOST) == NULL ? "host" : "credential",
                "default auth: cannot configure default credentials, please check "
                "https://docs.databricks.com/en/dev-tools/auth.html#databricks-client-unified-"
                "authentication to configure credentials for your preferred authentication "
                "method.");
}

static bool choose_method(const struct loader *loader, struct sdk_config *config)
{
    struct auth_choice choice;
    auth_choose(loader->attributes, loader->environment, &choice);
    bool ok = true;
    switch (choice.outcome) {
    case AUTH_CONFLICT:
        ok = fail(loader, "conflict", "validate: more than one authorization method configured: %s",
                  choice.families);
        break;
    case AUTH_NO_GROUP:
        ok = fail(loader, "auth",
                  "default auth: %s: auth type \"%s\" does not support group role assumption. Use "
                  "Databricks OAuth authentication",
                  choice.method, choice.method);
        break;
    case AUTH_NONE: ok = fail_no_method(loader); break;
    case AUTH_CHOSEN:
        /* Every method needs the workspace, but those of Azure that ask Azure for it. */
        if (layer_value(loader->attributes, ATTR_HOST) == NULL)
            ok = fail_no_method(loader);
        config->auth_type = choice.method;
        config->auth_source = choice.source;
        break;
    }
    auth_choice_finish(&choice);
    return ok;
}

bool sdk_config_load(const struct layer *arguments, char *const *environment,
                     struct profile_file *file, struct sdk_config *ret_config,
                     const char **ret_kind, struct err *err)
{
    struct sdk_config config = {0};
    struct loader loader = {&config.attributes, environment, file, ret_kind, err};
    layer_add_layer(&config.attributes, arguments);
    bool ok = check_types(&loader);
    if (ok) {
        layer_add_environment(&config.attributes, environment);
        ok = check_types(&loader) && add_file(&loader) && fix_host(&loader) &&
             choose_method(&loader, &config);
    }
    if (!ok) {
        sdk_config_finish(&config);
        return false;
    }
    *ret_config = config;
    return true;
}

void sdk_config_finish(struct sdk_config *config)
{
    layer_finish(&config->attributes);
    *config = (struct sdk_config){0};
}
