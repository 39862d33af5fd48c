/* `sparkbridge check`: everything `run` does before it listens, without network. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/strbuf.h"
#include "conf/config.h"
#include "conf/host.h"
#include "conf/options_cli.h"
#include "daemon/command.h"
#include "daemon/setup.h"

static void append_users(struct strbuf *out, const struct peer_policy *peers)
{
    if (peers->users.count > 0) {
        strbuf_append_text(out, "  users       ");
        peer_users_describe(&peers->users, out);
        strbuf_append_char(out, '\n');
    }
    for (size_t i = 0; i < peers->row_count; i++)
        strbuf_append_format(out, "  user        %s: %s of %s (%s)\n", peers->rows[i].user,
                             peers->rows[i].profile != NULL ? peers->rows[i].profile
                                                            : "the default profile",
                             peers->rows[i].config_file, peers->rows[i].place);
    for (size_t i = 0; i < peers->client_profile_count; i++)
        strbuf_append_format(out, "  by client   %s: %s\n", peers->client_header,
                             peers->client_profiles[i]);
}

static void append_binding(struct strbuf *out, const struct binding *binding)
{
    char *address = host_address(binding->host, binding->port);
    strbuf_append_format(out, "  workspace   %s (%s)\n", address, binding->host_source);
    free(address);
    if (binding->auth_type != NULL)
        strbuf_append_format(out, "  credential  %s (%s)\n", binding->auth_type,
                             binding->token_source);
    if (binding->compute == COMPUTE_CLUSTER)
        strbuf_append_format(out, "  cluster     %s (%s)\n", binding->cluster_id,
                             binding->compute_source);
    else
        strbuf_append_format(out, "  compute     %s (%s)\n", binding_compute_name(binding),
                             binding->compute_source);
}

static void append_listener(struct strbuf *out, const struct listener_config *listener,
                            const struct access *access)
{
    const struct binding *binding = access_binding(access);
    strbuf_append_format(out, "listener %s\n", listener->name);
    for (size_t i = 0; i < listener->address_count; i++)
        strbuf_append_format(out, "  listens on  %s\n", listener->addresses[i].text);
    append_users(out, listener->peers);
    if (binding != NULL)
        append_binding(out, binding);
}

static char *table(const struct setup *setup)
{
    struct strbuf out = {0};
    for (size_t i = 0; i < setup->config->listener_count; i++)
        append_listener(&out, &setup->config->listeners[i], setup->accesses[i]);
    return strbuf_take(&out);
}

static json_t *listener_json(const struct listener_config *listener, const struct access *access)
{
    const struct binding *binding = access_binding(access);
    json_t *addresses = json_array(), *users = json_array(), *rows = json_array();
    for (size_t i = 0; i < listener->address_count; i++)
        json_array_append_new(addresses, json_string(listener->addresses[i].text));
    for (size_t i = 0; i < listener->peers->users.count; i++)
        json_array_append_new(users, json_string(listener->peers->users.items[i].text));
    for (size_t i = 0; i < listener->peers->row_count; i++)
        json_array_append_new(rows, json_string(listener->peers->rows[i].user));
    json_t *object = json_pack("{s:s, s:o, s:o, s:o}", "name", listener->name, "listen", addresses,
                               "peer_users", users, "profile_by_peer", rows);
    if (binding != NULL)
        json_object_update_new(
            object, json_pack("{s:s, s:i, s:s?, s:s, s:s?}", "host", binding->host, "port",
                              (int)binding->port, "auth_type", binding->auth_type, "compute",
                              binding_compute_name(binding), "cluster_id", binding->cluster_id));
    return object;
}

static char *json(const struct setup *setup, const struct diag_list *diags)
{
    json_t *listeners = json_array(), *said = json_array();
    for (size_t i = 0; setup->config != NULL && i < setup->config->listener_count; i++)
        json_array_append_new(listeners,
                              listener_json(&setup->config->listeners[i], setup->accesses[i]));
    for (size_t i = 0; i < diags->count; i++)
        json_array_append_new(
            said, json_pack("{s:s, s:s}", "severity",
                            diags->items[i].severity == DIAG_ERROR ? "error" : "warning", "message",
                            diags->items[i].message));
    json_t *root = json_pack("{s:b, s:o, s:o}", "ok", diags->errors == 0, "listeners", listeners,
                             "diagnostics", said);
    char *dumped = json_dumps(root, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    char *text = xasprintf("%s\n", dumped);
    free(dumped);
    json_decref(root);
    return text;
}

int command_check(int argc, char **argv, char **environment)
{
    const struct setup_source source = {.argc = argc, .argv = argv, .environment = environment};
    struct setup setup = {0};
    struct diag_list diags = {0};
    bool loaded = setup_load(&source, &setup, &diags);
    int status = diag_list_exit_code(&diags);
    /* Whoever reads JSON wants it where the rest is wrong, too, and there is no config. */
    if (loaded ? setup.config->json : options_cli_has(argc, argv, OPTION_JSON)) {
        status = command_print(json(&setup, &diags), status);
    } else {
        command_print_diags(&diags);
        if (loaded && !setup.config->quiet)
            status = command_print(table(&setup), status);
    }
    diag_list_finish(&diags);
    setup_finish(&setup);
    return status;
}
