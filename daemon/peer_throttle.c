/* Throttles of an event, one for each user who causes it. */
#include "daemon/peer_throttle.h"

static struct throttle *find(struct peer_throttle *throttle, const struct peer *peer)
{
    struct peer_throttle_user *oldest = &throttle->users[0];
    for (int i = 0; i < PEER_THROTTLE_USERS; i++) {
        struct peer_throttle_user *user = &throttle->users[i];
        bool used = user->throttle.until_ms != 0;
        if (used && user->known == peer->known && user->uid == peer->uid)
            return &user->throttle;
        if (user->throttle.until_ms < oldest->throttle.until_ms)
            oldest = user;
    }
    *oldest = (struct peer_throttle_user){.known = peer->known, .uid = peer->uid};
    return &oldest->throttle;
}

bool peer_throttle_pass(struct peer_throttle *throttle, const struct peer *peer, uint64_t now_ms,
                        unsigned most, unsigned *ret_left_out)
{
    return throttle_pass(find(throttle, peer), now_ms, most, ret_left_out);
}
