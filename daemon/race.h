/*
 * The race of a host's addresses, RFC 8305 ("Happy Eyeballs"), 4 and 5: they are tried in turn, and
 * the first that answers wins. Each has a moment's start over the next, and goes on after it; one
 * that fails makes room for the next at once. So a silent address costs that moment, whichever
 * family it is of.
 *
 * The RFC's section 3 is about names whose answers come one by one; getaddrinfo() gives all at
 * once.
 *
 * Owner: a race ends by calling back once, or silently by race_cancel(). There is no limit of time
 * but the kernel's for each address: the caller cancels. Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_RACE_H
#define SPARKBRIDGE_DAEMON_RACE_H

#include <netdb.h>
#include <stddef.h>
#include <uv.h>

#include "daemon/connect_way.h"

enum {
    RACE_MAX_ADDRESSES = 16,     /* what a name has beyond these is not tried */
    RACE_ATTEMPT_DELAY_MS = 250, /* RFC 8305, 5: recommended */
};

struct race;

/* Starts with the addresses, which are copied; those of a Unix socket will do too. The callback
 * never comes before this returns. On failure it has the address and the error that came last. */
struct race *race_start(uv_loop_t *loop, const struct addrinfo *addresses,
                        connect_end_callback callback, void *owner);

/* The callback will not be called; accepts NULL. */
void race_cancel(struct race *race);

/* The order in which they are tried: the families take turns, beginning with that of the first, and
 * within a family nothing is changed (RFC 8305, 4). Returns how many, RACE_MAX_ADDRESSES at most.
 */
size_t race_order(const struct addrinfo *addresses,
                  const struct addrinfo *ret_order[RACE_MAX_ADDRESSES]);

#endif
