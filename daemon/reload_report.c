/* What a reload changed, for the log. */
#include "daemon/reload_report.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/strbuf.h"

enum { NUMBER_SIZE = 24 };

/* Where differences are being looked for, and how many were found. */
struct report {
    const char *listener; /* NULL: they are of the whole daemon */
    unsigned found;
};

static const char *or_none(const char *text)
{
    return text != NULL ? text : "none";
}

static void note(struct report *report, const char *key, const char *before, const char *after)
{
    report->found++;
    if (report->listener != NULL)
        log_fields(LOG_LEVEL_INFO, "changed", {"listener", report->listener}, {"key", key},
                   {"from", before}, {"to", after});
    else
        log_fields(LOG_LEVEL_INFO, "changed", {"key", key}, {"from", before}, {"to", after});
}

static void compare_text(struct report *report, const char *key, const char *before,
                         const char *after)
{
    if (strcmp(or_none(before), or_none(after)) != 0)
        note(report, key, or_none(before), or_none(after));
}

static void compare_number(struct report *report, const char *key, size_t before, size_t after)
{
    char from[NUMBER_SIZE], to[NUMBER_SIZE];
    if (before == after)
        return;
    snprintf(from, sizeof from, "%zu", before);
    snprintf(to, sizeof to, "%zu", after);
    note(report, key, from, to);
}

static void fingerprint(const struct secret *secret, char ret_text[SECRET_FINGERPRINT_SIZE])
{
    snprintf(ret_text, SECRET_FINGERPRINT_SIZE, "none");
    if (secret_is_set(secret))
        secret_fingerprint(secret, ret_text);
}

static void compare_secret(struct report *report, const char *key, const struct secret *before,
                           const struct secret *after)
{
    char from[SECRET_FINGERPRINT_SIZE], to[SECRET_FINGERPRINT_SIZE];
    fingerprint(before, from);
    fingerprint(after, to);
    compare_text(report, key, from, to);
}

static const char *compute_text(const struct binding *binding)
{
    return binding->compute == COMPUTE_CLUSTER ? binding->cluster_id
                                               : binding_compute_name(binding);
}

/* Further headers are compared by name and value together: either may be what changed. */
static void compare_headers(struct report *report, const struct metadata *before,
                            const struct metadata *after)
{
    for (size_t i = 0; i < before->count || i < after->count; i++) {
        const struct metadata_entry *from = i < before->count ? &before->entries[i] : NULL;
        const struct metadata_entry *to = i < after->count ? &after->entries[i] : NULL;
        if (from != NULL && to != NULL && strcmp(from->name, to->name) == 0)
            compare_secret(report, from->name, &from->value, &to->value);
        else
            compare_text(report, "header", from != NULL ? from->name : NULL,
                         to != NULL ? to->name : NULL);
    }
}

static void compare_bindings(struct report *report, const struct binding *before,
                             const struct binding *after)
{
    compare_text(report, "host", before->host, after->host);
    compare_number(report, "port", before->port, after->port);
    compare_text(report, "compute", compute_text(before), compute_text(after));
    compare_text(report, "auth_type", before->auth_type, after->auth_type);
    compare_secret(report, "token_sha256", &before->token, &after->token);
    compare_headers(report, &before->headers, &after->headers);
}

static bool has_address(const struct listener_config *listener, const char *text)
{
    for (size_t i = 0; i < listener->address_count; i++)
        if (strcmp(listener->addresses[i].text, text) == 0)
            return true;
    return false;
}

static void compare_addresses(struct report *report, const struct listener_config *before,
                              const struct listener_config *after)
{
    for (size_t i = 0; i < before->address_count; i++)
        if (!has_address(after, before->addresses[i].text))
            note(report, "listen", before->addresses[i].text, "none");
    for (size_t i = 0; i < after->address_count; i++)
        if (!has_address(before, after->addresses[i].text))
            note(report, "listen", "none", after->addresses[i].text);
    if (before->socket_mode != after->socket_mode) {
        log_warn("listener %s: a new socket mode counts for sockets that are made from now on; "
                 "restart to change those that are there",
                 after->name);
        report->found++;
    }
}

static void join(const struct config_words *words, struct strbuf *out)
{
    for (size_t i = 0; i < words->count; i++)
        strbuf_append_format(out, "%s%s", i > 0 ? " " : "", words->items[i]);
}

static void compare_words(struct report *report, const char *key, const struct config_words *before,
                          const struct config_words *after)
{
    struct strbuf from = {0}, to = {0};
    join(before, &from);
    join(after, &to);
    compare_text(report, key, before->count > 0 ? strbuf_text(&from) : NULL,
                 after->count > 0 ? strbuf_text(&to) : NULL);
    strbuf_finish(&from);
    strbuf_finish(&to);
}

static void compare_policies(struct report *report, const struct policy *before,
                             const struct policy *after)
{
    compare_words(report, "authorities", &before->authorities, &after->authorities);
    compare_words(report, "forward_headers", &before->forward_headers, &after->forward_headers);
    compare_secret(report, "client_secret_sha256", &before->client_secret, &after->client_secret);
}

/* What each user gets is compared by the pools, as there may be many. */
static void compare_accesses(struct report *report, const struct access *before,
                             const struct access *after)
{
    const struct binding *from = access_binding(before), *to = access_binding(after);
    compare_policies(report, access_policy(before), access_policy(after));
    if (!peer_policy_equal(access_peers(before), access_peers(after))) {
        log_info("listener %s: other users or profiles; its clients connect again",
                 report->listener);
        report->found++;
    }
    if (from != NULL && to != NULL) {
        compare_bindings(report, from, to);
    } else if (!access_is_same(after)) {
        log_info("listener %s: users' profiles have other content; their calls that begin now use "
                 "it",
                 report->listener);
        report->found++;
    }
}

static void compare_limits(struct report *report, const struct client_limits *before,
                           const struct client_limits *after)
{
    compare_number(report, "limits.connections", before->connections, after->connections);
    compare_number(report, "limits.connections_per_user", before->connections_per_user,
                   after->connections_per_user);
    compare_number(report, "limits.calls", before->calls, after->calls);
    compare_number(report, "limits.calls_per_user", before->calls_per_user, after->calls_per_user);
    compare_number(report, "limits.calls_per_connection", before->calls_per_connection,
                   after->calls_per_connection);
    compare_number(report, "limits.header_bytes", before->header_bytes, after->header_bytes);
    compare_number(report, "limits.buffer_bytes", before->buffer_bytes, after->buffer_bytes);
    compare_number(report, "preface_timeout_ms", before->preface_ms, after->preface_ms);
    compare_number(report, "headers_timeout_ms", before->headers_ms, after->headers_ms);
}

/* The sandbox cannot be left, and the control socket is made once. */
static void warn_of_restart(struct report *report, const char *key, bool is_same)
{
    if (is_same)
        return;
    log_warn("%s: a change needs a restart; until then what was there at the start counts", key);
    report->found++;
}

/* Not said is not the same as "none". */
static bool text_equal(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool words_equal(const struct config_words *a, const struct config_words *b)
{
    bool equal = a->count == b->count;
    for (size_t i = 0; equal && i < a->count; i++)
        equal = strcmp(a->items[i], b->items[i]) == 0;
    return equal;
}

static void compare_fixed(struct report *report, const struct config *before,
                          const struct config *after)
{
    warn_of_restart(report, "security.sandbox", before->sandbox == after->sandbox);
    warn_of_restart(report, "security.sandbox_read",
                    words_equal(&before->sandbox_read, &after->sandbox_read));
    warn_of_restart(report, "control.listen", text_equal(before->control, after->control));
}

static void compare_globals(struct report *report, const struct config *before,
                            const struct config *after)
{
    compare_text(report, "ca_file", before->ca_file, after->ca_file);
    compare_text(report, "client_cert", before->client_cert, after->client_cert);
    compare_text(report, "client_key", before->client_key, after->client_key);
    compare_secret(report, "proxy_sha256", &before->proxy.url, &after->proxy.url);
    compare_text(report, "no_proxy", before->proxy.no_proxy, after->proxy.no_proxy);
    compare_number(report, "connect_timeout_ms", before->connect_timeout_ms,
                   after->connect_timeout_ms);
    compare_number(report, "drain_timeout_ms", before->drain_timeout_ms, after->drain_timeout_ms);
    compare_number(report, "idle_exit_ms", before->idle_exit_ms, after->idle_exit_ms);
    compare_number(report, "stream_window_bytes", before->stream_window_bytes,
                   after->stream_window_bytes);
    compare_limits(report, &before->limits, &after->limits);
    compare_text(report, "log_level", log_level_text(before->log_level),
                 log_level_text(after->log_level));
    compare_text(report, "log_format", log_lines_text(before->log_lines),
                 log_lines_text(after->log_lines));
}

/* Index of the listener of that name; listener_count where there is none. */
static size_t find_listener(const struct config *config, const char *name)
{
    size_t i = 0;
    while (i < config->listener_count && strcmp(config->listeners[i].name, name) != 0)
        i++;
    return i;
}

void reload_report(const struct setup *before, const struct setup *after)
{
    struct report report = {0};
    compare_globals(&report, before->config, after->config);
    compare_fixed(&report, before->config, after->config);
    for (size_t i = 0; i < after->config->listener_count; i++) {
        const struct listener_config *listener = &after->config->listeners[i];
        size_t old = find_listener(before->config, listener->name);
        report.listener = listener->name;
        if (old == before->config->listener_count) {
            log_info("listener %s: new", listener->name);
            report.found++;
            continue;
        }
        compare_addresses(&report, &before->config->listeners[old], listener);
        compare_text(&report, "via", before->config->listeners[old].via, listener->via);
        compare_accesses(&report, before->accesses[old], after->accesses[i]);
    }
    for (size_t i = 0; i < before->config->listener_count; i++) {
        const char *name = before->config->listeners[i].name;
        if (find_listener(after->config, name) < after->config->listener_count)
            continue;
        log_info("listener %s: removed; its clients may finish", name);
        report.found++;
    }
    if (report.found == 0)
        log_info("nothing has changed");
}
