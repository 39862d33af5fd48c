/*
 * A binding: what a listener or a peer user resolves to - a target, a compute and a credential -
 * with the source of each value.
 *
 * Owner: reference counted, because calls that run keep the binding they began with when the
 * configuration is read anew. It does not change once resolve() has returned it.
 */
#ifndef SPARKBRIDGE_CONF_BINDING_H
#define SPARKBRIDGE_CONF_BINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/redaction.h"
#include "common/secret.h"
#include "conf/metadata.h"

enum compute_kind {
    COMPUTE_CLUSTER,    /* x-databricks-cluster-id */
    COMPUTE_SERVERLESS, /* x-databricks-session-id, equal to the request's Spark session id */
    COMPUTE_NONE,       /* a Spark Connect server that is not Databricks needs none */
};

struct binding {
    unsigned refs;

    char *host; /* owned, lower case; an IPv6 address stands without brackets */
    uint16_t port;
    char *host_source; /* owned, for people: "DATABRICKS_HOST from the environment",
                          "profile DEFAULT, ~/.databrickscfg:2" */

    char *auth_type;             /* owned, the SDK's name: "pat" */
    struct secret token;         /* set where auth_type is "pat" */
    struct secret authorization; /* the header value, "Bearer " and the token */
    struct redaction redaction;  /* of the token, as long as the binding is there */
    time_t token_expires;        /* as the token says itself; 0: it does not */
    char *token_source;          /* owned; the credential's place, whatever its type */

    enum compute_kind compute;
    char *cluster_id;     /* owned, NULL unless COMPUTE_CLUSTER */
    char *compute_source; /* owned */

    struct metadata headers; /* further headers from the connection string */
};

/* A new binding with one reference and nothing resolved. */
struct binding *binding_create(void);
struct binding *binding_ref(struct binding *binding);
void binding_unref(struct binding *binding); /* accepts NULL */

/* Would calls go to the same place in the same way? Sources do not matter. */
bool binding_equal(const struct binding *a, const struct binding *b);

/* "cluster", "serverless" or "none". */
const char *binding_compute_name(const struct binding *binding);

#endif
