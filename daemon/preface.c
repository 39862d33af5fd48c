/* What a client speaks that does not speak HTTP/2 with prior knowledge. */
#include "daemon/preface.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"

#define HTTP1_SENTENCE                                                                             \
    "This port is sparkbridge. It speaks gRPC over plaintext HTTP/2 for Spark Connect\n"           \
    "clients: use sc://localhost:PORT in one, without a token and without TLS.\n"

/* A TLS record with a ClientHello: type 22, version 3.x (RFC 8446, 5.1). */
static bool is_tls(const uint8_t *bytes, size_t len)
{
    return len >= 2 && bytes[0] == 22 && bytes[1] == 3;
}

static bool is_http1(const uint8_t *bytes, size_t len)
{
    static const char *const methods[] = {
        "GET ", "POST ", "HEAD ", "PUT ", "DELETE ", "OPTIONS ", "CONNECT ", "PATCH ", "TRACE ",
    };
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (len >= strlen(methods[i]) && memcmp(bytes, methods[i], strlen(methods[i])) == 0)
            return true;
    return false;
}

struct preface_answer preface_answer(const uint8_t *bytes, size_t len)
{
    /* Alert, TLS 1.0 as in a first ClientHello, fatal, protocol_version (RFC 8446, 6). */
    static const uint8_t alert[] = {21, 3, 1, 0, 2, 2, 70};
    static const char http1[] = "HTTP/1.1 505 HTTP Version Not Supported\r\n"
                                "content-type: text/plain; charset=utf-8\r\n"
                                "connection: close\r\n"
                                "\r\n" HTTP1_SENTENCE;

    if (is_tls(bytes, len))
        return (struct preface_answer){
            .advice = "a client began TLS on this plaintext port: its connection string must be "
                      "sc://localhost:PORT, without use_ssl=true and without a token",
            .bytes = alert,
            .len = sizeof alert,
        };
    if (is_http1(bytes, len))
        return (struct preface_answer){
            .advice = "a client spoke HTTP/1 on this port, which is for gRPC clients only",
            .bytes = (const uint8_t *)http1,
            .len = sizeof http1 - 1,
        };
    return (struct preface_answer){.advice = "a client did not speak HTTP/2"};
}

void preface_log(const struct preface_answer *answer, struct throttle *throttle, uint64_t now_ms)
{
    unsigned left_out;
    char text[16];
    if (!throttle_pass(throttle, now_ms, PREFACE_LOG_LINES, &left_out))
        return;
    snprintf(text, sizeof text, "%u", left_out);
    log_fields(LOG_LEVEL_WARN, answer->advice, {"not_logged_before", left_out > 0 ? text : NULL});
}
