/* The headers that every call has. */
#include "daemon/known_header.h"

#include <string.h>

const char *known_header_name(enum known_header header)
{
    static const char *const names[] = {
        [KNOWN_NONE] = NULL,
        [KNOWN_METHOD] = ":method",
        [KNOWN_SCHEME] = ":scheme",
        [KNOWN_PATH] = ":path",
        [KNOWN_AUTHORITY] = ":authority",
        [KNOWN_STATUS] = ":status",
        [KNOWN_TE] = "te",
        [KNOWN_HOST] = "host",
        [KNOWN_AUTHORIZATION] = "authorization",
        [KNOWN_CONTENT_LENGTH] = "content-length",
        [KNOWN_CONTENT_TYPE] = "content-type",
        [KNOWN_USER_AGENT] = "user-agent",
        [KNOWN_ACCEPT_ENCODING] = "accept-encoding",
        [KNOWN_GRPC_TIMEOUT] = "grpc-timeout",
        [KNOWN_GRPC_ENCODING] = "grpc-encoding",
        [KNOWN_GRPC_ACCEPT_ENCODING] = "grpc-accept-encoding",
        [KNOWN_GRPC_STATUS] = "grpc-status",
        [KNOWN_GRPC_MESSAGE] = "grpc-message",
        [KNOWN_DATE] = "date",
    };
    return names[header];
}

static enum known_header if_same(const char *name, const char *text, size_t len,
                                 enum known_header header)
{
    return memcmp(name, text, len) == 0 ? header : KNOWN_NONE;
}

/* With its length known, most names need one comparison. */
#define IF(text, header) if_same(name, text, sizeof(text) - 1, header)

enum known_header known_header(const char *name, size_t len)
{
    switch (len) {
    case 2: return IF("te", KNOWN_TE);
    case 4: return name[0] == 'h' ? IF("host", KNOWN_HOST) : IF("date", KNOWN_DATE);
    case 5: return IF(":path", KNOWN_PATH);
    case 7:
        if (name[1] == 'm')
            return IF(":method", KNOWN_METHOD);
        return name[2] == 'c' ? IF(":scheme", KNOWN_SCHEME) : IF(":status", KNOWN_STATUS);
    case 10:
        return name[0] == 'u' ? IF("user-agent", KNOWN_USER_AGENT)
                              : IF(":authority", KNOWN_AUTHORITY);
    case 11: return IF("grpc-status", KNOWN_GRPC_STATUS);
    case 12:
        if (name[0] == 'c')
            return IF("content-type", KNOWN_CONTENT_TYPE);
        return name[5] == 't' ? IF("grpc-timeout", KNOWN_GRPC_TIMEOUT)
                              : IF("grpc-message", KNOWN_GRPC_MESSAGE);
    case 13:
        return name[0] == 'a' ? IF("authorization", KNOWN_AUTHORIZATION)
                              : IF("grpc-encoding", KNOWN_GRPC_ENCODING);
    case 14: return IF("content-length", KNOWN_CONTENT_LENGTH);
    case 15: return IF("accept-encoding", KNOWN_ACCEPT_ENCODING);
    case 20: return IF("grpc-accept-encoding", KNOWN_GRPC_ACCEPT_ENCODING);
    default: return KNOWN_NONE;
    }
}
