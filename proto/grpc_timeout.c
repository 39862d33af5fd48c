/* grpc-timeout. */
#include "proto/grpc_timeout.h"

#include <stddef.h>

enum { MAX_DIGITS = 8 };

/* A unit as a fraction of milliseconds. */
struct unit {
    char letter;
    uint32_t ms, parts;
};

static const struct unit units[] = {
    {'H', 3600000, 1}, {'M', 60000, 1}, {'S', 1000, 1},
    {'m', 1, 1},       {'u', 1, 1000},  {'n', 1, 1000000},
};

bool grpc_timeout_parse(const char *text, uint64_t *ret_ms)
{
    uint64_t number = 0;
    size_t digits = 0;
    for (; text[digits] >= '0' && text[digits] <= '9'; digits++) {
        if (digits == MAX_DIGITS)
            return false;
        number = number * 10 + (uint64_t)(text[digits] - '0');
    }
    if (digits == 0 || text[digits] == '\0' || text[digits + 1] != '\0')
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (units[i].letter == text[digits]) {
            *ret_ms = (number * units[i].ms + units[i].parts - 1) / units[i].parts;
            return true;
        }
    }
    return false;
}
