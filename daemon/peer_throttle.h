/*
 * Throttles of an event, one for each user who causes it, so that one user's events do not hide
 * another's.
 *
 * A zeroed struct is ready. Owner: whoever logs the event. Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_PEER_THROTTLE_H
#define SPARKBRIDGE_DAEMON_PEER_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/peer.h"
#include "daemon/throttle.h"

enum { PEER_THROTTLE_USERS = 16 };

struct peer_throttle {
    struct peer_throttle_user {
        bool known;
        uid_t uid;
        struct throttle throttle; /* zeroed where the place is free */
    } users[PEER_THROTTLE_USERS]; /* of more users than that the one longest silent is forgotten */
};

/* As throttle_pass(), for the events of this peer's user. */
bool peer_throttle_pass(struct peer_throttle *throttle, const struct peer *peer, uint64_t now_ms,
                        unsigned most, unsigned *ret_left_out);

#endif
