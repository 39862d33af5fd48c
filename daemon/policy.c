/* What may pass: which requests are Spark Connect calls, and which headers go on. */
#include "daemon/policy.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char service_prefix[] = "/spark.connect.SparkConnectService/";

/* Set by the bridge, or meaningless behind it; compared with '_' read as '-'. */
static const char *const dropped_names[] = {
    "authorization", "proxy-authorization",     "authentication",          "cookie",
    "host",          "x-databricks-cluster-id", "x-databricks-session-id",
};

static bool is_method_name(const char *text)
{
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++)
        if (!isascii((unsigned char)*text) || !isalpha((unsigned char)*text))
            return false;
    return true;
}

/* Conformance suites bring services of their own. Only builds that check themselves, which nobody
 * installs, can be opened for them. */
static bool any_path_is_allowed(void)
{
#ifdef SPARKBRIDGE_CHECKS
    return getenv("SPARKBRIDGE_TEST_ANY_PATH") != NULL;
#else
    return false;
#endif
}

enum policy_verdict policy_check(const struct header_list *request, struct rpc_status *ret_status)
{
    const char *method = header_list_find(request, ":method");
    const char *type = header_list_find(request, "content-type");
    if (method == NULL || strcmp(method, "POST") != 0 || type == NULL ||
        strncmp(type, "application/grpc", strlen("application/grpc")) != 0)
        return POLICY_NOT_GRPC;

    const char *path = header_list_find(request, ":path");
    if (path != NULL && strcmp(path, "/grpc.health.v1.Health/Check") == 0)
        return POLICY_HEALTH_CHECK;
    if (path != NULL && strcmp(path, "/grpc.health.v1.Health/Watch") == 0)
        return POLICY_HEALTH_WATCH;
    if (any_path_is_allowed() && path != NULL)
        return POLICY_FORWARD;
    if (path == NULL || strncmp(path, service_prefix, strlen(service_prefix)) != 0 ||
        !is_method_name(path + strlen(service_prefix))) {
        rpc_status_set(ret_status, GRPC_UNIMPLEMENTED, "NOT_SPARK_CONNECT",
                       "sparkbridge: only spark.connect.SparkConnectService is served here, not "
                       "%.120s",
                       path != NULL ? path : "a call without a path");
        return POLICY_REFUSE;
    }
    if (request->too_large) {
        rpc_status_set(ret_status, GRPC_RESOURCE_EXHAUSTED, "HEADERS_TOO_LARGE",
                       "sparkbridge: the call's metadata has more than %zu bytes or %d fields",
                       request->max_bytes, HEADER_LIST_MAX_FIELDS);
        return POLICY_REFUSE;
    }
    return POLICY_FORWARD;
}

const char *policy_method(const struct header_list *request)
{
    const char *path = header_list_find(request, ":path");
    bool ours = strncmp(path, service_prefix, strlen(service_prefix)) == 0;
    return ours ? path + strlen(service_prefix) : path;
}

static bool name_equal(const char *name, size_t len, const char *dropped)
{
    if (strlen(dropped) != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((name[i] == '_' ? '-' : tolower((unsigned char)name[i])) != dropped[i])
            return false;
    return true;
}

static bool is_dropped(const struct header_list *list, const struct header_field *field,
                       const struct metadata *ours)
{
    const char *name = header_field_name(list, field);
    for (size_t i = 0; i < sizeof dropped_names / sizeof dropped_names[0]; i++)
        if (name_equal(name, field->name_len, dropped_names[i]))
            return true;
    for (size_t i = 0; i < ours->count; i++)
        if (name_equal(name, field->name_len, ours->entries[i].name))
            return true;
    return false;
}

static nghttp2_nv field_of(const char *name, const char *value, size_t value_len, uint8_t flags)
{
    return (nghttp2_nv){
        .name = (uint8_t *)name,
        .namelen = strlen(name),
        .value = (uint8_t *)value,
        .valuelen = value_len,
        .flags = flags,
    };
}

/* The binding outlives the session, so that nghttp2 need not copy what may be a secret. */
static nghttp2_nv secret_field_of(const char *name, const struct secret *secret)
{
    return field_of(name, secret->bytes, secret->len,
                    NGHTTP2_NV_FLAG_NO_INDEX | NGHTTP2_NV_FLAG_NO_COPY_VALUE);
}

size_t policy_request_fields(const struct policy_request *request, nghttp2_nv *ret_fields)
{
    const struct header_list *headers = request->headers;
    const struct binding *binding = request->binding;
    const char *path = header_list_find(headers, ":path");
    size_t n = 0;
    ret_fields[n++] = field_of(":method", "POST", 4, 0);
    ret_fields[n++] = field_of(":scheme", "https", 5, 0);
    ret_fields[n++] = field_of(":path", path, strlen(path), 0);
    ret_fields[n++] = field_of(":authority", request->authority, strlen(request->authority), 0);
    for (size_t i = 0; i < headers->count; i++) {
        const struct header_field *field = &headers->fields[i];
        if (header_field_name(headers, field)[0] != ':' &&
            !is_dropped(headers, field, &binding->headers))
            ret_fields[n++] = header_field_nv(headers, field);
    }
    for (size_t i = 0; i < binding->headers.count; i++)
        ret_fields[n++] =
            secret_field_of(binding->headers.entries[i].name, &binding->headers.entries[i].value);
    if (binding->compute == COMPUTE_CLUSTER)
        ret_fields[n++] = field_of("x-databricks-cluster-id", binding->cluster_id,
                                   strlen(binding->cluster_id), 0);
    if (binding->compute == COMPUTE_SERVERLESS)
        ret_fields[n++] = field_of("x-databricks-session-id", request->session_id,
                                   strlen(request->session_id), 0);
    if (secret_is_set(&binding->authorization))
        ret_fields[n++] = secret_field_of("authorization", &binding->authorization);
    return n;
}

void policy_authority(const struct binding *binding, char *ret_text, size_t size)
{
    bool v6 = strchr(binding->host, ':') != NULL;
    char port[8] = "";
    if (binding->port != 443)
        snprintf(port, sizeof port, ":%u", binding->port);
    snprintf(ret_text, size, "%s%s%s%s", v6 ? "[" : "", binding->host, v6 ? "]" : "", port);
}

size_t policy_response_fields(const struct header_list *response, nghttp2_nv *ret_fields)
{
    for (size_t i = 0; i < response->count; i++)
        ret_fields[i] = header_field_nv(response, &response->fields[i]);
    return response->count;
}
