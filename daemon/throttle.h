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
    uint64_t until_ms; /* the end of the minute that counts */
    unsigned passed;   /* in it */
    unsigned left_out; /* since a minute's first line */
};

/* May the event be logged now? At most `most` times in THROTTLE_MS; *ret_left_out says, with the
 * first of them, how many were not logged before it. */
static inline bool throttle_pass(struct throttle *throttle, uint64_t now_ms, unsigned most,
                                 unsigned *ret_left_out)
{
    *ret_left_out = 0;
    if (now_ms >= throttle->until_ms) {
        *ret_left_out = throttle->left_out;
        *throttle = (struct throttle){.until_ms = now_ms + THROTTLE_MS};
    }
    if (throttle->passed == most) {
        throttle->left_out++;
        return false;
    }
    throttle->passed++;
    return true;
}

#endif
