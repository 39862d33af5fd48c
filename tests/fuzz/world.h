/*
 * The data path in a fuzz target: the daemon's own engine, downstream, call, pool and upstream,
 * between a client and a workspace that live in the target and are reached by socket pairs. Only
 * the network and TLS are left out: connect_start() and tls_create() are replaced when linking.
 *
 * One world at a time. world_begin() makes it, world_end() ends every connection and aborts where
 * anything is left over: a connection, a call, a block, credit that was not given back.
 */
#ifndef SPARKBRIDGE_TESTS_FUZZ_WORLD_H
#define SPARKBRIDGE_TESTS_FUZZ_WORLD_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WORLD_MAX_UPSTREAMS = 8 };

/* Our end of a connection. Either bytes are written to it as they are, or a session answers. */
struct end {
    int fd;                   /* -1: none */
    nghttp2_session *session; /* owned, or NULL: what is read is dropped */
};

struct world {
    struct end client;
    struct end workspaces[WORLD_MAX_UPSTREAMS]; /* as they are connected to, one after another */
    size_t workspace_count;
    bool refuses_connections;
    /* Called when the bridge has connected to a workspace; sets end->session, or leaves it. */
    void (*on_connected)(struct end *end);
};

/* A client connects. */
struct world *world_begin(void (*on_connected)(struct end *end));

/* Lets everything happen that is under way. */
void world_settle(struct world *world);

/* Writes raw bytes and lets things happen; what does not fit is dropped. */
void world_write(struct world *world, struct end *end, const uint8_t *bytes, size_t len);

void world_hang_up(struct end *end);
void world_end(struct world *world);

/* Aborts where something does not hold. */
void world_check(bool holds);

#endif
