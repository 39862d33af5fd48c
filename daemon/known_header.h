/*
 * The headers that every call has, told apart once: when a field arrives. Whoever looks at it later
 * compares numbers, where comparing names was a fifth of a small call's cost. Stateless.
 */
#ifndef SPARKBRIDGE_DAEMON_KNOWN_HEADER_H
#define SPARKBRIDGE_DAEMON_KNOWN_HEADER_H

#include <stddef.h>
#include <stdint.h>

enum known_header {
    KNOWN_NONE, /* any other */
    KNOWN_METHOD,
    KNOWN_SCHEME,
    KNOWN_PATH,
    KNOWN_AUTHORITY,
    KNOWN_STATUS,
    KNOWN_TE,
    KNOWN_HOST,
    KNOWN_AUTHORIZATION,
    KNOWN_CONTENT_LENGTH,
    KNOWN_CONTENT_TYPE,
    KNOWN_USER_AGENT,
    KNOWN_ACCEPT_ENCODING,
    KNOWN_GRPC_TIMEOUT,
    KNOWN_GRPC_ENCODING,
    KNOWN_GRPC_ACCEPT_ENCODING,
    KNOWN_GRPC_STATUS,
    KNOWN_GRPC_MESSAGE,
    KNOWN_DATE,
};

/* A set of them. */
#define KNOWN_BIT(header) (UINT32_C(1) << (header))

/* By its name, in lower case as HTTP/2 has it. */
enum known_header known_header(const char *name, size_t len);

/* Its name, which is a constant; NULL for KNOWN_NONE. */
const char *known_header_name(enum known_header header);

#endif
