/* Checks settings by the option table and stores them into the configuration. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "conf/config_sources.h"
#include "conf/connection_string.h"
#include "conf/environment.h"
#include "conf/values.h"

enum { NAME_MAX_BYTES = 63 };

/* A checked value: which member counts follows from the option's type. */
struct checked {
    int64_t number; /* durations, modes, integers; choices by index; switches */
    char *text;     /* owned; text and paths */
    struct listen_address address;
};

/* `~/x` becomes $HOME/x, and x in the YAML file DIRECTORY/x: a service's working directory is no
 * place that anybody means. */
static char *expand_path(const char *path, const struct setting *setting,
                         const struct config_target *target, struct err *err)
{
    if (path[0] == '~') {
        const char *home = environment_get(target->environment, "HOME");
        if (path[1] != '/') {
            err_set(err, EX_USAGE, "%s: only ~/ is known, write other directories out",
                    diag_quote(path).text);
            return NULL;
        }
        if (home == NULL) {
            err_set(err, EX_USAGE, "%s needs the environment variable HOME, which is not set",
                    diag_quote(path).text);
            return NULL;
        }
        return xasprintf("%s%s", home, path + 1);
    }
    const char *file = target->config->config_path;
    const char *slash = file != NULL ? strrchr(file, '/') : NULL;
    if (setting->source == SETTING_FILE && path[0] != '/' && slash != NULL)
        return xasprintf("%.*s/%s", (int)(slash - file), file, path);
    return xstrdup(path);
}

static bool check_name(const char *name, struct err *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789-_.";
    size_t len = strlen(name);
    if (len > NAME_MAX_BYTES || strspn(name, allowed) != len)
        return err_set(err, EX_USAGE, "%s has to be at most %d letters, digits, `-`, `_` or `.`",
                       diag_quote(name).text, NAME_MAX_BYTES);
    return true;
}

/* Host, cluster id and the like go into headers: a space in them is a slip of the pen. */
static bool check_word(const char *text, struct err *err)
{
    if (strchr(text, ' ') != NULL)
        return err_set(err, EX_USAGE, "has a space in it");
    return true;
}

static bool check_control(const char *text, struct err *err)
{
    struct listen_address address = {0};
    bool ok = strcmp(text, "none") == 0 || listen_address_parse(text, &address, err);
    if (ok && address.host != NULL)
        ok = err_set(err, EX_USAGE, "%s has to be unix:/absolute/path or none",
                     diag_quote(text).text);
    listen_address_finish(&address);
    return ok;
}

static bool check_text(enum option_id id, const char *text, struct err *err)
{
    size_t max =
        id == OPTION_REMOTE ? (size_t)CONNECTION_STRING_MAX_BYTES : (size_t)OPTION_TEXT_MAX_BYTES;
    if (!value_text(text, max, err))
        return false;
    switch (id) {
    case OPTION_NAME: return check_name(text, err);
    case OPTION_HOST:
    case OPTION_CLUSTER_ID: return check_word(text, err);
    case OPTION_CONTROL: return check_control(text, err);
    default: return true;
    }
}

static bool check(const struct setting *setting, const struct config_target *target,
                  struct checked *ret, struct err *err)
{
    const struct option_def *def = option_get(setting->id);
    const char *text = setting->value.bytes;
    struct value_range range = {def->min, def->max};
    switch (def->type) {
    case OPTION_SWITCH: return value_switch(text, &ret->number, err);
    case OPTION_CHOICE: return value_choice(text, def->choices, &ret->number, err);
    case OPTION_DURATION: return value_duration(text, range, &ret->number, err);
    case OPTION_MODE: return value_mode(text, range, &ret->number, err);
    case OPTION_INTEGER: return value_integer(text, range, &ret->number, err);
    case OPTION_ADDRESS: return listen_address_parse(text, &ret->address, err);
    case OPTION_PATH:
        return value_text(text, OPTION_TEXT_MAX_BYTES, err) &&
               (ret->text = expand_path(text, setting, target, err)) != NULL;
    case OPTION_TEXT:
        if (!check_text(setting->id, text, err))
            return false;
        ret->text = def->secret ? NULL : xstrdup(text);
        return true;
    }
    return true;
}

/* Moves the checked text to the field. */
static void replace(char **field, struct checked *value)
{
    free(*field);
    *field = value->text;
    value->text = NULL;
}

struct overlap {
    const struct listener_config *listener;
    const struct listen_address *address;
};

/* The earlier address that keeps this one from being bound; false where there is none. */
static bool find_overlap(const struct config *config, const struct listen_address *address,
                         struct overlap *ret)
{
    for (size_t i = 0; i < config->listener_count; i++) {
        const struct listener_config *listener = &config->listeners[i];
        for (size_t j = 0; j < listener->address_count; j++) {
            if (listen_address_overlaps(&listener->addresses[j], address)) {
                *ret = (struct overlap){listener, &listener->addresses[j]};
                return true;
            }
        }
    }
    return false;
}

static bool add_address(const struct config_target *target, struct listen_address *address,
                        struct err *err)
{
    struct listener_config *listener = target->listener;
    struct overlap overlap;
    if (find_overlap(target->config, address, &overlap))
        return err_set(err, EX_USAGE, "%s is taken already, by %s of listener %s",
                       diag_quote(address->text).text, diag_quote(overlap.address->text).text,
                       diag_quote(overlap.listener->name).text);
    if (listener->address_count == CONFIG_MAX_ADDRESSES)
        return err_set(err, EX_USAGE, "is one address too many, a listener has at most %d",
                       CONFIG_MAX_ADDRESSES);
    listener->addresses = xrealloc(listener->addresses,
                                   (listener->address_count + 1) * sizeof listener->addresses[0]);
    listener->addresses[listener->address_count++] = *address;
    *address = (struct listen_address){0};
    return true;
}

/* For messages: "--token-file /path", "token_file /path (sparkbridge.yaml:9:19)". */
static char *token_source(const struct setting *setting, const char *path)
{
    if (setting->source != SETTING_FILE)
        return xasprintf("%s %s", setting->place, path);
    return xasprintf("token_file %s (%s:%u:%u)", path, setting->place, setting->at.line,
                     setting->at.column);
}

static void note_place(char **field, const struct setting *setting)
{
    free(*field);
    *field = setting_place(setting);
}

/* Takes over the text or address it stores. */
static bool store_in_listener(const struct config_target *target, const struct setting *setting,
                              struct checked *value, struct err *err)
{
    struct listener_config *listener = target->listener;
    switch (setting->id) {
    case OPTION_NAME: replace(&listener->name, value); break;
    case OPTION_PROFILE:
        replace(&listener->profile, value);
        note_place(&listener->profile_source, setting);
        break;
    case OPTION_HOST:
        replace(&listener->host, value);
        note_place(&listener->host_source, setting);
        break;
    case OPTION_CLUSTER_ID:
        replace(&listener->cluster_id, value);
        note_place(&listener->cluster_id_source, setting);
        break;
    case OPTION_CONFIG_FILE: replace(&listener->config_file, value); break;
    case OPTION_SERVERLESS:
        listener->serverless = value->number != 0;
        note_place(&listener->serverless_source, setting);
        break;
    case OPTION_NO_COMPUTE:
        listener->no_compute = value->number != 0;
        note_place(&listener->no_compute_source, setting);
        break;
    case OPTION_RESOLUTION: listener->resolution = (enum resolution)value->number; break;
    case OPTION_SOCKET_MODE: listener->socket_mode = (unsigned)value->number; break;
    case OPTION_LISTEN: return add_address(target, &value->address, err);
    case OPTION_TOKEN_FILE:
        free(listener->token_source);
        listener->token_source = token_source(setting, value->text);
        replace(&listener->token_file, value);
        break;
    case OPTION_REMOTE:
        secret_set(&listener->remote, setting->value.bytes, setting->value.len);
        note_place(&listener->remote_source, setting);
        break;
    default: break;
    }
    return true;
}

static bool add_sandbox_read(struct config *config, struct checked *value, struct err *err)
{
    if (config->sandbox_read_count == CONFIG_MAX_SANDBOX_READ)
        return err_set(err, EX_USAGE, "is one path too many, there are at most %d",
                       CONFIG_MAX_SANDBOX_READ);
    config->sandbox_read = xrealloc(config->sandbox_read, (config->sandbox_read_count + 1) *
                                                              sizeof(config->sandbox_read[0]));
    config->sandbox_read[config->sandbox_read_count++] = value->text;
    value->text = NULL;
    return true;
}

static bool store(struct config *config, const struct setting *setting, struct checked *value,
                  struct err *err)
{
    switch (setting->id) {
    case OPTION_SANDBOX: config->sandbox = (enum sandbox_mode)value->number; break;
    case OPTION_SANDBOX_READ: return add_sandbox_read(config, value, err);
    case OPTION_CONTROL: replace(&config->control, value); break;
    case OPTION_CONFIG: replace(&config->config_path, value); break;
    case OPTION_CA_FILE: replace(&config->ca_file, value); break;
    case OPTION_PROXY:
        secret_set(&config->proxy_option, setting->value.bytes, setting->value.len);
        break;
    case OPTION_CONNECT_TIMEOUT: config->connect_timeout_ms = (unsigned)value->number; break;
    case OPTION_DRAIN_TIMEOUT: config->drain_timeout_ms = (unsigned)value->number; break;
    case OPTION_LOG_LEVEL: config->log_level = (enum log_level)value->number; break;
    case OPTION_QUIET: config->quiet = value->number != 0; break;
    case OPTION_JSON: config->json = value->number != 0; break;
    case OPTION_COMPARE: config->compare = value->number != 0; break;
    default: break;
    }
    return true;
}

void config_apply(const struct config_target *target, struct setting *setting,
                  struct diag_list *diags)
{
    struct checked value = {0};
    struct err err = {0};
    bool ok = strlen(setting->value.bytes) == setting->value.len
                  ? check(setting, target, &value, &err)
                  : err_set(&err, EX_USAGE, "has a NUL byte in it");
    if (ok && target->listener != NULL)
        ok = store_in_listener(target, setting, &value, &err);
    else if (ok)
        ok = store(target->config, setting, &value, &err);
    free(value.text);
    listen_address_finish(&value.address);
    if (!ok && !setting->reported) {
        setting_fault(setting, err.message, diags);
        setting->reported = true;
    }
}
