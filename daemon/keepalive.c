/* When a silent peer is asked, given up or left. */
#include "daemon/keepalive.h"

void keepalive_init(struct keepalive *keepalive, uint64_t now_ms)
{
    *keepalive = (struct keepalive){.heard_ms = now_ms, .ping_after_ms = KEEPALIVE_FIRST_MS};
}

bool keepalive_heard(struct keepalive *keepalive, uint64_t now_ms, bool answers)
{
    bool sooner = answers && keepalive->ping_after_ms != KEEPALIVE_FIRST_MS;
    keepalive->heard_ms = now_ms;
    keepalive->ping_ms = 0;
    if (sooner)
        keepalive->ping_after_ms = KEEPALIVE_FIRST_MS;
    return sooner;
}

void keepalive_restart(struct keepalive *keepalive, uint64_t now_ms)
{
    keepalive->heard_ms = now_ms;
}

uint64_t keepalive_due_ms(const struct keepalive *keepalive, bool busy)
{
    if (keepalive->ping_ms != 0)
        return keepalive->ping_ms + KEEPALIVE_ANSWER_MS;
    return keepalive->heard_ms + (busy ? keepalive->ping_after_ms : KEEPALIVE_IDLE_MS);
}

enum keepalive_step keepalive_step(struct keepalive *keepalive, uint64_t now_ms, bool busy)
{
    if (now_ms < keepalive_due_ms(keepalive, busy))
        return KEEPALIVE_WAIT;
    if (keepalive->ping_ms != 0)
        return KEEPALIVE_LOST;
    if (!busy)
        return KEEPALIVE_IDLE;
    keepalive->ping_ms = now_ms;
    keepalive->ping_after_ms = KEEPALIVE_NEXT_MS;
    return KEEPALIVE_PING;
}
