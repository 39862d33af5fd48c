/* The messages of grpc.health.v1.Health. */
#include "proto/health.h"

#include <string.h>

#include "proto/grpc_framing.h"
#include "proto/health.pb-c.h"

bool health_knows(const uint8_t *bytes, size_t len, bool *ret_readable)
{
    struct grpc_framing framing = {0};
    *ret_readable = false;
    grpc_framing_feed(&framing, bytes, len);
    if (len < GRPC_PREFIX_BYTES || framing.boundary != len || bytes[0] != 0)
        return false;
    Sparkbridge__Health__HealthCheckRequest *request =
        sparkbridge__health__health_check_request__unpack(NULL, len - GRPC_PREFIX_BYTES,
                                                          bytes + GRPC_PREFIX_BYTES);
    if (request == NULL)
        return false;
    *ret_readable = true;
    bool known = request->service[0] == '\0' ||
                 strcmp(request->service, "spark.connect.SparkConnectService") == 0;
    sparkbridge__health__health_check_request__free_unpacked(request, NULL);
    return known;
}

size_t health_response(enum health_status status, uint8_t ret_bytes[HEALTH_MESSAGE_BYTES])
{
    Sparkbridge__Health__HealthCheckResponse response =
        SPARKBRIDGE__HEALTH__HEALTH_CHECK_RESPONSE__INIT;
    response.status = (Sparkbridge__Health__HealthCheckResponse__ServingStatus)status;
    size_t len =
        sparkbridge__health__health_check_response__pack(&response, ret_bytes + GRPC_PREFIX_BYTES);
    memset(ret_bytes, 0, GRPC_PREFIX_BYTES - 1);
    ret_bytes[GRPC_PREFIX_BYTES - 1] = (uint8_t)len;
    return GRPC_PREFIX_BYTES + len;
}
