/* A gRPC status as header fields. */
#include "daemon/status_fields.h"

#include <stdio.h>

void status_fields_add(struct header_list *list, const struct rpc_status *status)
{
    char text[RPC_DETAILS_BYTES];
    snprintf(text, sizeof text, "%d", (int)status->code);
    header_list_add_text(list, "grpc-status", text);
    grpc_message_encode(status->message, text, sizeof text);
    header_list_add_text(list, "grpc-message", text);
    rpc_status_details(status, text);
    header_list_add_text(list, "grpc-status-details-bin", text);
}

void status_fields_add_answer(struct header_list *list, const struct rpc_status *status)
{
    header_list_add_text(list, ":status", "200");
    header_list_add_text(list, "content-type", "application/grpc");
    status_fields_add(list, status);
}
