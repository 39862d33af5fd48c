/*
 * Watches one client's frames for what costs the bridge more than the client: floods, resets,
 * header blocks that never end. Each kind has a token bucket: a burst that is free, and a rate.
 *
 * The rates leave room for every client that was measured; abuse.c says which. Owner: the
 * downstream, which ends the connection (ENHANCE_YOUR_CALM) when it is told a kind. Knows no
 * session: it is fed the bytes that nghttp2 accepted, and so it is also who sees the frames that
 * nghttp2 ignores and should not. Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_ABUSE_H
#define SPARKBRIDGE_DAEMON_ABUSE_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/frame_scan.h"
#include "daemon/stream_ids.h"

enum abuse_kind {
    /* With a token bucket each. */
    ABUSE_RESET,         /* Rapid Reset, CVE-2023-44487: calls opened and cancelled */
    ABUSE_MADE_RESET,    /* MadeYouReset, CVE-2025-8671: errors that make us reset */
    ABUSE_SETTINGS,      /* CVE-2019-9515 */
    ABUSE_PING,          /* CVE-2019-9512 */
    ABUSE_WINDOW_UPDATE, /* one byte at a time */
    ABUSE_EMPTY_DATA,    /* CVE-2019-9518 */
    ABUSE_OTHER,         /* PRIORITY (CVE-2019-9513), frames that gRPC does not use */
    ABUSE_BUCKETS,
    /* Seen at once. */
    ABUSE_CONTINUATION = ABUSE_BUCKETS, /* CVE-2024-27316 */
    ABUSE_HEADERS,                      /* a small block that unpacks to a large list */
    ABUSE_BACKLOG,                      /* answers that it has provoked and does not read */
    ABUSE_SLOW_PREFACE,                 /* out of time: the downstream's to decide */
    ABUSE_SLOW_HEADERS,
    ABUSE_BROKEN, /* no flood, but what HTTP/2 forbids: see abuse.error_code */
    ABUSE_NONE,
};

enum {
    ABUSE_MAX_CONTINUATIONS = 16, /* of one header block; 128 KiB need 8 */
    ABUSE_MAX_BACKLOG_FRAMES = 8192,
};

/* What a client has begun and not finished. */
enum abuse_unfinished {
    ABUSE_UNFINISHED_NONE,
    ABUSE_UNFINISHED_PREFACE, /* it has not sent its first frame */
    ABUSE_UNFINISHED_HEADERS, /* a header block */
};

struct token_bucket {
    uint32_t tokens;
    uint64_t filled_ms; /* up to when tokens have been added */
};

struct abuse {
    struct frame_scan scan;
    struct stream_ids ids;
    uint32_t error_code; /* what the connection must end with after ABUSE_BROKEN */
    struct token_bucket buckets[ABUSE_BUCKETS];
    bool has_begun;         /* its first frame */
    bool has_frame;         /* a whole one */
    bool in_block;          /* a header block lacks its last frame */
    unsigned blocks;        /* that have come */
    unsigned continuations; /* of the last one */
    size_t block_bytes;     /* of the list that it unpacks to, so far */
};

void abuse_init(struct abuse *abuse, uint64_t now_ms);

/* Bytes have come from the client. Returns the first kind of which there are too many. */
enum abuse_kind abuse_feed(struct abuse *abuse, const uint8_t *bytes, size_t len, uint64_t now_ms);

enum abuse_unfinished abuse_unfinished(const struct abuse *abuse);

/* A header block begins to be unpacked; then each of its fields is told. False where the block has
 * become a bomb: four times `max_bytes`, up to which it is merely too large. */
void abuse_on_block(struct abuse *abuse);
bool abuse_on_field(struct abuse *abuse, size_t name_len, size_t value_len, size_t max_bytes);

/* Whether a reset that we send is nghttp2's, for what the client did wrong. Ours are for calls that
 * are there, and with other codes. */
bool abuse_is_made_reset(uint32_t error_code, bool has_call);

/* We reset a stream for a fault of the client's; false where that was too often. */
bool abuse_on_made_reset(struct abuse *abuse, uint64_t now_ms);

/* A call ended after it was answered: what the client resets next is no loss. */
void abuse_on_answered(struct abuse *abuse);

/* DATA was sent, which clients answer by WINDOW_UPDATEs and by gRPC's probing PINGs. */
void abuse_on_data_sent(struct abuse *abuse, size_t len);

/* Leaves to this module what it counts: nghttp2 would end such a connection without a word. */
void abuse_set_options(nghttp2_option *option);

/* For log lines and GOAWAY: "RST_STREAM". */
const char *abuse_name(enum abuse_kind kind);

#endif
