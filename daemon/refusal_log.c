/* The log of refused connections. */
#include "daemon/refusal_log.h"

#include <stdio.h>

#include "common/log.h"

static struct refusal_log_user *find(struct refusal_log *log, const struct peer *peer)
{
    struct refusal_log_user *oldest = &log->users[0];
    for (int i = 0; i < REFUSAL_LOG_USERS; i++) {
        struct refusal_log_user *user = &log->users[i];
        bool used = user->throttle.quiet_until_ms != 0;
        if (used && user->known == peer->known && user->uid == peer->uid)
            return user;
        if (user->throttle.quiet_until_ms < oldest->throttle.quiet_until_ms)
            oldest = user;
    }
    *oldest = (struct refusal_log_user){.known = peer->known, .uid = peer->uid};
    return oldest;
}

bool refusal_log_is_due(struct refusal_log *log, const struct peer *peer, uint64_t now_ms,
                        unsigned *ret_collapsed)
{
    return throttle_pass(&find(log, peer)->throttle, now_ms, ret_collapsed);
}

void refusal_log_write(struct refusal_log *log, const char *listener, const struct peer *peer,
                       uint64_t now_ms)
{
    unsigned collapsed;
    char program[PEER_PROGRAM_SIZE], uid[16] = "unknown", pid[16], repeats[16];
    if (!refusal_log_is_due(log, peer, now_ms, &collapsed))
        return;
    peer_program(peer->pid, program);
    if (peer->known)
        snprintf(uid, sizeof uid, "%u", (unsigned)peer->uid);
    snprintf(pid, sizeof pid, "%d", (int)peer->pid);
    snprintf(repeats, sizeof repeats, "%u", collapsed);
    log_fields(LOG_LEVEL_WARN, "connection refused", {"listener", listener}, {"uid", uid},
               {"pid", peer->pid > 0 ? pid : NULL},
               {"program", program[0] != '\0' ? program : NULL},
               {"reason", peer->known ? NULL : peer->unknown},
               {"not_logged_before", collapsed > 0 ? repeats : NULL});
}
