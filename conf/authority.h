/*
 * The host and port of a workspace as they stand in a URL: `host`, `host:port`, `[::1]:port`.
 *
 * A host is a DNS name (underscores are let through: container networks have them), an IPv4 or an
 * IPv6 address. User names are refused. Owner: the caller, authority_finish().
 */
#ifndef SPARKBRIDGE_CONF_AUTHORITY_H
#define SPARKBRIDGE_CONF_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct authority {
    char *host;    /* owned, lower case; an IPv6 address in canonical form and without brackets */
    uint16_t port; /* 1 to 65535, or 0 where none is given */
};

/* Where an authority is wrong and why: a static sentence that quotes nothing. */
struct authority_fault {
    const char *at; /* borrowed: a byte of the text, or its end */
    const char *text;
};

/* Parses `len` bytes; on failure only *ret_fault is set. */
bool authority_parse(const char *text, size_t len, struct authority *ret,
                     struct authority_fault *ret_fault);

void authority_finish(struct authority *authority);

#endif
