/*
 * The precedence chain: from what was said explicitly, the environment and the SDK's profile file
 * to a binding, remembering where every value came from and what it shadowed.
 *
 * `documented`, the default, asks in order: the explicit connection string or keywords; a named SDK
 * profile or configuration; SPARK_REMOTE; the SDK's default authentication. Each fills only what is
 * still missing, and asking ends as soon as host, credential and compute are known. "One
 * workspace": the first source that names a host decides it, and a source that means another host
 * contributes nothing, so that a token never travels to a host that its own source did not mean. A
 * named profile without a host means the explicit or the environment's: where neither is there and
 * it gave the credential, the result is incomplete, of kind "host".
 *
 * `sdk` is what databricks-connect 19.3.0 does today, for people who compare. There the sentence of
 * an error is the client's own.
 *
 * Only personal access tokens can be used yet. The method that the SDK would choose is found all
 * the same; where it is another one the result is incomplete, of kind "auth", because what
 * `explain` calls complete must be what `run` can use. `auth_type` then names the method. Methods
 * that need a program (azure-cli, databricks-cli) are chosen only where the configuration points at
 * them: by auth_type, or, for azure-cli, by an attribute of the azure family. PATH is not searched,
 * so the answer depends on nothing but the arguments, the environment and the files that they name.
 */
#ifndef SPARKBRIDGE_CONF_RESOLVE_H
#define SPARKBRIDGE_CONF_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/secret.h"
#include "common/strbuf.h"
#include "conf/attributes.h"
#include "conf/binding.h"

enum {
    RESOLVE_MAX_NOTES = 100,          /* of each kind in a result; further ones are dropped */
    RESOLVE_MAX_SECRET_BYTES = 65536, /* a longer token or cluster id is an error */
};

enum resolution { RESOLUTION_DOCUMENTED, RESOLUTION_SDK };

/* One attribute of an SDK configuration that the binding holds. */
struct sdk_setting {
    enum attribute attribute;
    const struct secret *value; /* borrowed */
};

/* What the binding's owner said: the command line's or a listener's part of the configuration.
 * All pointers are borrowed for the call; NULL means not said. */
struct resolve_request {
    const char *remote; /* connection string */
    const char *host;
    const struct secret *token; /* read from token_file by the caller, or NULL */
    const char *token_source;   /* "--token-file /path", for messages */
    const char *cluster_id;
    bool serverless;
    bool no_compute; /* a generic Spark Connect server: no cluster is needed */
    const char *profile;
    const char *config_file; /* the SDK's profile file; else DATABRICKS_CONFIG_FILE, else
                                ~/.databrickscfg of the environment's HOME */
    bool trusted_file;       /* read it on behalf of another user: conf/trusted_file.h */
    enum resolution resolution;
    /* The environment to read: NULL-terminated "NAME=value" strings, or NULL for "no environment"
     * (a listener that serves other users' profiles must not see the daemon's). */
    char *const *environment;

    /* Where these were said, for messages; NULL stands for the flag: "--remote", "--host" ... */
    const char *remote_source, *host_source, *cluster_id_source, *serverless_source;
    const char *no_compute_source, *profile_source;

    /* An SDK configuration of the binding: it comes before the environment and the profile. */
    const struct sdk_setting *sdk_config;
    size_t sdk_config_count;

    const struct metadata *headers; /* further headers; x-databricks-session-id means serverless */
};

/* The outcome. Owner: the caller; resolve_result_finish(). */
struct resolve_result {
    struct binding *binding; /* owned reference; NULL where incomplete */
    const char *error_kind;  /* static text where incomplete: "host", "credential", "compute",
                                "profile", "conflict", "both", "connection string", "auth" */
    struct err err;          /* where incomplete: the sentence, EX_CONFIG unless a file could not
                                be read (EX_NOINPUT) */
    char **passed_over;      /* owned: sources that were asked and could not be used, and why */
    size_t passed_over_count;
    char **shadowed; /* owned: values that an earlier source hid */
    size_t shadowed_count;
    char **warnings; /* owned */
    size_t warnings_count;

    struct binding *found; /* owned reference; where incomplete: what is known all the same, to
                              be shown, not used */
    char *auth_type;       /* owned: the chosen method's name as the SDK has it ("pat",
                              "oauth-m2m" ...), NULL where none is; also where incomplete */
};

/* True where complete. Reads files named by the request or environment; no network. */
bool resolve(const struct resolve_request *request, struct resolve_result *ret_result);
void resolve_result_finish(struct resolve_result *result);

#endif
