/*
 * What clients may use of the daemon: the `limits` of the YAML file, with the times that a client
 * may take.
 *
 * A plain value, part of struct config; the daemon copies it.
 */
#ifndef SPARKBRIDGE_CONF_LIMITS_H
#define SPARKBRIDGE_CONF_LIMITS_H

#include <stddef.h>

struct client_limits {
    unsigned connections, connections_per_user;
    unsigned calls, calls_per_user, calls_per_connection; /* at once */
    size_t header_bytes;                                  /* of a request; RFC 9113's size, 6.5.2 */
    size_t buffer_bytes;                                  /* of all bodies together */
    unsigned preface_ms; /* from accepting a connection to its first frame */
    unsigned headers_ms; /* from the first byte of a header block to its last */
};

#endif
