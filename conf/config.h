/*
 * The daemon's configuration: what the YAML file, the environment and the command line say, merged
 * (flag over environment over file over default) and checked, before anything is resolved.
 *
 * Owner: config_load() creates, config_destroy() frees. It does not change afterwards; a reload
 * makes a new one. Durations are in milliseconds (_ms), sizes in bytes (_bytes).
 */
#ifndef SPARKBRIDGE_CONF_CONFIG_H
#define SPARKBRIDGE_CONF_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/log.h"
#include "common/secret.h"
#include "conf/address.h"
#include "conf/diag.h"
#include "conf/limits.h"
#include "conf/peer_policy.h"
#include "conf/proxy.h"
#include "conf/resolve.h"

enum {
    CONFIG_MAX_LISTENERS = 64,
    CONFIG_MAX_ITEMS = 16, /* of a list, as of a listener's addresses */
    CONFIG_TOKEN_MAX_BYTES = 65536,
    CONFIG_CLIENT_SECRET_MIN_BYTES = 16,
};

enum sandbox_mode { SANDBOX_AUTO, SANDBOX_OFF };

/* A list of words. */
struct config_words {
    char *items[CONFIG_MAX_ITEMS]; /* owned */
    size_t count;
};

void config_words_finish(struct config_words *words);

struct listener_config {
    char *name; /* owned, unique */
    struct listen_address *addresses;
    size_t address_count;
    unsigned socket_mode;      /* of Unix sockets; 0600 */
    struct peer_policy *peers; /* owned reference: who may connect, and what for */

    /* Whom and what it lets pass; daemon/policy.h. */
    struct config_words authorities;     /* hosts as authority_parse() has them, without a port */
    struct config_words forward_headers; /* patterns of conf/header_names.h */
    char *client_secret_file;            /* owned, NULL where clients need no secret */
    char *client_secret_source;          /* owned; as token_source */

    /* What the binding is resolved from; owned, NULL where not said. The fields are those of
     * struct resolve_request. */
    struct secret remote; /* a connection string may hold a token */
    char *remote_source;  /* "--remote", "sparkbridge.yaml:7:13" */
    char *host, *cluster_id, *profile, *config_file, *token_file;
    /* Where they were said, for messages; owned, NULL where they were not. */
    char *host_source, *cluster_id_source, *serverless_source, *no_compute_source, *profile_source;
    char *token_source; /* "--token-file /path", "token_file /path (sparkbridge.yaml:9:19)" */
    bool serverless, no_compute;
    enum resolution resolution;

    char *via; /* owned; path of a Unix socket that leads to the workspace, or NULL */
};

struct config {
    struct listener_config *listeners; /* owned; at least one; for `profiles` only config_file of
                                          the first counts */
    size_t listener_count;

    char *config_path; /* owned; the YAML file that was read, NULL where none */
    char *ca_file;     /* owned; NULL: the system's store */
    char *client_cert; /* owned; NULL: none is shown */
    char *client_key;  /* owned; NULL: it stands in the file of client_cert */
    /* Owned, for messages, as a listener's token_source; NULL where there is no such file. */
    char *ca_source, *client_cert_source, *client_key_source;
    struct secret proxy_option; /* as written; `proxy` is made from it and the environment */
    struct proxy_config proxy;
    unsigned drain_timeout_ms;
    unsigned idle_exit_ms; /* 0: never, as where an address is our own */
    unsigned connect_timeout_ms;
    unsigned stream_window_bytes; /* the ceiling of what is under way on one upstream stream */
    struct client_limits limits;
    enum log_level log_level;
    enum log_lines log_lines;

    enum sandbox_mode sandbox;
    struct config_words sandbox_read; /* paths */
    char *control;                    /* owned; "unix:PATH" or "none", NULL: not said */

    /* Of the subcommands that answer and end. */
    bool quiet, json, compare;
};

/* Reads flags (argv[0] is the subcommand), `SPARKBRIDGE_*` variables of `environment`
 * (NULL-terminated "NAME=value") and the YAML file. Every fault goes to `diags`; false if there is
 * an error among them, then *ret_config is not set. --help is for the caller to look for first:
 * options_cli_help().
 *
 * How the command line (and environment) and the file's listeners go together:
 * - a connection option (--profile, --remote, --host ...) describes one listener named "default"
 *   that takes the place of the file's, at --listen or its default address; a warning says so;
 * - --listen alone replaces the addresses of the file's one listener, and is an error where the
 *   file has several;
 * - --config-file, --resolution and --peer-users count for every listener;
 * - a connection option of the command line hides those of the environment that contradict it. */
bool config_load(int argc, char **argv, char *const *environment, struct config **ret_config,
                 struct diag_list *diags);

/* Both accept what is zeroed, config_destroy() also NULL. */
void config_destroy(struct config *config);
void listener_config_finish(struct listener_config *listener);

/* Fills the request that resolve() takes from a listener's part; everything in it is borrowed, from
 * `environment` too, which may be NULL. The token file, a regular file of CONFIG_TOKEN_MAX_BYTES at
 * most, is read into *token, which the caller finishes, and the request points to it: EX_NOINPUT
 * where it cannot be read, EX_NOPERM where others can read it too, EX_CONFIG where its content is
 * no token. On failure neither *token nor *ret_request changes. */
bool listener_config_request(const struct listener_config *listener, char *const *environment,
                             struct secret *token, struct resolve_request *ret_request,
                             struct err *err);

/* Reads the secret that clients have to send into *ret_secret, which the caller finishes; not set
 * where the listener has no client_secret_file. EX_NOINPUT and EX_CONFIG as above. */
bool listener_config_client_secret(const struct listener_config *listener,
                                   struct secret *ret_secret, struct err *err);

#endif
