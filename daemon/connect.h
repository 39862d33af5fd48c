/*
 * Connecting to the workspace's host. Directly, its name is looked up (name_lookup.h) and its
 * addresses are raced (race.h, RFC 8305); a Unix socket that stands for all of that is a race of
 * one. Through a proxy libcurl makes the connection (tunnel.h), which is loaded for that alone.
 *
 * Owner: a connector is one for the process; a struct connect ends by calling back once, or
 * silently by connect_cancel(). There is no limit of time here: the caller cancels. Loop thread
 * only.
 */
#ifndef SPARKBRIDGE_DAEMON_CONNECT_H
#define SPARKBRIDGE_DAEMON_CONNECT_H

#include "daemon/connect_way.h"
#include "daemon/transport.h"

struct connector;
struct connect;

struct connect_result {
    struct transport *transport; /* the callback's to own; NULL on failure */
    enum connect_failure failure;
    char address[CONNECT_ADDRESS_SIZE]; /* the last address tried, for messages; may be empty */
    char text[CONNECT_TEXT_SIZE];       /* a phrase about the failure */
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
