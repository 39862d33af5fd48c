/*
 * A resolution under way: what both chains share while a result fills up, source by source.
 *
 * Private to the resolve*.c files. Owner: resolve(), on its stack.
 */
#ifndef SPARKBRIDGE_CONF_RESOLUTION_H
#define SPARKBRIDGE_CONF_RESOLUTION_H

#include <stdbool.h>

#include "conf/auth_method.h"
#include "conf/connection_string.h"
#include "conf/host.h"
#include "conf/layer.h"
#include "conf/profile_file.h"
#include "conf/resolve.h"

#define HEADER_CLUSTER_ID "x-databricks-cluster-id"
#define HEADER_SESSION_ID "x-databricks-session-id"
#define HEADER_POLICY_ID  "x-databricks-explicit-usage-policy-id"
#define HEADER_ORG_ID     "x-databricks-org-id"

struct resolving {
    const struct resolve_request *request;
    struct resolve_result *result;
    struct binding *binding; /* what is known so far */
    struct host host;        /* its name is NULL while no source has named one */
    bool compute_known;
    bool environment_counts; /* it was asked, and is for this workspace */
    struct profile_file file;
    const struct cfg_profile *profile; /* borrowed from the file: the last one that was asked and
                                          is for this workspace, or NULL */
    struct layer environment;
    struct setting unmet; /* an auth_type whose method's settings were not there */
};

/* The two chains. True where complete. */
bool resolve_documented(struct resolving *r);
bool resolve_sdk(struct resolving *r);

/* --- the end, good or bad ---------------------------------------------------------------- */

/* Sets kind (static) and sentence; returns false, so that callers write `return resolving_...`. */
bool resolving_fail(struct resolving *r, const char *kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool resolving_fail_err(struct resolving *r, const char *kind, const struct err *err);

/* For a token in the place of a profile's name. */
bool resolving_fail_token_for_profile(struct resolving *r, const char *said_by);

/* True where nothing is missing and the method is one that this version can use; else fails. */
bool resolving_end(struct resolving *r);

/* Each appends "; ..." where the profile file may be why a value is missing: the host, or what an
 * attribute says. */
void resolving_hint_at_file(const struct resolving *r, struct strbuf *text);
void resolving_hint_at_key(const struct resolving *r, enum attribute wanted, struct strbuf *text);

/* --- notes for people; the same one is kept once ----------------------------------------- */

void resolving_passed_over(struct resolving *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void resolving_warn(struct resolving *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "WHAT of SOURCE, hidden by WINNER". Nothing where source and winner are the same. */
void resolving_shadowed(struct resolving *r, const char *what, const char *source,
                        const char *winner);

/* --- taking values ----------------------------------------------------------------------- */

/* Each fills what is missing or notes that the value is shadowed. Those that return bool fail
 * where the value cannot be used. `source` is the value's place, for people. */
void resolving_take_host(struct resolving *r, const struct host *host, const char *source);
bool resolving_take_token(struct resolving *r, const struct secret *token, const char *source);
void resolving_take_method(struct resolving *r, const char *method, const char *source);
bool resolving_take_cluster(struct resolving *r, const struct secret *cluster_id,
                            const char *source);
void resolving_take_serverless(struct resolving *r, const char *source);

/* Adds a header unless the binding has one of that name. */
void resolving_add_header(struct resolving *r, const char *name, const struct secret *value);

/* Adds the headers that the client makes from attributes. */
void resolving_add_layer_headers(struct resolving *r, const struct layer *layer);

/* Adds the header of DATABRICKS_USAGE_POLICY_ID, which the client sends to serverless compute. */
void resolving_add_usage_policy(struct resolving *r);

bool resolving_has_credential(const struct resolving *r);
bool resolving_is_complete(const struct resolving *r);

/* --- sources ----------------------------------------------------------------------------- */

/* Parses a connection string; fails where it is malformed or asks for an upstream without TLS. */
bool resolving_parse_remote(struct resolving *r, const char *text, const char *source,
                            struct connection_string *ret_string, struct host *ret_host);

/* Takes all that a connection string has but its host. */
bool resolving_take_remote(struct resolving *r, const struct connection_string *string,
                           const char *source);

/* Both of these and the host: for a connection string that decides. */
bool resolving_ask_remote(struct resolving *r, const char *text, const char *source);

/* Where a value was said: the caller's words, else the flag. */
const char *resolving_or_flag(const char *source, const char *flag);

/* Reads the profile file and warns where others may read it. Fails where it is there but cannot
 * be used; *ret_cfg is NULL where it is missing. */
bool resolving_read_file(struct resolving *r, const struct databrickscfg **ret_cfg);

/* --- one workspace ----------------------------------------------------------------------- */

/* A layer that is asked. Owner: the caller; resolving_finish_sources(). */
struct source {
    const struct layer *layer; /* borrowed */
    char *name;                /* owned, of the layer as a whole: "profile P, ~/.databrickscfg:1" */
    bool admitted;             /* names no host, or the workspace's; set by resolving_ask() */
};

/* Asks layers in order: the first that names a host decides it if none is known, those that mean
 * another host are passed over, the others give what is missing. Between their attributes the
 * SDK's rules choose the credential. Fails where a value cannot be used. */
bool resolving_ask(struct resolving *r, struct source *sources, size_t count);
void resolving_finish_sources(struct source *sources, size_t count);

/* The first source that names a host decides it; false where another one means another. */
bool resolving_admit_host(struct resolving *r, const struct host *host, const char *source);

/* Notes that a source is for another host; `what` is of resolving_contents(). */
void resolving_pass_over(struct resolving *r, const char *name, const char *what,
                         const struct host *host);

/* What a source would have had to give: "has a token, but is". */
const char *resolving_contents(bool token, bool compute);

#endif
