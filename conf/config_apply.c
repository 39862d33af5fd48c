/* Checks settings by the option table and stores them into the configuration. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "conf/authority.h"
#include "conf/config_sources.h"
#include "conf/connection_string.h"
#include "conf/environment.h"
#include "conf/header_names.h"
#include "conf/values.h"

enum { NAME_MAX_BYTES = 63 };

/* A checked value: which member counts follows from the option's type. */
struct checked {
    int64_t number; /* durations, sizes, modes, integers; choices by index; switches */
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

/* Where nothing but a Unix socket will do; `forms` says what is right. */
static bool parse_socket(const char *text, const char *forms, struct listen_address *ret,
                         struct err *err)
{
    if (strncmp(text, "unix:", strlen("unix:")) == 0)
        return listen_address_parse(text, ret, err);
    if (text[0] == '/')
        return err_set(err, EX_USAGE, "%s: write unix: in front of the path",
                       diag_quote(text).text);
    return err_set(err, EX_USAGE, "%s has to be %s", diag_quote(text).text, forms);
}

static bool check_control(const char *text, struct err *err)
{
    struct listen_address address = {0};
    bool ok = strcmp(text, "none") == 0 ||
              parse_socket(text, "unix:/absolute/path or none", &address, err);
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
    case OPTION_FORWARD_HEADER: return header_pattern_check(text, err);
    case OPTION_CONTROL: return check_control(text, err);
    case OPTION_PROXY: return proxy_option_check(text, err);
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
    case OPTION_SIZE: return value_size(text, range, &ret->number, err);
    case OPTION_MODE: return value_mode(text, range, &ret->number, err);
    case OPTION_INTEGER: return value_integer(text, range, &ret->number, err);
    case OPTION_ADDRESS:
        return setting->id == OPTION_VIA
                   ? parse_socket(text, "a Unix socket, as in unix:/run/egress.sock", &ret->address,
                                  err)
                   : listen_address_parse(text, &ret->address, err);
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
    if (listener->address_count == CONFIG_MAX_ITEMS)
        return err_set(err, EX_USAGE, "is one address too many, a listener has at most %d",
                       CONFIG_MAX_ITEMS);
    listener->addresses = xrealloc(listener->addresses,
                                   (listener->address_count + 1) * sizeof listener->addresses[0]);
    listener->addresses[listener->address_count++] = *address;
    *address = (struct listen_address){0};
    return true;
}

/* Takes over the word. */
static bool add_word(struct config_words *words, char **word, struct err *err)
{
    if (words->count == CONFIG_MAX_ITEMS)
        return err_set(err, EX_USAGE, "is one too many, there may be %d", CONFIG_MAX_ITEMS);
    words->items[words->count++] = *word;
    *word = NULL;
    return true;
}

static bool add_authority(struct config_words *words, const char *text, struct err *err)
{
    struct authority authority;
    struct authority_fault fault;
    assert(text != NULL); /* what an option of its type always has */
    if (strstr(text, "://") != NULL)
        return err_set(err, EX_USAGE, "%s: a scheme does not belong here; write the host alone",
                       diag_quote(text).text);
    if (!authority_parse(text, strlen(text), &authority, &fault))
        return err_set(err, EX_USAGE, "%s: %s", diag_quote(text).text, fault.text);
    bool added = authority.port == 0
                     ? add_word(words, &authority.host, err)
                     : err_set(err, EX_USAGE, "%s has a port; leave it out, any port is right",
                               diag_quote(text).text);
    authority_finish(&authority);
    return added;
}

/* For messages: "--token-file /path", "token_file /path (sparkbridge.yaml:9:19)". */
static char *file_source(const struct setting *setting, const char *key, const char *path)
{
    if (setting->source != SETTING_FILE)
        return xasprintf("%s %s", setting->place, path);
    return xasprintf("%s %s (%s:%u:%u)", key, path, setting->place, setting->at.line,
                     setting->at.column);
}

/* A file of the daemon's own part. */
static void set_file(char **file, char **source, const struct setting *setting,
                     struct checked *value)
{
    free(*source);
    *source = file_source(setting, option_get(setting->id)->yaml_path, value->text);
    replace(file, value);
}

static void note_place(char **field, const struct setting *setting)
{
    free(*field);
    *field = setting_place(setting);
}

/* A row's path is complete, understood, and in no other user's home. */
static bool set_row_file(struct peer_row *row, struct checked *value, struct err *err)
{
    replace(&row->config_file, value);
    char *path = peer_row_path(row, 0, "name", err);
    free(path);
    return path != NULL && peer_row_check_homes(row, err);
}

/* What a listener grants to whom. */
static bool store_in_policy(struct peer_policy *policy, const struct setting *setting,
                            struct checked *value, struct err *err)
{
    struct peer_row *row = policy->row_count > 0 ? &policy->rows[policy->row_count - 1] : NULL;
    char *place;
    bool ok = true;
    switch (setting->id) {
    case OPTION_PEER_USERS: return peer_users_add(&policy->users, value->text, err);
    case OPTION_PEER_ROW:
        place = setting_place(setting);
        ok = peer_policy_add_row(policy, value->text, place, err);
        free(place);
        return ok;
    case OPTION_ROW_CONFIG_FILE: return row == NULL || set_row_file(row, value, err);
    case OPTION_ROW_PROFILE:
        if (row == NULL)
            return true;
        replace(&row->profile, value);
        note_place(&row->profile_source, setting);
        return true;
    case OPTION_CLIENT_HEADER: return peer_policy_set_client_header(policy, value->text, err);
    case OPTION_CLIENT_PROFILES: return peer_policy_add_client_profile(policy, value->text, err);
    default: return true;
    }
}

/* Takes over the text or address it stores. */
static bool store_in_listener(const struct config_target *target, const struct setting *setting,
                              struct checked *value, struct err *err)
{
    struct listener_config *listener = target->listener;
    if (listener->peers == NULL)
        listener->peers = peer_policy_create();
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
    case OPTION_VIA:
        free(listener->via);
        listener->via = value->address.path;
        value->address.path = NULL;
        break;
    case OPTION_AUTHORITY: return add_authority(&listener->authorities, value->text, err);
    case OPTION_FORWARD_HEADER: return add_word(&listener->forward_headers, &value->text, err);
    case OPTION_TOKEN_FILE:
        free(listener->token_source);
        listener->token_source = file_source(setting, "token_file", value->text);
        replace(&listener->token_file, value);
        break;
    case OPTION_CLIENT_SECRET_FILE:
        free(listener->client_secret_source);
        listener->client_secret_source = file_source(setting, "client_secret_file", value->text);
        replace(&listener->client_secret_file, value);
        break;
    case OPTION_REMOTE:
        secret_set(&listener->remote, setting->value.bytes, setting->value.len);
        note_place(&listener->remote_source, setting);
        break;
    default: return store_in_policy(listener->peers, setting, value, err);
    }
    return true;
}

static void store_limit(struct client_limits *limits, enum option_id id, int64_t number)
{
    switch (id) {
    case OPTION_PREFACE_TIMEOUT: limits->preface_ms = (unsigned)number; break;
    case OPTION_HEADERS_TIMEOUT: limits->headers_ms = (unsigned)number; break;
    case OPTION_CONNECTIONS: limits->connections = (unsigned)number; break;
    case OPTION_CONNECTIONS_PER_USER: limits->connections_per_user = (unsigned)number; break;
    case OPTION_CALLS: limits->calls = (unsigned)number; break;
    case OPTION_CALLS_PER_USER: limits->calls_per_user = (unsigned)number; break;
    case OPTION_CALLS_PER_CONNECTION: limits->calls_per_connection = (unsigned)number; break;
    case OPTION_HEADER_BYTES: limits->header_bytes = (size_t)number; break;
    case OPTION_BUFFER_BYTES: limits->buffer_bytes = (size_t)number; break;
    default: break;
    }
}

static bool store(struct config *config, const struct setting *setting, struct checked *value,
                  struct err *err)
{
    switch (setting->id) {
    case OPTION_SANDBOX: config->sandbox = (enum sandbox_mode)value->number; break;
    case OPTION_SANDBOX_READ: return add_word(&config->sandbox_read, &value->text, err);
    case OPTION_CONTROL: replace(&config->control, value); break;
    case OPTION_CONFIG: replace(&config->config_path, value); break;
    case OPTION_CA_FILE: set_file(&config->ca_file, &config->ca_source, setting, value); break;
    case OPTION_CLIENT_CERT:
        set_file(&config->client_cert, &config->client_cert_source, setting, value);
        break;
    case OPTION_CLIENT_KEY:
        set_file(&config->client_key, &config->client_key_source, setting, value);
        break;
    case OPTION_PROXY:
        secret_set(&config->proxy_option, setting->value.bytes, setting->value.len);
        break;
    case OPTION_CONNECT_TIMEOUT: config->connect_timeout_ms = (unsigned)value->number; break;
    case OPTION_DRAIN_TIMEOUT: config->drain_timeout_ms = (unsigned)value->number; break;
    case OPTION_IDLE_EXIT: config->idle_exit_ms = (unsigned)value->number; break;
    case OPTION_STREAM_WINDOW: config->stream_window_bytes = (unsigned)value->number; break;
    case OPTION_LOG_LEVEL: config->log_level = (enum log_level)value->number; break;
    case OPTION_LOG_FORMAT: config->log_lines = (enum log_lines)value->number; break;
    case OPTION_QUIET: config->quiet = value->number != 0; break;
    case OPTION_JSON: config->json = value->number != 0; break;
    case OPTION_COMPARE: config->compare = value->number != 0; break;
    default: store_limit(&config->limits, setting->id, value->number); break;
    }
    return true;
}

/* The sandbox is no better for it, but what the path was to help will fail later, far from here. */
static void warn_of_missing(const struct setting *setting, const char *path,
                            struct diag_list *diags)
{
    if (access(path, F_OK) == 0)
        return;
    char *sentence = xasprintf("%s cannot be found (%s): the sandbox will not let it be read",
                               diag_quote(path).text, strerror(errno));
    setting_warn(setting, sentence, diags);
    free(sentence);
}

void config_apply(const struct config_target *target, struct setting *setting,
                  struct diag_list *diags)
{
    struct checked value = {0};
    struct err err = {0};
    bool ok = strlen(setting->value.bytes) == setting->value.len
                  ? check(setting, target, &value, &err)
                  : err_set(&err, EX_USAGE, "has a NUL byte in it");
    if (value.text != NULL && setting->id == OPTION_SANDBOX_READ)
        warn_of_missing(setting, value.text, diags);
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
