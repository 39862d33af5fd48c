/*
 * The Spark session id of a request, read from the first bytes of its first message while they
 * pass, compressed or not.
 *
 * Every request of spark.connect.SparkConnectService has its session_id in field 1 (base.proto),
 * which all clients write first. Only the bytes up to the end of that field are looked at; what is
 * kept is bounded. Owner: the call that embeds it; session_peek_finish() frees it. A zeroed struct
 * that went through session_peek_init() is at the start of a request's body.
 */
#ifndef SPARKBRIDGE_PROTO_SESSION_PEEK_H
#define SPARKBRIDGE_PROTO_SESSION_PEEK_H

#include <stddef.h>
#include <stdint.h>

#include "proto/grpc_framing.h"

enum {
    SESSION_ID_MAX_BYTES = 128, /* Spark wants a UUID: 36 */
    /* The message's start that is looked at, after decompression. Fields before field 1 are
     * skipped without being kept, but not for ever. */
    SESSION_PEEK_MAX_BYTES = 65536,
};

enum session_peek_result {
    SESSION_PEEK_MORE,       /* not there yet */
    SESSION_PEEK_FOUND,      /* session_id is set */
    SESSION_PEEK_ABSENT,     /* the message has none, or nothing that may be a header's value */
    SESSION_PEEK_UNREADABLE, /* an encoding that is not known, or bytes that are no message */
};

struct z_stream_s;

struct session_peek {
    char encoding[16]; /* grpc-encoding, for compressed messages */
    uint8_t prefix[GRPC_PREFIX_BYTES];
    uint8_t prefix_len;
    uint32_t left;                            /* bytes of the message that have not come */
    struct z_stream_s *inflate;               /* owned; for a compressed message */
    uint64_t seen;                            /* bytes of the message, after decompression */
    uint64_t skip;                            /* of a field that is not wanted */
    uint8_t field[SESSION_ID_MAX_BYTES + 16]; /* a field's start: tag, length, value */
    size_t field_len;
    enum session_peek_result result;
    char session_id[SESSION_ID_MAX_BYTES + 1];
};

/* `encoding` is the request's grpc-encoding, or NULL. */
void session_peek_init(struct session_peek *peek, const char *encoding);

/* Goes on by the next bytes of the body; what it returned other than MORE stays. */
enum session_peek_result session_peek_feed(struct session_peek *peek, const uint8_t *bytes,
                                           size_t len);

void session_peek_finish(struct session_peek *peek);

#endif
