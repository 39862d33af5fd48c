/* The sentences a client's user reads when the bridge cannot carry a call. */
#include "daemon/failure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conf/token_expiry.h"
#include "daemon/policy.h"

static const char *or_unknown(const char *source)
{
    return source != NULL ? source : "an unknown source";
}

/* What time does not cure. */
static void from_tls_fault(const char *target, const char *source,
                           const struct upstream_fault *fault, struct rpc_status *ret_status)
{
    switch (fault->kind) {
    case UPSTREAM_FAULT_UNTRUSTED:
        rpc_status_set(ret_status, GRPC_FAILED_PRECONDITION, "UPSTREAM_NOT_TRUSTED",
                       "sparkbridge: the certificate of workspace %s is not trusted (%s); if a "
                       "private CA or a TLS-inspecting proxy signed it, name its CA by --ca-file",
                       target, fault->text);
        return;
    case UPSTREAM_FAULT_WRONG_NAME:
        rpc_status_set(ret_status, GRPC_FAILED_PRECONDITION, "UPSTREAM_NOT_TRUSTED",
                       "sparkbridge: the certificate at workspace %s is not trusted (%s): it is "
                       "another host's; the host comes from %s: check it, and what answers there",
                       target, fault->text, source);
        return;
    case UPSTREAM_FAULT_EXPIRED:
        rpc_status_set(ret_status, GRPC_FAILED_PRECONDITION, "UPSTREAM_NOT_TRUSTED",
                       "sparkbridge: the certificate of workspace %s is not trusted (%s): it has "
                       "to be renewed there, unless this machine's clock is wrong",
                       target, fault->text);
        return;
    case UPSTREAM_FAULT_NOT_TLS:
        rpc_status_set(ret_status, GRPC_FAILED_PRECONDITION, "UPSTREAM_NOT_TLS",
                       "sparkbridge: %s does not speak TLS on that port; the host comes from %s: "
                       "check host and port",
                       target, source);
        return;
    case UPSTREAM_FAULT_NO_H2:
        rpc_status_set(ret_status, GRPC_FAILED_PRECONDITION, "UPSTREAM_NO_HTTP2",
                       "sparkbridge: %s does not speak HTTP/2 (%s), which Spark Connect needs; "
                       "the host comes from %s: check host and port, or the proxy on the way",
                       target, fault->text, source);
        return;
    default:
        rpc_status_set(ret_status, GRPC_FAILED_PRECONDITION, "UPSTREAM_TLS_FAILED",
                       "sparkbridge: no TLS connection to %s could be made (%s); the host comes "
                       "from %s: check it, and that this machine's settings allow TLS 1.2 or later",
                       target, fault->text, source);
        return;
    }
}

void failure_from_fault(const struct binding *binding, const struct upstream_fault *fault,
                        bool resumes, struct rpc_status *ret_status)
{
    char target[300];
    policy_authority(binding, target, sizeof target);
    const char *source = or_unknown(binding->host_source);

    switch (fault->kind) {
    case UPSTREAM_FAULT_LOST:
        rpc_status_set(ret_status, GRPC_UNAVAILABLE, "UPSTREAM_LOST",
                       "sparkbridge: the connection to %s ended before it answered (%s)", target,
                       fault->text);
        return;
    case UPSTREAM_FAULT_DNS:
        rpc_status_set(ret_status, GRPC_FAILED_PRECONDITION, "UPSTREAM_NAME_NOT_FOUND",
                       "sparkbridge: the workspace's name %s cannot be resolved (%s); the host "
                       "comes from %s: check it, and the network's name service",
                       target, fault->text, source);
        break;
    case UPSTREAM_FAULT_CONNECT:
    case UPSTREAM_FAULT_TIMEOUT:
        rpc_status_set(ret_status, GRPC_FAILED_PRECONDITION, "UPSTREAM_UNREACHABLE",
                       "sparkbridge: workspace %s cannot be reached at %s (%s); the host comes "
                       "from %s: check it, the network and VPN",
                       target, fault->address[0] != '\0' ? fault->address : "its address",
                       fault->text, source);
        break;
    case UPSTREAM_FAULT_PROXY:
        rpc_status_set(ret_status, GRPC_FAILED_PRECONDITION, "PROXY_REFUSED",
                       "sparkbridge: the proxy on the way to workspace %s gave no connection: %s",
                       target, fault->text);
        break;
    default: from_tls_fault(target, source, fault, ret_status); return;
    }
    if (resumes)
        ret_status->code = GRPC_UNAVAILABLE;
}

void failure_from_reset(const struct binding *binding, uint32_t error_code,
                        struct rpc_status *ret_status)
{
    char target[300];
    policy_authority(binding, target, sizeof target);
    enum grpc_code code = GRPC_INTERNAL; /* as gRPC maps HTTP/2's codes, PROTOCOL-HTTP2.md */
    switch (error_code) {
    case NGHTTP2_REFUSED_STREAM: code = GRPC_UNAVAILABLE; break;
    case NGHTTP2_ENHANCE_YOUR_CALM: code = GRPC_RESOURCE_EXHAUSTED; break;
    case NGHTTP2_INADEQUATE_SECURITY: code = GRPC_PERMISSION_DENIED; break;
    default: break;
    }
    rpc_status_set(ret_status, code, "UPSTREAM_RESET",
                   "sparkbridge: %s reset the call before it answered (%s)", target,
                   nghttp2_http2_strerror(error_code));
}

static void token_refused(const struct binding *binding, const char *said,
                          struct rpc_status *ret_status)
{
    char target[300];
    policy_authority(binding, target, sizeof target);
    const char *why = "it may have expired or belong to another workspace";
    char expired[80];
    if (binding->token_expires != 0 && binding->token_expires <= time(NULL)) {
        char when[TOKEN_EXPIRY_TEXT_SIZE];
        token_expiry_text(binding->token_expires, when);
        snprintf(expired, sizeof expired, "it expired at %s", when);
        why = expired;
    }
    rpc_status_set(ret_status, GRPC_UNAUTHENTICATED, "TOKEN_REFUSED",
                   "sparkbridge: workspace %s refused the token from %s%s; %s: put a valid one "
                   "there",
                   target, or_unknown(binding->token_source), said, why);
}

static void cluster_refused(const struct binding *binding, const char *said,
                            struct rpc_status *ret_status)
{
    char target[300];
    policy_authority(binding, target, sizeof target);
    if (binding->compute == COMPUTE_CLUSTER)
        rpc_status_set(ret_status, GRPC_PERMISSION_DENIED, "CLUSTER_REFUSED",
                       "sparkbridge: workspace %s refused cluster %s from %s%s; check that it "
                       "exists there and that the token's user may attach to it",
                       target, binding->cluster_id, or_unknown(binding->compute_source), said);
    else
        rpc_status_set(ret_status, GRPC_PERMISSION_DENIED, "PERMISSION_DENIED",
                       "sparkbridge: workspace %s refused the call%s; check what the token's user "
                       "may do there",
                       target, said);
}

void failure_from_http(const struct binding *binding, int http_status,
                       const struct header_list *headers, struct rpc_status *ret_status)
{
    if (http_status == 401) {
        token_refused(binding, " (HTTP 401)", ret_status);
        return;
    }
    if (http_status == 403) {
        cluster_refused(binding, " (HTTP 403)", ret_status);
        return;
    }
    char target[300];
    policy_authority(binding, target, sizeof target);
    const char *source = or_unknown(binding->host_source);
    if (http_status == 404) {
        rpc_status_set(ret_status, GRPC_UNIMPLEMENTED, "UPSTREAM_NOT_SPARK",
                       "sparkbridge: %s knows no Spark Connect service (HTTP 404); the host comes "
                       "from %s: check that it is a workspace",
                       target, source);
        return;
    }
    if (http_status >= 300 && http_status < 400) {
        const char *location = header_list_find(headers, "location");
        rpc_status_set(ret_status, GRPC_FAILED_PRECONDITION, "UPSTREAM_REDIRECTS",
                       "sparkbridge: %s redirects to %.200s (HTTP %d), and the token is not sent "
                       "elsewhere; the host comes from %s: name the workspace's own host",
                       target, location != NULL ? location : "another place", http_status, source);
        return;
    }
    if (http_status == 200) {
        const char *type = header_list_get(headers, KNOWN_CONTENT_TYPE);
        rpc_status_set(ret_status, GRPC_FAILED_PRECONDITION, "UPSTREAM_NOT_GRPC",
                       "sparkbridge: %s answered with %.100s instead of gRPC; a login page or a "
                       "proxy may be on the way, check the host from %s",
                       target, type != NULL ? type : "no content type", source);
        return;
    }
    rpc_status_set(ret_status, grpc_code_from_http(http_status), "UPSTREAM_HTTP_ERROR",
                   "sparkbridge: workspace %s answered HTTP %d instead of gRPC", target,
                   http_status);
}

bool failure_improve_refusal(const struct binding *binding, const struct header_list *headers,
                             struct rpc_status *ret_status)
{
    const char *code = header_list_get(headers, KNOWN_GRPC_STATUS);
    if (code == NULL || header_list_find(headers, "grpc-status-details-bin") != NULL)
        return false; /* whoever sends details says what is wrong */
    bool token = strcmp(code, "16") == 0;
    if (!token && (strcmp(code, "7") != 0 || binding->compute != COMPUTE_CLUSTER))
        return false;

    char said[256] = "";
    const char *message = header_list_get(headers, KNOWN_GRPC_MESSAGE);
    if (message != NULL && message[0] != '\0') {
        char text[200];
        grpc_message_decode(message, strlen(message), text, sizeof text);
        snprintf(said, sizeof said, ": \"%s\"", text);
    }
    if (token)
        token_refused(binding, said, ret_status);
    else
        cluster_refused(binding, said, ret_status);
    return true;
}
