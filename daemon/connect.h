/*
 * Connecting to the workspace's host: names, addresses, proxies, or a Unix socket that stands for
 * all of them. libcurl does it: both address families raced (RFC 8305), HTTP CONNECT and SOCKS
 * proxies with their authentication, and then hands the connected socket over.
 *
 * Owner: a connector is one for the process; a struct connect ends by calling back once, or
 * silently by connect_cancel(). There is no limit of time here: the caller cancels. Loop thread
 * only.
 */
#ifndef SPARKBRIDGE_DAEMON_CONNECT_H
#define SPARKBRIDGE_DAEMON_CONNECT_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/transport.h"

enum { CONNECT_ADDRESS_SIZE = 128 }; /* also for unix: and a path */

struct connector;
struct connect;

/* How to get there; all text borrowed for the call of connect_start(). */
struct connect_target {
    const char *host;
    uint16_t port;
    const char *proxy;    /* URL, or NULL for none */
    const char *no_proxy; /* hosts to be reached without it, comma-separated, or NULL */
    const char *via;      /* path of a Unix socket that leads there, or NULL: then nothing else of
                             this counts but for messages */
    unsigned timeout_ms;  /* the owner's, after which it cancels: several addresses share it */
};

enum connect_failure {
    CONNECT_FAILED_NAME,    /* the host's name, or the proxy's, could not be resolved */
    CONNECT_FAILED_CONNECT, /* nobody there */
    CONNECT_FAILED_PROXY,   /* the proxy answered, and refused */
};

struct connect_result {
    struct transport *transport; /* the callback's to own; NULL on failure */
    enum connect_failure failure;
    char address[CONNECT_ADDRESS_SIZE]; /* the last address tried, for messages; may be empty */
    char text[160];                     /* a phrase about the failure */
};

typedef void (*connect_callback)(void *owner, const struct connect_result *result);

struct connector *connector_create(struct engine *engine);

/* Nothing may be connecting any more. The loop must run once more for its handles to close. */
void connector_destroy(struct connector *connector);

/* Starts. The callback never comes before this returns. */
struct connect *connect_start(struct connector *connector, const struct connect_target *target,
                              connect_callback callback, void *owner);

/* The callback will not be called; accepts NULL. */
void connect_cancel(struct connect *connect);

#endif
