/*
 * Spark's client connection string, `sc://host:port/;key=value;...`, taken apart.
 *
 * The grammar is Spark's (docs/spark-connect client-connection-string and the parser of PySpark's
 * ChannelBuilder). Owner: the caller, who calls connection_string_finish() on every struct that was
 * zeroed or parsed into. A parse error names the column, 1 for the first byte, and never quotes a
 * value, since values may be secrets.
 *
 * Stricter than PySpark where it would drop, cut or garble something in silence: bad escapes,
 * duplicates, queries and fragments, and values that no header can carry are errors. Keys are
 * folded to lower case, which gRPC demands of them.
 */
#ifndef SPARKBRIDGE_CONF_CONNECTION_STRING_H
#define SPARKBRIDGE_CONF_CONNECTION_STRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/secret.h"
#include "conf/metadata.h"

enum {
    CONNECTION_STRING_MAX_BYTES = 65536,
    CONNECTION_STRING_DEFAULT_PORT = 15002, /* Spark's default, where the string names none */
    CONNECTION_STRING_CLIENT_PARAMS = 4,
};

struct connection_string {
    char *host; /* owned, lower case; IPv6 in canonical form without brackets; never empty */
    uint16_t port;
    bool port_given;
    bool use_ssl, use_ssl_given; /* a token implies use_ssl=true */
    struct secret token;         /* percent-decoded, not set where the string has none */
    /* The names of what a client says for itself, user_id for one: checked, and not kept. */
    const char *client_params[CONNECTION_STRING_CLIENT_PARAMS]; /* static texts */
    size_t client_param_count;
    struct metadata headers; /* all other keys, among them x-databricks-cluster-id */
};

/* Parses `text` into the zeroed or finished `ret`; on failure `ret` is empty again and `err` says
 * why, with the column. Exit code EX_CONFIG. */
bool connection_string_parse(const char *text, struct connection_string *ret, struct err *err);

void connection_string_finish(struct connection_string *string);

#endif
