/* gRPC status codes and the encoding of grpc-message. */
#include "proto/grpc_status.h"

#include <stdbool.h>

#include "common/ascii.h"

const char *grpc_code_name(int code)
{
    static const char *const names[] = {
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    };
    if (code < 0 || (size_t)code >= sizeof names / sizeof names[0])
        return "UNKNOWN";
    return names[code];
}

enum grpc_code grpc_code_from_http(int http_status)
{
    switch (http_status) {
    case 400: return GRPC_INTERNAL;
    case 401: return GRPC_UNAUTHENTICATED;
    case 403: return GRPC_PERMISSION_DENIED;
    case 404: return GRPC_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504: return GRPC_UNAVAILABLE;
    default: return GRPC_UNKNOWN;
    }
}

size_t grpc_message_encode(const char *text, char *ret_text, size_t size)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t len = 0;
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = c >= 0x20 && c <= 0x7e && c != '%';
        size_t need = plain ? 1 : 3;
        if (len + need >= size)
            break;
        if (plain) {
            ret_text[len] = (char)c;
        } else {
            ret_text[len] = '%';
            ret_text[len + 1] = hex[c >> 4];
            ret_text[len + 2] = hex[c & 15];
        }
        len += need;
    }
    ret_text[len] = '\0';
    return len;
}

size_t grpc_message_decode(const char *text, size_t len, char *ret_text, size_t size)
{
    size_t out = 0;
    for (size_t i = 0; i < len && out + 1 < size; i++) {
        char c = text[i];
        int high = c == '%' && i + 2 < len ? ascii_hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? ascii_hex_digit(text[i + 2]) : -1;
        if (low >= 0) {
            c = (char)(high << 4 | low);
            i += 2;
        }
        ret_text[out++] = c;
    }
    ret_text[out] = '\0';
    return out;
}
