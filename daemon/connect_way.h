/*
 * What the ways to a host have in common: a race of its addresses (race.h) and a tunnel through a
 * proxy (tunnel.h). connect.h chooses one, and makes a transport of the socket that it gives.
 */
#ifndef SPARKBRIDGE_DAEMON_CONNECT_WAY_H
#define SPARKBRIDGE_DAEMON_CONNECT_WAY_H

#include <stdint.h>

enum {
    CONNECT_ADDRESS_SIZE = 128, /* also for unix: and a path */
    CONNECT_TEXT_SIZE = 192,
};

/* How to get there; all text borrowed for the call that it is given to. */
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
    CONNECT_FAILED_PROXY,   /* the proxy answered, and refused; or it could not be asked */
};

/* How a way ended. */
struct connect_end {
    int fd; /* connected and non-blocking, the callback's to own; -1 on failure */
    enum connect_failure failure;
    char address[CONNECT_ADDRESS_SIZE]; /* the one reached, or the last one tried; may be empty */
    char text[CONNECT_TEXT_SIZE];       /* a phrase about the failure */
};

/* The way is over, and may not be cancelled any more. `end` is borrowed for the call. */
typedef void (*connect_end_callback)(void *owner, const struct connect_end *end);

#endif
