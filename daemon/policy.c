/* What may pass: which requests are Spark Connect calls of a client that is welcome. */
#include "daemon/policy.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "conf/authority.h"

static const char service_prefix[] = "/spark.connect.SparkConnectService/";

/* ---- life ------------------------------------------------------------------------------------ */

static void words_copy(struct config_words *to, const struct config_words *from)
{
    for (to->count = 0; to->count < from->count; to->count++)
        to->items[to->count] = xstrdup(from->items[to->count]);
}

struct policy *policy_create(const struct listener_config *listener, struct secret *client_secret)
{
    struct policy *policy = xcalloc(1, sizeof *policy);
    policy->listener = xstrdup(listener->name);
    words_copy(&policy->authorities, &listener->authorities);
    words_copy(&policy->forward_headers, &listener->forward_headers);
    if (secret_is_set(client_secret))
        secret_set_prefixed(&policy->client_secret, "Bearer ", client_secret);
    secret_finish(client_secret);
    return policy;
}

void policy_destroy(struct policy *policy)
{
    if (policy == NULL)
        return;
    free(policy->listener);
    config_words_finish(&policy->authorities);
    config_words_finish(&policy->forward_headers);
    secret_finish(&policy->client_secret);
    while (policy->reported_count > 0)
        free(policy->reported[--policy->reported_count]);
    free(policy);
}

/* ---- requests -------------------------------------------------------------------------------- */

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

bool policy_is_grpc_type(const char *content_type)
{
    static const char grpc[] = "application/grpc";
    if (content_type == NULL || strncmp(content_type, grpc, strlen(grpc)) != 0)
        return false;
    char next = content_type[strlen(grpc)];
    return next == '\0' || next == '+' || next == ';';
}

static bool is_grpc(const struct header_list *request)
{
    const char *method = header_list_get(request, KNOWN_METHOD);
    return method != NULL && strcmp(method, "POST") == 0 &&
           policy_is_grpc_type(header_list_get(request, KNOWN_CONTENT_TYPE));
}

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* What browsers add to what a page makes them send. Names are in lower case here: nghttp2 lets no
 * others through. */
static bool is_a_browsers(const char *name)
{
    if (strchr("ocrsa", name[0]) == NULL)
        return false; /* most are told by their first letter */
    return strcmp(name, "origin") == 0 || strcmp(name, "cookie") == 0 ||
           strcmp(name, "referer") == 0 || begins_with(name, "sec-fetch-") ||
           begins_with(name, "access-control-");
}

/* The known headers that are there, and those that are there more than once. */
struct seen {
    uint32_t once, twice;
};

static struct seen see(const struct header_list *list)
{
    struct seen seen = {0};
    for (size_t i = 0; i < list->count; i++) {
        uint32_t bit = KNOWN_BIT(list->fields[i].known);
        seen.twice |= seen.once & bit;
        seen.once |= bit;
    }
    return seen;
}

/* Is the request what a gRPC library makes, and nothing else? */
static bool check_form(const struct header_list *request, struct rpc_status *ret_status)
{
    /* Two of these could be read one way here and another way behind us. */
    static const uint32_t once = KNOWN_BIT(KNOWN_CONTENT_TYPE) | KNOWN_BIT(KNOWN_TE) |
                                 KNOWN_BIT(KNOWN_GRPC_TIMEOUT) | KNOWN_BIT(KNOWN_GRPC_ENCODING) |
                                 KNOWN_BIT(KNOWN_USER_AGENT);
    const struct seen seen = see(request);
    for (size_t i = 0; i < request->count; i++) {
        const struct header_field *field = &request->fields[i];
        const char *name = header_field_name(request, field);
        if (field->known == KNOWN_NONE && is_a_browsers(name)) {
            rpc_status_set(ret_status, GRPC_PERMISSION_DENIED, "BROWSER",
                           "sparkbridge: calls of web pages are refused (the request has the "
                           "header %.40s)",
                           name);
            return false;
        }
    }
    for (size_t i = 0; (seen.twice & once) != 0 && i < request->count; i++) {
        const struct header_field *field = &request->fields[i];
        if ((KNOWN_BIT(field->known) & seen.twice & once) != 0) {
            rpc_status_set(ret_status, GRPC_INVALID_ARGUMENT, "HEADER_TWICE",
                           "sparkbridge: the request has the header %s twice",
                           header_field_name(request, field));
            return false;
        }
    }
    if ((seen.once & KNOWN_BIT(KNOWN_TE)) == 0) {
        rpc_status_set(ret_status, GRPC_INVALID_ARGUMENT, "NO_TE",
                       "sparkbridge: the request lacks `te: trailers`, which gRPC demands; a "
                       "proxy in front of this port may have taken it away");
        return false;
    }
    return true;
}

static bool is_loopback(const char *host)
{
    struct in_addr v4;
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
           (inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127);
}

static bool is_known_authority(struct policy *policy, const char *text)
{
    struct authority authority;
    struct authority_fault fault;
    if (policy->good_authority[0] != '\0' && strcmp(text, policy->good_authority) == 0)
        return true;
    if (!authority_parse(text, strlen(text), &authority, &fault))
        return false;
    bool known = is_loopback(authority.host);
    for (size_t i = 0; i < policy->authorities.count; i++)
        known = known || strcmp(authority.host, policy->authorities.items[i]) == 0;
    authority_finish(&authority);
    if (known && strlen(text) < sizeof policy->good_authority)
        memcpy(policy->good_authority, text, strlen(text) + 1);
    return known;
}

/* A page of evil.example whose name suddenly leads to 127.0.0.1 (DNS rebinding) still says
 * evil.example here. `host` may stand in the place of :authority (RFC 9113, 8.3.1). */
static bool check_authority(struct policy *policy, const struct header_list *request,
                            struct rpc_status *ret_status)
{
    for (size_t i = 0; i < request->count; i++) {
        const struct header_field *field = &request->fields[i];
        const char *value = header_field_value(request, field);
        if ((field->known == KNOWN_AUTHORITY || field->known == KNOWN_HOST) &&
            !is_known_authority(policy, value)) {
            rpc_status_set(ret_status, GRPC_PERMISSION_DENIED, "UNKNOWN_AUTHORITY",
                           "sparkbridge: this port is localhost's, and the call is for %.100s; if "
                           "that name is meant to lead here, add it to the listener's authorities",
                           value);
            return false;
        }
    }
    return true;
}

static bool check_path(const char *path, struct rpc_status *ret_status)
{
    if (path != NULL &&
        ((begins_with(path, service_prefix) && is_method_name(path + strlen(service_prefix))) ||
         any_path_is_allowed()))
        return true;
    rpc_status_set(ret_status, GRPC_UNIMPLEMENTED, "NOT_SPARK_CONNECT",
                   "sparkbridge: only spark.connect.SparkConnectService is served here, not %.120s",
                   path != NULL ? path : "a call without a path");
    return false;
}

static bool check_client_secret(const struct policy *policy, const struct header_list *request,
                                struct rpc_status *ret_status)
{
    const char *sent = header_list_get(request, KNOWN_AUTHORIZATION);
    if (!secret_is_set(&policy->client_secret) ||
        (sent != NULL && (see(request).twice & KNOWN_BIT(KNOWN_AUTHORIZATION)) == 0 &&
         secret_matches(&policy->client_secret, sent, strlen(sent))))
        return true;
    rpc_status_set(ret_status, GRPC_UNAUTHENTICATED, "CLIENT_SECRET",
                   "sparkbridge: this listener wants a secret of its clients, and the call has %s; "
                   "add ;use_ssl=false;token=SECRET to the connection string",
                   sent != NULL ? "another one" : "none");
    return false;
}

enum policy_verdict policy_check(struct policy *policy, const struct header_list *request,
                                 enum policy_way way, struct rpc_status *ret_status)
{
    if (!is_grpc(request))
        return POLICY_NOT_GRPC;
    if (request->too_large) {
        rpc_status_set(ret_status, GRPC_RESOURCE_EXHAUSTED, "HEADERS_TOO_LARGE",
                       "sparkbridge: the call's metadata has more than %u bytes or %d fields: "
                       "send less, or raise limits.header_bytes in its configuration",
                       request->max_bytes, HEADER_LIST_MAX_FIELDS);
        return POLICY_REFUSE;
    }
    if (!check_form(request, ret_status) ||
        (way == POLICY_BY_TCP && !check_authority(policy, request, ret_status)))
        return POLICY_REFUSE;
    /* Whoever asks for the health gets nothing of anybody's, so it takes no secret. */
    const char *path = header_list_get(request, KNOWN_PATH);
    if (path != NULL && strcmp(path, "/grpc.health.v1.Health/Check") == 0)
        return POLICY_HEALTH_CHECK;
    if (path != NULL && strcmp(path, "/grpc.health.v1.Health/Watch") == 0)
        return POLICY_HEALTH_WATCH;
    if (!check_path(path, ret_status) || !check_client_secret(policy, request, ret_status))
        return POLICY_REFUSE;
    return POLICY_FORWARD;
}

const char *policy_method(const struct header_list *request)
{
    const char *path = header_list_get(request, KNOWN_PATH);
    return begins_with(path, service_prefix) ? path + strlen(service_prefix) : path;
}
