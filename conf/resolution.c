/* A resolution under way: taking values, noting what they hide, and ending. */
#include "conf/resolution.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/token_shape.h"
#include "conf/environment.h"
#include "conf/stray_parameter.h"
#include "conf/token_expiry.h"

static char *__attribute__((format(printf, 1, 0))) format_note(const char *format, va_list args)
{
    struct err line; /* notes are as long as errors at most */
    vsnprintf(line.message, sizeof line.message, format, args);
    return xstrdup(line.message);
}

/* --- the end, good or bad ---------------------------------------------------------------- */

bool resolving_fail(struct resolving *r, const char *kind, const char *format, ...)
{
    struct err err;
    va_list args;
    va_start(args, format);
    char *text = format_note(format, args);
    va_end(args);
    err_set(&err, EX_CONFIG, "%s", text);
    free(text);
    return resolving_fail_err(r, kind, &err);
}

bool resolving_fail_err(struct resolving *r, const char *kind, const struct err *err)
{
    r->result->error_kind = kind;
    r->result->err = *err;
    return false;
}

bool resolving_fail_token_for_profile(struct resolving *r, const char *said_by)
{
    return resolving_fail(r, "profile",
                          "%s: it looks like an access token, not like the name of a profile: "
                          "a token belongs into --token-file, DATABRICKS_TOKEN or the key token of "
                          "a profile",
                          said_by);
}

bool resolving_has_credential(const struct resolving *r)
{
    return r->result->auth_type != NULL;
}

bool resolving_is_complete(const struct resolving *r)
{
    return r->host.name != NULL && resolving_has_credential(r) && r->compute_known;
}

/* "; passed over: A; B", or nothing. */
static void append_passed_over(const struct resolving *r, struct strbuf *text)
{
    for (size_t i = 0; i < r->result->passed_over_count; i++)
        strbuf_append_format(text, "%s%s", i == 0 ? "; passed over: " : "; ",
                             r->result->passed_over[i]);
}

static void append_hints(const struct resolving *r, const char *kind, struct strbuf *text)
{
    if (strcmp(kind, "host") == 0) {
        resolving_hint_at_file(r, text);
        resolving_hint_at_key(r, ATTR_HOST, text);
    } else if (strcmp(kind, "credential") == 0) {
        resolving_hint_at_key(r, ATTR_TOKEN, text);
    } else {
        resolving_hint_at_key(r, ATTR_CLUSTER_ID, text);
        resolving_hint_at_key(r, ATTR_SERVERLESS_COMPUTE_ID, text);
    }
}

static bool fail_missing(struct resolving *r, const char *kind, const char *sentence)
{
    struct strbuf text = {.limit = sizeof r->result->err.message};
    strbuf_append_text(&text, sentence);
    append_hints(r, kind, &text);
    append_passed_over(r, &text);
    resolving_fail(r, kind, "%s", strbuf_text(&text));
    strbuf_finish(&text);
    return false;
}

static bool fail_method(struct resolving *r)
{
    return resolving_fail(r, "auth",
                          "the method %s is chosen for %s (by %s), but this version of sparkbridge "
                          "supports personal access tokens only: give a token, and auth_type = pat "
                          "where both are configured",
                          r->result->auth_type, r->host.name, r->binding->token_source);
}

/* An auth_type of one source may find what it asks for in a later one, so that only the end tells
 * whether it was in vain. */
static void note_unmet_method(struct resolving *r)
{
    const char *method = secret_is_set(&r->unmet.value) ? r->unmet.value.bytes : NULL;
    if (method == NULL ||
        (resolving_has_credential(r) && strcmp(r->result->auth_type, method) == 0))
        return;
    resolving_passed_over(r, "%s asks for the method %.64s, %s", r->unmet.source, method,
                          auth_method_exists(method) ? "whose settings are not there"
                                                     : "which the SDK does not know");
}

bool resolving_end(struct resolving *r)
{
    note_unmet_method(r);
    if (r->host.name == NULL)
        return fail_missing(r, "host",
                            "no source names a workspace: give --host or --remote, set "
                            "DATABRICKS_HOST, or name a profile with --profile");
    char sentence[512];
    if (!resolving_has_credential(r)) {
        snprintf(sentence, sizeof sentence,
                 "no source has a credential for %.255s (%.100s): give --token-file, set "
                 "DATABRICKS_TOKEN, or add a token to the profile",
                 r->host.name, r->binding->host_source);
        return fail_missing(r, "credential", sentence);
    }
    if (strcmp(r->result->auth_type, "pat") != 0)
        return fail_method(r);
    if (!r->compute_known) {
        snprintf(sentence, sizeof sentence,
                 "no source names a compute on %.255s: give --cluster-id or --serverless, or set "
                 "DATABRICKS_CLUSTER_ID (a server that is not Databricks needs --no-compute)",
                 r->host.name);
        return fail_missing(r, "compute", sentence);
    }
    return true;
}

/* --- notes for people -------------------------------------------------------------------- */

/* Takes `note` over. */
static void add_note(char ***notes, size_t *count, char *note)
{
    token_shape_hide(note);
    for (size_t i = 0; i < *count; i++) {
        if (strcmp((*notes)[i], note) == 0) {
            free(note);
            return;
        }
    }
    if (*count >= RESOLVE_MAX_NOTES) {
        free(note);
        return;
    }
    *notes = xrealloc(*notes, (*count + 1) * sizeof(*notes)[0]);
    (*notes)[(*count)++] = note;
}

void resolving_passed_over(struct resolving *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_note(&r->result->passed_over, &r->result->passed_over_count, format_note(format, args));
    va_end(args);
}

void resolving_warn(struct resolving *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_note(&r->result->warnings, &r->result->warnings_count, format_note(format, args));
    va_end(args);
}

void resolving_shadowed(struct resolving *r, const char *what, const char *source,
                        const char *winner)
{
    if (strcmp(source, winner) != 0)
        add_note(&r->result->shadowed, &r->result->shadowed_count,
                 xasprintf("%s: %s, hidden by %s", what, source, winner));
}

/* --- taking values ----------------------------------------------------------------------- */

/* Both travel in a header: gRPC's ASCII-Value, without white space around it. What is wrong with
 * the value, NULL where nothing is. */
static const char *header_value_fault(const struct secret *value)
{
    if (value->len == 0)
        return "it is empty";
    if (value->len > RESOLVE_MAX_SECRET_BYTES)
        return "it is longer than 64 KiB";
    if (value->bytes[0] == ' ' || value->bytes[value->len - 1] == ' ')
        return "it has a space around it";
    for (size_t i = 0; i < value->len; i++)
        if (value->bytes[i] < 0x20 || value->bytes[i] > 0x7e)
            return "it has a line break, a control character or one beyond ASCII";
    return NULL;
}

void resolving_take_host(struct resolving *r, const struct host *host, const char *source)
{
    if (r->host.name != NULL) {
        resolving_shadowed(r, "host", source, r->binding->host_source);
        return;
    }
    host_copy(&r->host, host);
    r->binding->host = xstrdup(host->name);
    r->binding->port = host->port;
    r->binding->host_source = xstrdup(source);
    if (host->plain_http)
        resolving_warn(r,
                       "%s says http://, but sparkbridge speaks to a workspace over verified TLS "
                       "only (port %u): write https://",
                       source, (unsigned)host->port);
}

void resolving_take_method(struct resolving *r, const char *method, const char *source)
{
    r->result->auth_type = xstrdup(method);
    r->binding->auth_type = xstrdup(method);
    r->binding->token_source = xstrdup(source);
}

bool resolving_take_token(struct resolving *r, const struct secret *token, const char *source)
{
    if (resolving_has_credential(r)) {
        resolving_shadowed(r, "token", source, r->binding->token_source);
        return true;
    }
    const char *fault = header_value_fault(token);
    if (fault != NULL)
        return resolving_fail(r, "credential", "%s: this is no token: %s", source, fault);
    resolving_take_method(r, "pat", source);
    secret_set(&r->binding->token, token->bytes, token->len);
    secret_set_prefixed(&r->binding->authorization, "Bearer ", token);
    redaction_begin(&r->binding->redaction, token);
    r->binding->token_expires = token_expiry(token);
    return true;
}

bool resolving_take_cluster(struct resolving *r, const struct secret *cluster_id,
                            const char *source)
{
    if (r->compute_known) {
        resolving_shadowed(r, "cluster id", source, r->binding->compute_source);
        return true;
    }
    const char *fault = header_value_fault(cluster_id);
    if (fault == NULL && token_shape_in(cluster_id->bytes))
        fault =
            "it looks like an access token, which belongs into --token-file, DATABRICKS_TOKEN or "
            "the key token of a profile";
    if (fault != NULL)
        return resolving_fail(r, "compute", "%s: this is no cluster id: %s", source, fault);
    r->binding->compute = COMPUTE_CLUSTER;
    r->binding->cluster_id = xstrdup(cluster_id->bytes);
    r->binding->compute_source = xstrdup(source);
    r->compute_known = true;
    return true;
}

void resolving_take_serverless(struct resolving *r, const char *source)
{
    if (r->compute_known) {
        resolving_shadowed(r, "serverless", source, r->binding->compute_source);
        return;
    }
    r->binding->compute = COMPUTE_SERVERLESS;
    r->binding->compute_source = xstrdup(source);
    r->compute_known = true;
}

void resolving_add_header(struct resolving *r, const char *name, const struct secret *value)
{
    if (metadata_find(&r->binding->headers, name) == NULL && header_value_fault(value) == NULL)
        metadata_append(&r->binding->headers, name, value->bytes, value->len);
}

void resolving_add_layer_headers(struct resolving *r, const struct layer *layer)
{
    const struct setting *workspace = layer_value(layer, ATTR_WORKSPACE_ID);
    if (workspace != NULL)
        resolving_add_header(r, HEADER_ORG_ID, &workspace->value);
}

void resolving_add_usage_policy(struct resolving *r)
{
    const char *policy = environment_get(r->request->environment, "DATABRICKS_USAGE_POLICY_ID");
    if (policy == NULL || !r->environment_counts || r->binding->compute != COMPUTE_SERVERLESS)
        return;
    struct secret value = {0};
    secret_set(&value, policy, strlen(policy));
    resolving_add_header(r, HEADER_POLICY_ID, &value);
    secret_finish(&value);
}

/* --- sources ----------------------------------------------------------------------------- */

bool resolving_parse_remote(struct resolving *r, const char *text, const char *source,
                            struct connection_string *ret_string, struct host *ret_host)
{
    struct err err;
    if (!connection_string_parse(text, ret_string, &err)) {
        err_prefix(&err, "%s: ", source);
        return resolving_fail_err(r, "connection string", &err);
    }
    if (ret_string->use_ssl_given && !ret_string->use_ssl) {
        connection_string_finish(ret_string);
        resolving_fail(r, "connection string",
                       "%s: it says use_ssl=false, but sparkbridge speaks to a workspace over "
                       "verified TLS only: remove it",
                       source);
        return false;
    }
    *ret_host = (struct host){
        .name = xstrdup(ret_string->host),
        .port = ret_string->port,
        .port_given = ret_string->port_given,
    };
    if (!ret_host->port_given && host_is_databricks(ret_host->name))
        resolving_warn(r,
                       "%s names no port, which means Spark's %d, but a Databricks workspace "
                       "listens on 443: write sc://%s:443/",
                       source, CONNECTION_STRING_DEFAULT_PORT, ret_host->name);
    return true;
}

static void take_header(struct resolving *r, const struct metadata_entry *entry, const char *source)
{
    const char *meant = stray_parameter_meant(entry->name);
    if (meant != NULL)
        resolving_warn(r, "%s: %.64s is sent to the workspace as a header; did you mean %s?",
                       source, entry->name, meant);
    resolving_add_header(r, entry->name, &entry->value);
}

static void note_client_params(struct resolving *r, const struct connection_string *string,
                               const char *source)
{
    struct strbuf names = {0};
    for (size_t i = 0; i < string->client_param_count; i++)
        strbuf_append_format(&names, "%s%s", i > 0 ? ", " : "", string->client_params[i]);
    if (names.len > 0)
        resolving_passed_over(r, "%s of %s: the client's own counts", strbuf_text(&names), source);
    strbuf_finish(&names);
}

bool resolving_take_remote(struct resolving *r, const struct connection_string *string,
                           const char *source)
{
    const struct metadata_entry *cluster = metadata_find(&string->headers, HEADER_CLUSTER_ID);
    const struct metadata_entry *session = metadata_find(&string->headers, HEADER_SESSION_ID);
    if (!r->compute_known && cluster != NULL && session != NULL)
        return resolving_fail(r, "both",
                              "%s has both %s and %s: remove the one of the compute that is not "
                              "meant",
                              source, HEADER_CLUSTER_ID, HEADER_SESSION_ID);
    if (secret_is_set(&string->token) && !resolving_take_token(r, &string->token, source))
        return false;
    if (cluster != NULL && !resolving_take_cluster(r, &cluster->value, source))
        return false;
    if (session != NULL)
        resolving_take_serverless(r, source);
    for (size_t i = 0; i < string->headers.count; i++) {
        const struct metadata_entry *entry = &string->headers.entries[i];
        if (entry != cluster && entry != session)
            take_header(r, entry, source);
    }
    note_client_params(r, string, source);
    return true;
}

bool resolving_ask_remote(struct resolving *r, const char *text, const char *source)
{
    struct connection_string string;
    struct host host;
    if (!resolving_parse_remote(r, text, source, &string, &host))
        return false;
    resolving_take_host(r, &host, source);
    bool ok = resolving_take_remote(r, &string, source);
    host_finish(&host);
    connection_string_finish(&string);
    return ok;
}

const char *resolving_or_flag(const char *source, const char *flag)
{
    return source != NULL ? source : flag;
}

bool resolving_read_file(struct resolving *r, const struct databrickscfg **ret_cfg)
{
    *ret_cfg = NULL;
    switch (profile_file_read(&r->file)) {
    case CFG_MISSING:
        /* There need not be one at the usual place; without a host the error says that there is
         * none. */
        if (r->file.is_named || (r->file.path == NULL && r->host.name != NULL))
            resolving_warn(r, "%s", r->file.err.message);
        return true;
    case CFG_FAILED: return resolving_fail_err(r, "profile", &r->file.err);
    case CFG_LOADED: break;
    }
    *ret_cfg = r->file.cfg;
    if (r->file.cfg->readable_by_others)
        resolving_warn(r, "%s may be read by other users: chmod 600 %s", r->file.shown,
                       r->file.shown);
    return true;
}
