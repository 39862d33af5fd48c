/*
 * Accepts the connections of one listening socket, and keeps its head when descriptors run out.
 *
 * A spare descriptor is given up for the connection that finds no other, so that its owner can
 * close it, or serve it. Where accept4(2) fails for any other reason, or the spare one is gone,
 * accepting rests for ACCEPTOR_PAUSE_MS: connections wait in the kernel, and the loop is not kept
 * busy. (That is why it is not uv_listen(): libuv calls accept() again after each error.) Owner:
 * the listener or the control socket; acceptor_close(), after which it hears nothing more. The
 * memory goes when libuv has let go. Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_ACCEPTOR_H
#define SPARKBRIDGE_DAEMON_ACCEPTOR_H

#include <stdbool.h>
#include <uv.h>

enum {
    ACCEPTOR_PAUSE_MS = 100,
    ACCEPTOR_MOST = 64, /* connections in one turn of the loop */
};

struct acceptor;

/* `fd`, which does not block and is closed on exec, is the owner's. `last`: it has the spare
 * descriptor, and as long as it is open no other connection may be accepted. The acceptor may be
 * closed here. */
typedef void (*acceptor_callback)(void *owner, int fd, bool last);

struct acceptor_config {
    uv_loop_t *loop;  /* borrowed */
    const char *name; /* of the socket, for the log; copied */
    acceptor_callback on_accepted;
    void *owner; /* weak */
};

/* Begins to accept from `fd`, which listens, is made non-blocking and stays the owner's: to be
 * closed after acceptor_close(). NULL with a negative errno of libuv on failure. */
struct acceptor *acceptor_create(const struct acceptor_config *config, int fd, int *ret_error);

void acceptor_close(struct acceptor *acceptor); /* accepts NULL */

#endif
