/* What may pass: the headers of requests and responses. */
#include <stdio.h>
#include <string.h>

#include "common/alloc.h"
#include "common/log.h"
#include "conf/header_names.h"
#include "daemon/policy.h"

/* What passes both ways, in every configuration. Of x-databricks-* these alone say nothing of who
 * calls and where to: databricks-connect counts the server's versions of its session, names its
 * operations, asks for the environment of its user's functions, and is told which usage policy
 * counted. Its choice of an organization and of whom to charge is the configuration's to allow. */
static const char *const passing[] = {
    "content-type",
    "user-agent",
    "accept-encoding",
    "grpc-*",
    "spark-connect-*",
    "traceparent",
    "tracestate",
    "baggage",
    "x-request-id",
    "x-databricks-last-seen-server-session-version",
    "x-databricks-operation-id",
    "x-databricks-client-image-version",
    "x-databricks-effective-usage-policy-id",
};

/* What a web front door adds for browsers: state, other places to go to, demands for a credential.
 * Any other name that is plain comes from a server that answers, and means nothing to a client that
 * does not look for it; servers may well have metadata of their own. */
static const char *const browsers_only[] = {
    "set-cookie",
    "set-cookie2",
    "alt-svc",
    "server",
    "via",
    "www-authenticate",
    "authentication-info",
    "strict-transport-security",
    "location",
    "refresh",
    "clear-site-data",
};

/* Of the known headers, those that pass by the rules here, and those that never do. */
static const uint32_t known_passing =
    KNOWN_BIT(KNOWN_CONTENT_TYPE) | KNOWN_BIT(KNOWN_USER_AGENT) | KNOWN_BIT(KNOWN_ACCEPT_ENCODING) |
    KNOWN_BIT(KNOWN_GRPC_TIMEOUT) | KNOWN_BIT(KNOWN_GRPC_ENCODING) |
    KNOWN_BIT(KNOWN_GRPC_ACCEPT_ENCODING) | KNOWN_BIT(KNOWN_GRPC_STATUS) |
    KNOWN_BIT(KNOWN_GRPC_MESSAGE);
static const uint32_t known_ours = KNOWN_BIT(KNOWN_TE) | KNOWN_BIT(KNOWN_HOST) |
                                   KNOWN_BIT(KNOWN_AUTHORIZATION) | KNOWN_BIT(KNOWN_CONTENT_LENGTH);

bool policy_passes(const struct policy *policy, const char *name, size_t len)
{
    enum header_class class = header_name_class(name, len);
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++)
        if (header_pattern_matches(passing[i], name, len, class))
            return true;
    for (size_t i = 0; i < policy->forward_headers.count; i++)
        if (header_pattern_matches(policy->forward_headers.items[i], name, len, class))
            return true;
    return false;
}

/* ---- requests -------------------------------------------------------------------------------- */

static bool was_reported(const struct policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->reported_count; i++)
        if (strcmp(policy->reported[i], name) == 0)
            return true;
    return false;
}

/* What is dropped by the rule, as a client's token is, is no news. */
static void report(struct policy *policy, const char *name, size_t len)
{
    char shown[64];
    if (policy->reported_count == POLICY_MAX_REPORTS || header_name_class(name, len) == HEADER_OURS)
        return;
    snprintf(shown, sizeof shown, "%s", name);
    if (was_reported(policy, shown))
        return;
    policy->reported[policy->reported_count++] = xstrdup(shown);
    log_fields(LOG_LEVEL_WARN, "a client's header is not forwarded", {"header", shown},
               {"listener", policy->listener},
               {"remedy", "list it in forward_headers, if the workspace is to get it"});
    if (policy->reported_count == POLICY_MAX_REPORTS)
        log_warn("listener %s: further headers that are not forwarded are not reported",
                 policy->listener);
}

void policy_filter_request(struct policy *policy, struct header_list *request)
{
    for (size_t i = request->count; i-- > 0;) {
        const struct header_field *field = &request->fields[i];
        const char *name = header_field_name(request, field);
        uint32_t known = KNOWN_BIT(field->known);
        bool ours = (known & known_ours) != 0;
        if (name[0] == ':' || (known & known_passing) != 0 ||
            (!ours && policy_passes(policy, name, field->name_len)))
            continue;
        if (!ours)
            report(policy, name, field->name_len);
        header_list_remove(request, i);
    }
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

/* Name and value are constants, or the binding's: they outlive the session. */
static nghttp2_nv lasting_field_of(const char *name, const char *value)
{
    return field_of(name, value, strlen(value),
                    NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE);
}

static nghttp2_nv text_field_of(const char *name, const char *value)
{
    return field_of(name, value, strlen(value), NGHTTP2_NV_FLAG_NO_COPY_NAME);
}

/* The binding outlives the session, so that nghttp2 need not copy what may be a secret. */
static nghttp2_nv secret_field_of(const char *name, const struct secret *secret)
{
    return field_of(name, secret->bytes, secret->len,
                    NGHTTP2_NV_FLAG_NO_INDEX | NGHTTP2_NV_FLAG_NO_COPY_NAME |
                        NGHTTP2_NV_FLAG_NO_COPY_VALUE);
}

size_t policy_request_fields(const struct policy_request *request, nghttp2_nv *ret_fields)
{
    const struct header_list *headers = request->headers;
    const struct binding *binding = request->binding;
    size_t n = 0;
    ret_fields[n++] = lasting_field_of(":method", "POST");
    ret_fields[n++] = lasting_field_of(":scheme", "https");
    ret_fields[n++] = text_field_of(":path", header_list_get(headers, KNOWN_PATH));
    ret_fields[n++] = lasting_field_of(":authority", request->authority);
    ret_fields[n++] = lasting_field_of("te", "trailers");
    for (size_t i = 0; i < headers->count; i++) {
        const char *name = header_field_name(headers, &headers->fields[i]);
        if (name[0] != ':' && metadata_find(&binding->headers, name) == NULL)
            ret_fields[n++] = header_field_nv(headers, &headers->fields[i]);
    }
    for (size_t i = 0; i < binding->headers.count; i++)
        ret_fields[n++] =
            secret_field_of(binding->headers.entries[i].name, &binding->headers.entries[i].value);
    if (binding->compute == COMPUTE_CLUSTER)
        ret_fields[n++] = lasting_field_of("x-databricks-cluster-id", binding->cluster_id);
    if (binding->compute == COMPUTE_SERVERLESS)
        ret_fields[n++] = text_field_of("x-databricks-session-id", request->session_id);
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

/* ---- responses ------------------------------------------------------------------------------- */

static bool response_passes(const struct policy *policy, const struct header_field *field,
                            const char *name)
{
    static const uint32_t harmless = known_passing | KNOWN_BIT(KNOWN_DATE);
    size_t len = field->name_len;
    if (name[0] == ':' || (KNOWN_BIT(field->known) & harmless) != 0)
        return true;
    if (header_name_class(name, len) != HEADER_PLAIN)
        return policy_passes(policy, name, len);
    for (size_t i = 0; i < sizeof browsers_only / sizeof browsers_only[0]; i++)
        if (name[0] == browsers_only[i][0] && strcmp(name, browsers_only[i]) == 0)
            return false;
    return name[0] != 'a' || strncmp(name, "access-control-", strlen("access-control-")) != 0;
}

size_t policy_response_fields(const struct policy *policy, const struct header_list *response,
                              nghttp2_nv *ret_fields)
{
    size_t n = 0;
    for (size_t i = 0; i < response->count; i++) {
        const struct header_field *field = &response->fields[i];
        if (response_passes(policy, field, header_field_name(response, field)))
            ret_fields[n++] = header_field_nv(response, field);
    }
    return n;
}
