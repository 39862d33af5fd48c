/*
 * The log of refused connections, in which a client that tries again and again does not drown the
 * rest: the first refusal of a user makes a line, further ones one a minute that counts them.
 *
 * Owner: whoever embeds it; nothing to free. Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_REFUSAL_LOG_H
#define SPARKBRIDGE_DAEMON_REFUSAL_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/peer.h"
#include "daemon/throttle.h"

enum { REFUSAL_LOG_USERS = 16 };

struct refusal_log {
    struct refusal_log_user {
        bool known;
        uid_t uid;
        struct throttle throttle; /* zeroed where the place is free */
    } users[REFUSAL_LOG_USERS];   /* of more users than that the one longest silent is forgotten */
};

/* Counts a refusal of the peer. True where a line is due; *ret_collapsed are those without one. */
bool refusal_log_is_due(struct refusal_log *log, const struct peer *peer, uint64_t now_ms,
                        unsigned *ret_collapsed);

/* Writes the line, where one is due. */
void refusal_log_write(struct refusal_log *log, const char *listener, const struct peer *peer,
                       uint64_t now_ms);

#endif
