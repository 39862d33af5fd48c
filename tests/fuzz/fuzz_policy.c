/* Fuzzes what judges headers: a request made of the input's lines is checked and filtered, and a
 * response of them is scrubbed. Nothing that belongs to the bridge may be left of either. Lines
 * with a leading byte above 0x7f are the response's. */
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/log.h"
#include "conf/header_names.h"
#include "daemon/policy.h"
#include "daemon/scrub.h"
#include "proto/grpc_status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char token[] = "dapi0123456789";

/* "name:value", the first colon behind the first byte. */
static void add_line(struct header_list *list, const uint8_t *line, size_t len)
{
    const uint8_t *colon = len > 1 ? memchr(line + 1, ':', len - 1) : NULL;
    if (colon == NULL || memchr(line, '\0', len) != NULL)
        return;
    header_list_add(list, (const char *)line, (size_t)(colon - line), (const char *)colon + 1,
                    (size_t)(line + len - colon - 1), 0);
}

static bool has_token(const char *text, size_t len)
{
    return memmem(text, len, token, strlen(token)) != NULL;
}

static void check_response(struct header_list *response, const struct binding *binding)
{
    char *text = xcalloc(1, HEADER_LIST_MAX_BYTES + 4);
    scrub_headers(response, binding);
    for (size_t i = 0; i < response->count; i++) {
        const struct header_field *field = &response->fields[i];
        const char *value = header_field_value(response, field);
        const char *name = header_field_name(response, field);
        if (has_token(value, field->value_len))
            abort();
        if (strcmp(name, "grpc-message") == 0 &&
            has_token(text,
                      grpc_message_decode(value, field->value_len, text, HEADER_LIST_MAX_BYTES)))
            abort();
        size_t len = strlen(name);
        if (len > 4 && strcmp(name + len - 4, "-bin") == 0 && field->value_len % 4 == 0) {
            int n = EVP_DecodeBlock((unsigned char *)text, (const unsigned char *)value,
                                    (int)field->value_len);
            if (n > 0 && has_token(text, (size_t)n))
                abort();
        }
    }
    free(text);
}

static void check_request(struct header_list *request, struct policy *policy,
                          const struct binding *binding)
{
    struct rpc_status status;
    nghttp2_nv *fields = xcalloc(POLICY_MAX_FIELDS, sizeof *fields);
    bool passes = policy_check(policy, request, POLICY_BY_TCP, &status) == POLICY_FORWARD;
    if (passes && request->too_large)
        abort();
    policy_filter_request(policy, request);
    for (size_t i = 0; i < request->count; i++) {
        const struct header_field *field = &request->fields[i];
        const char *name = header_field_name(request, field);
        if (name[0] != ':' && header_name_class(name, field->name_len) == HEADER_OURS)
            abort();
    }
    const struct policy_request from = {
        .headers = request, .binding = binding, .authority = "one.example.test"};
    if (passes && policy_request_fields(&from, fields) > POLICY_MAX_FIELDS)
        abort();
    free(fields);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char name[] = "fuzz", any[] = "*", org[] = "x-databricks-org-id";
    struct listener_config listener = {.name = name,
                                       .forward_headers = {.items = {any, org}, .count = 2}};
    struct secret none = {0};
    struct header_list request = {0}, response = {0};
    struct binding *binding = binding_create();
    struct policy *policy = policy_create(&listener, &none);
    log_set_level(LOG_LEVEL_ERROR);
    secret_set(&binding->authorization, "Bearer dapi0123456789", 21);
    binding->cluster_id = xstrdup("c");
    while (size > 0) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t len = end != NULL ? (size_t)(end - data) : size;
        if (len > 0 && data[0] > 0x7f)
            add_line(&response, data + 1, len - 1);
        else
            add_line(&request, data, len);
        size_t used = len + (end != NULL);
        data += used;
        size -= used;
    }
    check_response(&response, binding);
    check_request(&request, policy, binding);
    header_list_finish(&request);
    header_list_finish(&response);
    policy_destroy(policy);
    binding_unref(binding);
    return 0;
}
