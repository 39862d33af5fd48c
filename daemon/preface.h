/*
 * What a client speaks whose first bytes are not HTTP/2's, and what to answer so that its user
 * learns what to do.
 *
 * Only HTTP/2 with prior knowledge (RFC 9113, 3.3) is served. Stateless.
 */
#ifndef SPARKBRIDGE_DAEMON_PREFACE_H
#define SPARKBRIDGE_DAEMON_PREFACE_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/throttle.h"

enum { PREFACE_LOG_LINES = 20 /* a minute */ };

struct preface_answer {
    const char *advice;   /* for the log */
    const uint8_t *bytes; /* to send before closing; NULL for nothing. Static. */
    size_t len;
};

/* Looks at the first bytes of a connection that failed as HTTP/2. */
struct preface_answer preface_answer(const uint8_t *bytes, size_t len);

/* Tells the log, unless that has happened often. */
void preface_log(const struct preface_answer *answer, struct throttle *throttle, uint64_t now_ms);

#endif
