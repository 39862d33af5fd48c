/*
 * Hosts: the many ways people write a workspace's address, made one, compared, and told apart by
 * cloud.
 *
 * Source: databricks-sdk for Python 0.156.0 (`_fix_host_if_needed`, `environments.py`); for the
 * port of a `sc://` address without one, databricks-connect 19.3.0, which keeps Spark's 15002.
 */
#ifndef SPARKBRIDGE_CONF_HOST_H
#define SPARKBRIDGE_CONF_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

enum {
    HOST_MAX_BYTES = 4096, /* of the text as written, with path and query */
    HOST_DEFAULT_PORT = 443,
};

/* Where gRPC connects to. Owner: whoever embeds it; host_finish(). */
struct host {
    char *name; /* owned, lower case, an IPv6 address without brackets; NULL while not known */
    uint16_t port;
    bool port_given; /* the text said so; else `port` is the grammar's default */
    bool plain_http; /* the text said http://, which cannot be had */
};

/* Reads "name", "name:port" or "scheme://name:port/path?query". gRPC uses name and port only, so
 * scheme, path and query are dropped; without a port it is 443, for http:// too, since the
 * upstream is always spoken to over TLS. User information (`user@`), other schemes, parameters
 * (`;`) and what looks like an access token are refused. The sentence in `err` never quotes the
 * text, which could hold a password. EX_CONFIG. */
bool host_parse(const char *text, struct host *ret_host, struct err *err);

/* The same workspace? A port that was not given stands for 443 as well as for the grammar's
 * default, so that sc://one.example.test/ and https://one.example.test are the same. */
bool host_same(const struct host *a, const struct host *b);

/* For people: "name:port", an IPv6 address in brackets. The caller frees it. */
char *host_address(const char *name, uint16_t port);

/* For people: "name", or "name:port" where the port is not 443; IPv6 in brackets. The caller
 * frees it. */
char *host_text(const struct host *host);

/* An address of this machine: localhost, 127.0.0.0/8, ::1. */
bool host_is_loopback(const struct host *host);

/* Replaces `to`. */
void host_copy(struct host *to, const struct host *from);
void host_finish(struct host *host); /* accepts a zeroed struct */

/* What the SDK makes of a host: https:// in front where there is no scheme, no :443, no slash at
 * the end of the path; path and query stay. The caller frees it. */
char *host_url(const char *text);

enum cloud { CLOUD_AWS, CLOUD_AZURE, CLOUD_GCP };

/* The cloud by DNS suffix of the SDK's host URL, AWS for any other and for NULL. As in the SDK a
 * URL with a path or a port ends with no known suffix. */
enum cloud host_cloud(const char *url);

/* Is this name under one of Databricks' own DNS suffixes? */
bool host_is_databricks(const char *name);

#endif
