/*
 * Takes the credential out of what a workspace, or whatever is in front of it, says.
 *
 * A server that echoes a request's headers in its error text would hand the bridge's token to any
 * client. Header values and trailers are searched as they are, grpc-message also without its
 * percent-encoding, and -bin values without their base64. DATA is not: it may be compressed, a
 * search would have to hold it back at every frame's end, and a workspace that wants to give the
 * token away has endless ways to write it. This is against accidents. Stateless.
 */
#ifndef SPARKBRIDGE_DAEMON_SCRUB_H
#define SPARKBRIDGE_DAEMON_SCRUB_H

#include <stdbool.h>

#include "conf/binding.h"
#include "daemon/header_list.h"

enum {
    /* Anything shorter is no credential, and its bytes are in many words. */
    SCRUB_TOKEN_MIN_BYTES = 8,
    SCRUB_HEADER_MIN_BYTES = 16, /* of the connection string's further headers */
};

/* In grpc-message `[token]` takes its place; any other field that holds it is removed. True where
 * there was something to do. The time is bounded by the list's size and the binding's. */
bool scrub_headers(struct header_list *headers, const struct binding *binding);

#endif
