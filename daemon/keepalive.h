/*
 * When a peer that is silent is asked by PING whether it is there, when it is given up, and when a
 * connection without calls is closed. Only the reckoning: time and timer are the owner's.
 *
 * Where calls wait, silence is followed by a PING; the next one comes not before the five minutes
 * that strict servers insist on (gRPC's keepalive.md), unless the peer has answered calls since.
 * Without calls nothing is sent: such servers count PINGs on idle connections as abuse.
 *
 * Owner: the struct that embeds it. All times are of one clock, in milliseconds.
 */
#ifndef SPARKBRIDGE_DAEMON_KEEPALIVE_H
#define SPARKBRIDGE_DAEMON_KEEPALIVE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    KEEPALIVE_FIRST_MS = 10 * 1000,
    KEEPALIVE_NEXT_MS = 310 * 1000,
    KEEPALIVE_ANSWER_MS = 10 * 1000, /* for a PING to be answered */
    KEEPALIVE_IDLE_MS = 10 * 60 * 1000,
};

struct keepalive {
    uint64_t heard_ms; /* when the peer was heard last, or the first or last call began or ended */
    uint64_t ping_ms;  /* when a PING was sent that is not answered, else 0 */
    unsigned ping_after_ms; /* of silence */
};

void keepalive_init(struct keepalive *keepalive, uint64_t now_ms);

/* A frame has come; `answers`: of a call. True where keepalive_due_ms() is sooner than it was. */
bool keepalive_heard(struct keepalive *keepalive, uint64_t now_ms, bool answers);

/* A call began where there was none, or one has ended: silence counts from here. */
void keepalive_restart(struct keepalive *keepalive, uint64_t now_ms);

enum keepalive_step {
    KEEPALIVE_WAIT,
    KEEPALIVE_PING, /* send one now */
    KEEPALIVE_LOST, /* the last one was not answered */
    KEEPALIVE_IDLE, /* close it */
};

/* What to do now. `busy`: there are calls. */
enum keepalive_step keepalive_step(struct keepalive *keepalive, uint64_t now_ms, bool busy);

/* When to ask that next; it may have passed. */
uint64_t keepalive_due_ms(const struct keepalive *keepalive, bool busy);

#endif
