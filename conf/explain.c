/* A resolution as JSON and as a table. */
#include "conf/explain.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/strbuf.h"
#include "conf/host.h"
#include "conf/printable.h"

/* --- JSON -------------------------------------------------------------------------------- */

static json_t *string_list(char *const *items, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, printable_json(items[i]));
    return list;
}

static void set_text(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, text != NULL ? printable_json(text) : json_null());
}

static json_t *host_json(const struct binding *binding)
{
    json_t *host = json_object();
    set_text(host, "value", binding->host);
    json_object_set_new(host, "port", json_integer(binding->port));
    set_text(host, "source", binding->host_source);
    return host;
}

static json_t *token_json(const struct binding *binding)
{
    if (!secret_is_set(&binding->token))
        return json_null();
    char fingerprint[SECRET_FINGERPRINT_SIZE];
    secret_fingerprint(&binding->token, fingerprint);
    json_t *token = json_object();
    set_text(token, "fingerprint", fingerprint);
    set_text(token, "source", binding->token_source);
    return token;
}

static json_t *cluster_json(const struct binding *binding)
{
    if (binding->cluster_id == NULL)
        return json_null();
    json_t *cluster = json_object();
    set_text(cluster, "value", binding->cluster_id);
    set_text(cluster, "source", binding->compute_source);
    return cluster;
}

static json_t *compute_json(const struct binding *binding)
{
    json_t *compute = json_object();
    set_text(compute, "kind", binding_compute_name(binding));
    set_text(compute, "source", binding->compute_source);
    return compute;
}

static json_t *headers_json(const struct binding *binding)
{
    json_t *headers = json_array();
    json_array_append_new(headers, json_string("authorization"));
    if (binding->compute == COMPUTE_CLUSTER)
        json_array_append_new(headers, json_string("x-databricks-cluster-id"));
    if (binding->compute == COMPUTE_SERVERLESS)
        json_array_append_new(headers, json_string("x-databricks-session-id"));
    for (size_t i = 0; i < binding->headers.count; i++)
        json_array_append_new(headers, printable_json(binding->headers.entries[i].name));
    return headers;
}

static void add_binding(json_t *object, const struct binding *binding)
{
    json_object_set_new(object, "host", host_json(binding));
    set_text(object, "auth_type", binding->auth_type);
    json_object_set_new(object, "token", token_json(binding));
    json_object_set_new(object, "cluster_id", cluster_json(binding));
    json_object_set_new(object, "serverless", json_boolean(binding->compute == COMPUTE_SERVERLESS));
    json_object_set_new(object, "compute", compute_json(binding));
    json_object_set_new(object, "headers", headers_json(binding));
}

static json_t *found_json(const struct binding *binding)
{
    json_t *found = json_object();
    if (binding->host != NULL)
        json_object_set_new(found, "host", host_json(binding));
    if (binding->auth_type != NULL)
        set_text(found, "auth_type", binding->auth_type);
    if (secret_is_set(&binding->token))
        json_object_set_new(found, "token", token_json(binding));
    if (binding->compute_source != NULL)
        json_object_set_new(found, "compute", compute_json(binding));
    return found;
}

static json_t *error_json(const struct resolve_result *result)
{
    json_t *error = json_object();
    set_text(error, "kind", result->error_kind);
    set_text(error, "message", result->err.message);
    json_object_set_new(error, "passed_over",
                        string_list(result->passed_over, result->passed_over_count));
    return error;
}

json_t *explain_json(const struct resolve_result *result)
{
    json_t *object = json_object();
    bool complete = result->binding != NULL;
    json_object_set_new(object, "complete", json_boolean(complete));
    if (complete) {
        add_binding(object, result->binding);
        json_object_set_new(object, "passed_over",
                            string_list(result->passed_over, result->passed_over_count));
    } else {
        json_object_set_new(object, "error", error_json(result));
        json_object_set_new(object, "found", found_json(result->found));
    }
    json_object_set_new(object, "shadowed", string_list(result->shadowed, result->shadowed_count));
    json_object_set_new(object, "warnings", string_list(result->warnings, result->warnings_count));
    return object;
}

/* --- table ------------------------------------------------------------------------------- */

enum { LABEL_WIDTH = 12, VALUE_WIDTH = 40 };

static void add_row(struct strbuf *table, const char *label, const char *value, const char *source)
{
    char *clean_value = printable_text(value);
    char *clean_source = printable_text(source != NULL ? source : "");
    if (source != NULL)
        strbuf_append_format(table, "%-*s%-*s  %s\n", LABEL_WIDTH, label, VALUE_WIDTH, clean_value,
                             clean_source);
    else
        strbuf_append_format(table, "%-*s%s\n", LABEL_WIDTH, label, clean_value);
    free(clean_value);
    free(clean_source);
}

static void add_notes(struct strbuf *table, const char *label, char *const *notes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_row(table, i == 0 ? label : "", notes[i], NULL);
}

/* The caller frees these; NULL where the value is not known. */
static char *shown_host(const struct binding *binding)
{
    return binding->host != NULL ? host_address(binding->host, binding->port) : NULL;
}

static char *shown_credential(const struct binding *binding)
{
    if (binding->auth_type == NULL)
        return NULL;
    if (!secret_is_set(&binding->token))
        return xstrdup(binding->auth_type);
    char fingerprint[SECRET_FINGERPRINT_SIZE];
    secret_fingerprint(&binding->token, fingerprint);
    return xasprintf("%s, fingerprint %s", binding->auth_type, fingerprint);
}

static char *shown_compute(const struct binding *binding)
{
    if (binding->compute_source == NULL)
        return NULL;
    if (binding->compute == COMPUTE_CLUSTER)
        return xasprintf("cluster %s", binding->cluster_id);
    return xstrdup(binding_compute_name(binding));
}

static char *shown_headers(const struct binding *binding)
{
    json_t *names = headers_json(binding), *name;
    struct strbuf text = {0};
    size_t i;
    json_array_foreach(names, i, name)
    {
        strbuf_append_format(&text, "%s%s", i > 0 ? ", " : "", json_string_value(name));
    }
    json_decref(names);
    return strbuf_take(&text);
}

/* Takes `value` over. */
static void add_value(struct strbuf *table, const char *label, char *value, const char *source)
{
    add_row(table, label, value != NULL ? value : "-", value != NULL ? source : "not known");
    free(value);
}

static void add_result(struct strbuf *table, const struct resolve_result *result)
{
    const struct binding *binding = result->binding != NULL ? result->binding : result->found;
    if (result->binding == NULL)
        add_row(table, "incomplete", result->err.message, NULL);
    add_value(table, "host", shown_host(binding), binding->host_source);
    add_value(table, "credential", shown_credential(binding), binding->token_source);
    add_value(table, "compute", shown_compute(binding), binding->compute_source);
    if (result->binding != NULL) {
        char *headers = shown_headers(binding);
        add_row(table, "headers", headers, NULL);
        free(headers);
        /* Where something is missing, the sentence of the error has them. */
        add_notes(table, "passed over", result->passed_over, result->passed_over_count);
    }
    add_notes(table, "shadowed", result->shadowed, result->shadowed_count);
    add_notes(table, "warning", result->warnings, result->warnings_count);
}

char *explain_table(const struct resolve_result *result)
{
    struct strbuf table = {0};
    add_result(&table, result);
    return strbuf_take(&table);
}

/* --- both resolutions -------------------------------------------------------------------- */

static bool same_headers(const struct binding *a, const struct binding *b)
{
    char *names_a = shown_headers(a), *names_b = shown_headers(b);
    bool same = strcmp(names_a, names_b) == 0;
    free(names_a);
    free(names_b);
    return same;
}

static bool same_compute(const struct binding *a, const struct binding *b)
{
    return a->compute == b->compute &&
           (a->compute != COMPUTE_CLUSTER || strcmp(a->cluster_id, b->cluster_id) == 0);
}

static json_t *differences(const struct resolve_result *one, const struct resolve_result *other)
{
    json_t *names = json_array();
    const struct binding *a = one->binding, *b = other->binding;
    if ((a == NULL) != (b == NULL)) {
        json_array_append_new(names, json_string("complete"));
        return names;
    }
    if (a == NULL) {
        if (strcmp(one->error_kind, other->error_kind) != 0)
            json_array_append_new(names, json_string("error"));
        return names;
    }
    const struct {
        const char *name;
        bool same;
    } parts[] = {
        {"host", strcmp(a->host, b->host) == 0},
        {"port", a->port == b->port},
        {"auth_type", strcmp(a->auth_type, b->auth_type) == 0},
        {"token", secret_equal(&a->token, &b->token)},
        {"compute", same_compute(a, b)},
        {"headers", same_headers(a, b)},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (!parts[i].same)
            json_array_append_new(names, json_string(parts[i].name));
    return names;
}

json_t *explain_compare_json(const struct resolve_result *documented,
                             const struct resolve_result *sdk)
{
    json_t *object = json_object();
    json_object_set_new(object, "documented", explain_json(documented));
    json_object_set_new(object, "sdk", explain_json(sdk));
    json_object_set_new(object, "differences", differences(documented, sdk));
    return object;
}

char *explain_compare_table(const struct resolve_result *documented,
                            const struct resolve_result *sdk)
{
    struct strbuf table = {0};
    json_t *names = differences(documented, sdk), *name;
    if (json_array_size(names) == 0) {
        strbuf_append_text(&table, "both resolutions agree\n\n");
        add_result(&table, documented);
    } else {
        strbuf_append_text(&table, "the resolutions differ in:");
        size_t i;
        json_array_foreach(names, i, name)
        {
            strbuf_append_format(&table, "%s %s", i > 0 ? "," : "", json_string_value(name));
        }
        strbuf_append_text(&table, "\n\nresolution: documented\n");
        add_result(&table, documented);
        strbuf_append_text(&table, "\nresolution: sdk (databricks-connect)\n");
        add_result(&table, sdk);
    }
    json_decref(names);
    return strbuf_take(&table);
}
