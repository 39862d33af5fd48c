/* The daemon's configuration: command line over environment over YAML file over default. */
#include "conf/config.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/alloc.h"
#include "conf/config_sources.h"
#include "conf/credentials.h"
#include "conf/options_cli.h"
#include "conf/suggest.h"

/* The listener of the command line. */
static const char unnamed[] = "default";

static bool is_target(enum option_id id)
{
    return id == OPTION_REMOTE || id == OPTION_PROFILE || id == OPTION_HOST;
}

/* Does the flag leave nothing of the variable? Whoever names another workspace on the command line
 * does not want parts of the one that the environment names. */
static bool hides(enum option_id flag, enum option_id variable)
{
    if (flag == variable)
        return true;
    if (flag == OPTION_REMOTE || flag == OPTION_PROFILE)
        return option_get(variable)->connection;
    return (config_is_compute(flag) && config_is_compute(variable)) ||
           (is_target(flag) && is_target(variable));
}

/* Joins variables and flags: both overrule the file, flags also the variables. */
static void overlay(struct config_sources *sources)
{
    struct settings joined = {0};
    for (size_t i = 0; i < sources->variables.count; i++) {
        struct setting *variable = &sources->variables.items[i];
        bool hidden = false;
        for (size_t j = 0; j < sources->flags.count; j++)
            hidden = hidden || hides(sources->flags.items[j].id, variable->id);
        if (!hidden)
            settings_add(&joined, variable);
    }
    for (size_t i = 0; i < sources->flags.count; i++)
        settings_add(&joined, &sources->flags.items[i]);
    settings_finish(&sources->flags);
    sources->flags = joined;
}

static void add_defaults(struct settings *settings)
{
    for (int id = 0; id < OPTION_COUNT; id++) {
        const char *text = option_get((enum option_id)id)->default_text;
        if (text == NULL)
            continue;
        struct setting setting = {.id = (enum option_id)id, .source = SETTING_DEFAULT};
        secret_set(&setting.value, text, strlen(text));
        setting.place = xstrdup("default");
        settings_add(settings, &setting);
    }
}

static bool is_of_listener(enum option_id id)
{
    static const char prefix[] = "listeners[].";
    const char *path = option_get(id)->yaml_path;
    return path != NULL && strncmp(path, prefix, strlen(prefix)) == 0;
}

/* Applies what is for the target; lists are left to apply_lists(). */
static void apply_all(const struct config_target *target, struct settings *settings,
                      struct diag_list *diags)
{
    for (size_t i = 0; i < settings->count; i++) {
        enum option_id id = settings->items[i].id;
        if (is_of_listener(id) == (target->listener != NULL) && option_get(id)->repeats == 0)
            config_apply(target, &settings->items[i], diags);
    }
}

/* The items of a list, from the first of the NULL-terminated sources that has any. */
static void apply_list(const struct config_target *target, enum option_id id,
                       struct settings *const *layers, struct diag_list *diags)
{
    while (*layers != NULL && settings_find(*layers, id) == NULL)
        layers++;
    for (size_t i = 0; *layers != NULL && i < (*layers)->count; i++) {
        if ((*layers)->items[i].id == id)
            config_apply(target, &(*layers)->items[i], diags);
    }
}

/* The lists that are for the target, of which `own` is its part of the file. */
static void apply_lists(const struct config_target *target, struct settings *own,
                        struct config_sources *sources, struct diag_list *diags)
{
    struct settings *layers[] = {&sources->flags, own, &sources->defaults, NULL};
    for (enum option_id id = 0; id < OPTION_COUNT; id++) {
        if (option_get(id)->repeats == 0 || is_of_listener(id) != (target->listener != NULL))
            continue;
        /* Whoever has a row may connect, where the listener itself says nothing else. */
        layers[2] = id == OPTION_PEER_USERS && target->listener->peers->row_count > 0
                        ? NULL
                        : &sources->defaults;
        apply_list(target, id, layers, diags);
    }
}

/* Adds a listener that the settings describe; `own` is its part of the file, NULL for the listener
 * of the command line. */
static void build_listener(struct config *config, struct config_sources *sources,
                           struct settings *own, char *const *environment, struct diag_list *diags)
{
    struct settings none = {0};
    struct listener_config *listener = &config->listeners[config->listener_count++];
    struct config_target target = {config, listener, environment};
    own = own != NULL ? own : &none;
    apply_all(&target, &sources->defaults, diags);
    apply_all(&target, &sources->file.settings, diags);
    apply_all(&target, own, diags);
    apply_all(&target, &sources->flags, diags);
    if (listener->name == NULL)
        listener->name = xstrdup(unnamed);
    apply_lists(&target, own, sources, diags);
    credentials_apply(listener, environment);
}

/* The connection option by which the command line describes a listener, NULL where it does not. */
static const struct setting *find_connection(const struct settings *settings)
{
    for (size_t i = 0; i < settings->count; i++) {
        if (option_get(settings->items[i].id)->connection)
            return &settings->items[i];
    }
    return NULL;
}

static void warn_of_unused(const struct setting *connection, const struct config_file *file,
                           struct diag_list *diags)
{
    if (file->listener_count == 1)
        diag_warning(diags, "%s: describes the only listener; that of %s is not used",
                     connection->place, file->path);
    else
        diag_warning(diags, "%s: describes the only listener; the %zu of %s are not used",
                     connection->place, file->listener_count, file->path);
}

static void build_listeners(struct config *config, struct config_sources *sources,
                            char *const *environment, struct diag_list *diags)
{
    struct config_file *file = &sources->file;
    const struct setting *connection = find_connection(&sources->flags);
    const struct setting *listen = settings_find(&sources->flags, OPTION_LISTEN);
    config->listeners = xcalloc(CONFIG_MAX_LISTENERS, sizeof config->listeners[0]);
    if (connection != NULL || file->listener_count == 0) {
        if (file->listener_count > 0)
            warn_of_unused(connection, file, diags);
        build_listener(config, sources, NULL, environment, diags);
        return;
    }
    if (listen != NULL && file->listener_count > 1) {
        setting_fault(listen,
                      "the YAML file has several listeners, and this cannot say which it means; "
                      "name the connection too (--profile), or change the file",
                      diags);
        return;
    }
    for (size_t i = 0; i < file->listener_count; i++)
        build_listener(config, sources, &file->listeners[i], environment, diags);
}

/* `explain --listener NAME`: leaves only this one. */
static void select_listener(struct config *config, const struct setting *wanted,
                            const struct config_sources *sources, struct diag_list *diags)
{
    const struct setting *connection = find_connection(&sources->flags);
    if (connection != NULL) {
        diag_error(diags, EX_USAGE,
                   "--listener: names one of the YAML file, but %s describes another; leave one "
                   "of them out",
                   connection->place);
        return;
    }
    struct suggest suggest = {.word = wanted->value.bytes};
    for (size_t i = 0; i < config->listener_count; i++) {
        struct listener_config *listener = &config->listeners[i];
        if (strcmp(listener->name, wanted->value.bytes) == 0) {
            struct listener_config first = config->listeners[0];
            config->listeners[0] = *listener;
            *listener = first;
            while (config->listener_count > 1)
                listener_config_finish(&config->listeners[--config->listener_count]);
            return;
        }
        suggest_offer(&suggest, listener->name);
    }
    diag_error(diags, EX_USAGE, "--listener: there is no listener %s%s",
               diag_quote(wanted->value.bytes).text, suggest_text(&suggest).text);
}

static void read_proxy(struct config *config, char *const *environment, struct diag_list *diags)
{
    struct err err;
    if (secret_is_set(&config->proxy_option) &&
        !proxy_config_read(config->proxy_option.bytes, environment, &config->proxy, &err))
        diag_error(diags, err.exit_code, "%s", err.message);
}

static void read_sources(int argc, char **argv, char *const *environment,
                         struct config_sources *sources, struct diag_list *diags)
{
    options_cli_parse(argc, argv, &sources->flags, diags);
    config_environment_read(environment, sources->command->id, &sources->variables, diags);
    overlay(sources);
    add_defaults(&sources->defaults);
}

static void apply_only(const struct config_target *target, enum option_id id,
                       struct settings *settings, struct diag_list *diags)
{
    for (size_t i = 0; i < settings->count; i++)
        if (settings->items[i].id == id)
            config_apply(target, &settings->items[i], diags);
}

static void load_file(struct config *config, struct config_sources *sources,
                      char *const *environment, struct diag_list *diags)
{
    if ((option_get(OPTION_CONFIG)->commands & sources->command->id) == 0)
        return;
    const struct config_target target = {config, NULL, environment};
    apply_only(&target, OPTION_CONFIG, &sources->flags, diags);
    config_file_read(config->config_path, environment, &sources->file, diags);
    free(config->config_path);
    config->config_path = sources->file.path != NULL ? xstrdup(sources->file.path) : NULL;
}

static struct config *build(struct config_sources *sources, char *const *environment,
                            struct diag_list *diags)
{
    struct config *config = xcalloc(1, sizeof *config);
    struct config_target target = {config, NULL, environment};
    load_file(config, sources, environment, diags);
    apply_all(&target, &sources->defaults, diags);
    apply_all(&target, &sources->file.settings, diags);
    apply_all(&target, &sources->flags, diags);
    apply_lists(&target, &sources->file.settings, sources, diags);
    build_listeners(config, sources, environment, diags);
    config_check_together(config, sources, diags);
    read_proxy(config, environment, diags);
    const struct setting *wanted = settings_find(&sources->flags, OPTION_LISTENER);
    if (wanted != NULL && diags->errors == 0)
        select_listener(config, wanted, sources, diags);
    return config;
}

/* `status` asks a daemon, whose environment may be another (CREDENTIALS_DIRECTORY): of the file it
 * wants only the address to ask at, and does not mind what is wrong with the rest. */
static struct config *build_question(struct config_sources *sources, char *const *environment,
                                     struct diag_list *diags)
{
    struct config *config = xcalloc(1, sizeof *config);
    struct config_target target = {config, NULL, environment};
    struct diag_list of_file = {0};
    load_file(config, sources, environment, &of_file);
    if (of_file.count > 0 && of_file.exit_code != 0 && of_file.exit_code != EX_CONFIG)
        diag_error(diags, of_file.exit_code, "%s", of_file.items[0].message);
    diag_list_finish(&of_file);
    apply_only(&target, OPTION_CONTROL, &sources->file.settings, diags);
    apply_all(&target, &sources->flags, diags);
    return config;
}

bool config_load(int argc, char **argv, char *const *environment, struct config **ret_config,
                 struct diag_list *diags)
{
    size_t errors = diags->errors;
    struct config_sources sources = {.command = command_by_name(argv[0])};
    if (sources.command == NULL)
        return diag_error(diags, EX_USAGE, "%s: no such subcommand; `sparkbridge --help` lists all",
                          diag_quote(argv[0]).text);
    read_sources(argc, argv, environment, &sources, diags);
    struct config *config = sources.command->id == COMMAND_STATUS
                                ? build_question(&sources, environment, diags)
                                : build(&sources, environment, diags);
    settings_finish(&sources.defaults);
    settings_finish(&sources.variables);
    settings_finish(&sources.flags);
    config_file_finish(&sources.file);
    diag_list_sort(diags);
    if (diags->errors != errors) {
        config_destroy(config);
        return false;
    }
    *ret_config = config;
    return true;
}

void config_words_finish(struct config_words *words)
{
    while (words->count > 0)
        free(words->items[--words->count]);
}

void listener_config_finish(struct listener_config *listener)
{
    for (size_t i = 0; i < listener->address_count; i++)
        listen_address_finish(&listener->addresses[i]);
    free(listener->addresses);
    config_words_finish(&listener->authorities);
    config_words_finish(&listener->forward_headers);
    free(listener->client_secret_file);
    free(listener->client_secret_source);
    peer_policy_unref(listener->peers);
    secret_finish(&listener->remote);
    free(listener->name);
    free(listener->remote_source);
    free(listener->host_source);
    free(listener->cluster_id_source);
    free(listener->serverless_source);
    free(listener->no_compute_source);
    free(listener->profile_source);
    free(listener->host);
    free(listener->cluster_id);
    free(listener->profile);
    free(listener->config_file);
    free(listener->token_file);
    free(listener->token_source);
    free(listener->via);
    *listener = (struct listener_config){0};
}

void config_destroy(struct config *config)
{
    if (config == NULL)
        return;
    for (size_t i = 0; i < config->listener_count; i++)
        listener_config_finish(&config->listeners[i]);
    free(config->listeners);
    free(config->config_path);
    free(config->ca_file);
    free(config->client_cert);
    free(config->client_key);
    free(config->ca_source);
    free(config->client_cert_source);
    free(config->client_key_source);
    config_words_finish(&config->sandbox_read);
    free(config->control);
    secret_finish(&config->proxy_option);
    proxy_config_finish(&config->proxy);
    free(config);
}
