/* What several settings say together: contradictions, and what one makes of another. */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "conf/config_sources.h"
#include "conf/values.h"

bool config_is_compute(enum option_id id)
{
    return id == OPTION_CLUSTER_ID || id == OPTION_SERVERLESS || id == OPTION_NO_COMPUTE;
}

/* What counts of the daemon's own options: the command line's before the file's. */
static const struct setting *find_setting(const struct config_sources *sources, enum option_id id)
{
    const struct setting *flag = settings_find(&sources->flags, id);
    return flag != NULL ? flag : settings_find(&sources->file.settings, id);
}

static void check_names(const struct config_sources *sources, struct diag_list *diags)
{
    const struct config_file *file = &sources->file;
    for (size_t i = 0; i < file->listener_count; i++) {
        const struct setting *name = settings_find(&file->listeners[i], OPTION_NAME);
        for (size_t j = 0; name != NULL && j < i; j++) {
            const struct setting *other = settings_find(&file->listeners[j], OPTION_NAME);
            if (other == NULL || !secret_equal(&name->value, &other->value))
                continue;
            char *sentence = xasprintf("%s is the name of an earlier listener too (line %u)",
                                       diag_quote(name->value.bytes).text, other->at.line);
            setting_fault(name, sentence, diags);
            free(sentence);
            break;
        }
    }
}

static void check_client_cert(const struct config_sources *sources, struct diag_list *diags)
{
    const struct setting *key = find_setting(sources, OPTION_CLIENT_KEY);
    if (key != NULL && find_setting(sources, OPTION_CLIENT_CERT) == NULL)
        setting_fault(key,
                      "there is no certificate that it could be the key of; name it by "
                      "--client-cert or upstream.client_cert",
                      diags);
}

/* An address that is our own, not the service manager's; NULL where there is none. */
static const char *find_own_address(const struct config *config)
{
    for (size_t i = 0; i < config->listener_count; i++)
        for (size_t j = 0; j < config->listeners[i].address_count; j++)
            if (config->listeners[i].addresses[j].kind != ADDRESS_INHERITED)
                return config->listeners[i].addresses[j].text;
    return NULL;
}

/* Without a socket that the service manager keeps nobody would start the daemon again. The file may
 * be for several daemons, and mean it for those that can. */
static void limit_idle_exit(struct config *config, const struct config_sources *sources,
                            struct diag_list *diags)
{
    const struct setting *said = find_setting(sources, OPTION_IDLE_EXIT);
    const char *own = find_own_address(config);
    if (own == NULL || config->idle_exit_ms == 0)
        return;
    config->idle_exit_ms = 0;
    if (said->source == SETTING_FILE)
        return;
    char *sentence = xasprintf("the daemon will not end by itself, because nothing would start it "
                               "again: %s is no socket of the service manager (systemd:NAME)",
                               diag_quote(own).text);
    setting_warn(said, sentence, diags);
    free(sentence);
}

/* What one user may have of something, where all together may have less. */
static void warn_of_share(const struct config_sources *sources, enum option_id share,
                          unsigned number, unsigned all, struct diag_list *diags)
{
    const struct setting *said = find_setting(sources, share);
    if (said == NULL || number <= all)
        return;
    char *sentence = xasprintf("%u is more than the %u that all users have together, which is the "
                               "limit for one of them too",
                               number, all);
    setting_warn(said, sentence, diags);
    free(sentence);
}

static void warn_of_shares(const struct config *config, const struct config_sources *sources,
                           struct diag_list *diags)
{
    const struct client_limits *limits = &config->limits;
    warn_of_share(sources, OPTION_CONNECTIONS_PER_USER, limits->connections_per_user,
                  limits->connections, diags);
    warn_of_share(sources, OPTION_CALLS_PER_USER, limits->calls_per_user, limits->calls, diags);
}

/* Of what the command line says, or the variables, as both hide each other's. The answers of
 * `explain` say it themselves, by the rules that were asked for. */
static void check_computes(const struct config_sources *sources, struct diag_list *diags)
{
    const struct setting *first = NULL;
    if (sources->command->id == COMMAND_EXPLAIN)
        return;
    for (size_t i = 0; i < sources->flags.count; i++) {
        const struct setting *setting = &sources->flags.items[i];
        int64_t on = 1;
        if (!config_is_compute(setting->id) ||
            (option_get(setting->id)->type == OPTION_SWITCH &&
             value_switch(setting->value.bytes, &on, NULL) && on == 0))
            continue;
        if (first != NULL && first->id != setting->id) {
            char *sentence = xasprintf("cannot stand beside %s; keep one of them", first->place);
            setting_fault(setting, sentence, diags);
            free(sentence);
            return;
        }
        first = setting;
    }
}

static void warn_of_any(const struct config *config, struct diag_list *diags)
{
    for (size_t i = 0; i < config->listener_count; i++) {
        const struct listener_config *listener = &config->listeners[i];
        if (listener->peers != NULL && peer_users_any(&listener->peers->users))
            diag_warning(diags,
                         "listener %s: peer_users has `any`: every user and process of this "
                         "machine that reaches it uses its credential",
                         listener->name);
    }
}

void config_check_together(struct config *config, const struct config_sources *sources,
                           struct diag_list *diags)
{
    check_names(sources, diags);
    check_client_cert(sources, diags);
    check_computes(sources, diags);
    limit_idle_exit(config, sources, diags);
    warn_of_shares(config, sources, diags);
    warn_of_any(config, diags);
}
