/* A binding and its reference count. */
#include "conf/binding.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

struct binding *binding_create(void)
{
    struct binding *binding = xcalloc(1, sizeof *binding);
    binding->refs = 1;
    return binding;
}

struct binding *binding_ref(struct binding *binding)
{
    binding->refs++;
    return binding;
}

void binding_unref(struct binding *binding)
{
    if (binding == NULL || --binding->refs > 0)
        return;
    free(binding->host);
    free(binding->host_source);
    free(binding->auth_type);
    redaction_end(&binding->redaction);
    secret_finish(&binding->token);
    secret_finish(&binding->authorization);
    free(binding->token_source);
    free(binding->cluster_id);
    free(binding->compute_source);
    metadata_finish(&binding->headers);
    free(binding);
}

static bool text_equal(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool headers_equal(const struct metadata *a, const struct metadata *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->entries[i].name, b->entries[i].name) != 0 ||
            !secret_equal(&a->entries[i].value, &b->entries[i].value))
            return false;
    return true;
}

const char *binding_compute_name(const struct binding *binding)
{
    switch (binding->compute) {
    case COMPUTE_CLUSTER: return "cluster";
    case COMPUTE_SERVERLESS: return "serverless";
    case COMPUTE_NONE: break;
    }
    return "none";
}

bool binding_equal(const struct binding *a, const struct binding *b)
{
    return text_equal(a->host, b->host) && a->port == b->port && a->compute == b->compute &&
           text_equal(a->cluster_id, b->cluster_id) &&
           secret_equal(&a->authorization, &b->authorization) &&
           headers_equal(&a->headers, &b->headers);
}
