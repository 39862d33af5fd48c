/*
 * Finding a host's addresses and connecting to the first that answers.
 *
 * Owner: itself; it ends by calling back once, or silently after connect_cancel(). There is no
 * timer here: the caller limits the time and cancels. Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_CONNECT_H
#define SPARKBRIDGE_DAEMON_CONNECT_H

#include <stdint.h>

#include "daemon/transport.h"

struct connect;

struct connect_result {
    struct transport *transport; /* the caller's now; NULL on failure */
    bool resolved;               /* false: the name could not be resolved */
    int error;                   /* negative errno of libuv, of the last address tried */
    char address[64];            /* the last address tried, for messages */
};

typedef void (*connect_callback)(void *owner, const struct connect_result *result);

/* Starts; `host` is copied. The callback never comes before this returns. */
struct connect *connect_start(struct engine *engine, const char *host, uint16_t port,
                              connect_callback callback, void *owner);

/* The callback will not be called; accepts NULL. */
void connect_cancel(struct connect *connect);

#endif
