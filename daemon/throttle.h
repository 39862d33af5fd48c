/*
 * Keeps an event that others can cause as often as they like from filling the log.
 *
 * A zeroed struct is ready. Owner: whoever logs the event.
 */
#ifndef SPARKBRIDGE_DAEMON_THROTTLE_H
#define SPARKBRIDGE_DAEMON_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

enum { THROTTLE_MS = 60 * 1000 };

struct throttle {
    uint64_t quiet_until_ms;
    unsigned left_out; /* since the last line */
};

/* May the event be logged now? At most once in THROTTLE_MS; *ret_left_out says how many were not
 * logged since the last time. */
static inline bool throttle_pass(struct throttle *throttle, uint64_t now_ms, unsigned *ret_left_out)
{
    if (now_ms < throttle->quiet_until_ms) {
        throttle->left_out++;
        return false;
    }
    *ret_left_out = throttle->left_out;
    *throttle = (struct throttle){.quiet_until_ms = now_ms + THROTTLE_MS};
    return true;
}

#endif
