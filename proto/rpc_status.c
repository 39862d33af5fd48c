/* A call's end that the bridge itself decides, and its serialized form. */
#include "proto/rpc_status.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "proto/rpc.pb-c.h"

enum { SERIALIZED_BYTES = 1400 };

void rpc_status_set(struct rpc_status *status, enum grpc_code code, const char *reason,
                    const char *format, ...)
{
    status->code = code;
    status->reason = reason;
    va_list args;
    va_start(args, format);
    vsnprintf(status->message, sizeof status->message, format, args);
    va_end(args);
    /* Text of the upstream may be part of it. Bytes that are not ASCII could be cut in the middle
     * of a character, and a protobuf string must be valid UTF-8. */
    for (char *c = status->message; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e)
            *c = '?';
}

size_t rpc_status_details(const struct rpc_status *status, char ret_text[RPC_DETAILS_BYTES])
{
    static char type_url[] = "type.googleapis.com/google.rpc.ErrorInfo";
    static char domain[] = "sparkbridge";

    Sparkbridge__Rpc__ErrorInfo info = SPARKBRIDGE__RPC__ERROR_INFO__INIT;
    info.reason = (char *)status->reason;
    info.domain = domain;
    uint8_t info_bytes[256];
    assert(sparkbridge__rpc__error_info__get_packed_size(&info) <= sizeof info_bytes);
    size_t info_len = sparkbridge__rpc__error_info__pack(&info, info_bytes);

    Sparkbridge__Rpc__Any any = SPARKBRIDGE__RPC__ANY__INIT;
    any.type_url = type_url;
    any.value = (ProtobufCBinaryData){.len = info_len, .data = info_bytes};
    Sparkbridge__Rpc__Any *details[] = {&any};

    Sparkbridge__Rpc__Status message = SPARKBRIDGE__RPC__STATUS__INIT;
    message.code = (int32_t)status->code;
    message.message = (char *)status->message;
    message.n_details = 1;
    message.details = details;
    uint8_t bytes[SERIALIZED_BYTES];
    assert(sparkbridge__rpc__status__get_packed_size(&message) <= sizeof bytes);
    size_t len = sparkbridge__rpc__status__pack(&message, bytes);

    static_assert((SERIALIZED_BYTES + 2) / 3 * 4 + 1 <= RPC_DETAILS_BYTES, "base64 fits");
    size_t text_len = (size_t)EVP_EncodeBlock((unsigned char *)ret_text, bytes, (int)len);
    while (text_len > 0 && ret_text[text_len - 1] == '=')
        ret_text[--text_len] = '\0';
    return text_len;
}
