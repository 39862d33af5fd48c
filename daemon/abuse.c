/* Watches one client's frames for what costs the bridge more than the client. */
#include "daemon/abuse.h"

#include "daemon/engine.h"

enum {
    BOMB_FACTOR = 4,
    FIELD_OVERHEAD_BYTES = 32, /* RFC 9113, 6.5.2 */
    UPDATES_PER_DATA = 4,
    TINY_DATA_BYTES = 64,    /* what is smaller may be the work of a tiny window */
    MAX_PADDING_BYTES = 256, /* with the length of the padding itself */
};

struct rate {
    uint32_t burst, per_second;
};

/* What honest clients were seen to do, and so what is far from it:
 * - RST_STREAM: PySpark cancels three streams for an interrupt; tonic resets each stream that it
 *   has read to its end. So an answered call pays for its reset, and the rate is for the rest.
 * - Errors: none of any client. nghttp2 (1.57 and later) and Rust's h2 allow about 1,000.
 * - SETTINGS: grpc-go sends up to ten in the first seconds of a large result, others one or two.
 * - PING: gRPC measures the path while it reads: the C library at most ten times a second, grpc-go
 *   whenever a frame of DATA comes and its last PING is answered. So each frame pays for one. What
 *   is left are keepalives, at most one in ten seconds.
 * - WINDOW_UPDATE: two for a frame of DATA in the simplest clients, one for many in most; paid for
 *   by DATA too.
 * - Empty DATA: one a call, with END_STREAM, which is not counted.
 * - PRIORITY and other frames: none of any gRPC library. */
static const struct rate rates[ABUSE_BUCKETS] = {
    [ABUSE_RESET] = {2000, 200},          [ABUSE_MADE_RESET] = {1000, 33},
    [ABUSE_SETTINGS] = {100, 10},         [ABUSE_PING] = {1000, 100},
    [ABUSE_WINDOW_UPDATE] = {5000, 1000}, [ABUSE_EMPTY_DATA] = {1000, 100},
    [ABUSE_OTHER] = {1000, 100},
};

static void add_tokens(struct abuse *abuse, enum abuse_kind kind, uint64_t count)
{
    struct token_bucket *bucket = &abuse->buckets[kind];
    uint32_t room = rates[kind].burst - bucket->tokens;
    bucket->tokens += count < room ? (uint32_t)count : room;
}

/* False where the bucket is empty. */
static bool take_token(struct abuse *abuse, enum abuse_kind kind, uint64_t now_ms)
{
    struct token_bucket *bucket = &abuse->buckets[kind];
    if (bucket->tokens == 0) {
        /* Only whole tokens are added, and only their time is used up. */
        uint64_t count = (now_ms - bucket->filled_ms) * rates[kind].per_second / 1000;
        bucket->filled_ms += count * 1000 / rates[kind].per_second;
        add_tokens(abuse, kind, count);
    }
    if (bucket->tokens == 0)
        return false;
    bucket->tokens--;
    return true;
}

void abuse_init(struct abuse *abuse, uint64_t now_ms)
{
    *abuse = (struct abuse){0};
    for (int kind = 0; kind < ABUSE_BUCKETS; kind++)
        abuse->buckets[kind] =
            (struct token_bucket){.tokens = rates[kind].burst, .filled_ms = now_ms};
}

/* A header block goes from HEADERS to the frame that has END_HEADERS. */
static bool follow_block(struct abuse *abuse, const struct frame_info *frame)
{
    if (frame->type == NGHTTP2_HEADERS) {
        abuse->blocks++;
        abuse->continuations = 0;
    } else {
        abuse->continuations++;
    }
    abuse->in_block = (frame->flags & NGHTTP2_FLAG_END_HEADERS) == 0;
    return abuse->continuations <= ABUSE_MAX_CONTINUATIONS;
}

/* DATA without anything in it, or with nothing but padding, which does not end the stream. */
static bool is_empty(const struct frame_info *frame)
{
    if ((frame->flags & NGHTTP2_FLAG_END_STREAM) != 0)
        return false;
    return frame->len == 0 ||
           ((frame->flags & NGHTTP2_FLAG_PADDED) != 0 && frame->len <= MAX_PADDING_BYTES);
}

static enum abuse_kind count_frame(struct abuse *abuse, const struct frame_info *frame,
                                   uint64_t now_ms)
{
    enum abuse_kind kind = ABUSE_OTHER;
    switch (frame->type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION: return follow_block(abuse, frame) ? ABUSE_NONE : ABUSE_CONTINUATION;
    case NGHTTP2_DATA:
        if (!is_empty(frame))
            return ABUSE_NONE;
        kind = ABUSE_EMPTY_DATA;
        break;
    case NGHTTP2_RST_STREAM: kind = ABUSE_RESET; break;
    case NGHTTP2_SETTINGS: kind = ABUSE_SETTINGS; break;
    case NGHTTP2_PING: kind = ABUSE_PING; break;
    case NGHTTP2_WINDOW_UPDATE: kind = ABUSE_WINDOW_UPDATE; break;
    default: break;
    }
    return take_token(abuse, kind, now_ms) ? ABUSE_NONE : kind;
}

enum abuse_kind abuse_feed(struct abuse *abuse, const uint8_t *bytes, size_t len, uint64_t now_ms)
{
    struct frame_info frame;
    while (frame_scan_next(&abuse->scan, &bytes, &len, &frame)) {
        enum abuse_kind kind = count_frame(abuse, &frame, now_ms);
        abuse->has_frame = abuse->has_begun; /* with the next one's header the last one is whole */
        abuse->has_begun = true;
        abuse->error_code = stream_ids_on_frame(&abuse->ids, &frame);
        if (abuse->error_code != NGHTTP2_NO_ERROR)
            return ABUSE_BROKEN;
        if (kind != ABUSE_NONE)
            return kind;
    }
    if (abuse->has_begun && abuse->scan.payload_left == 0)
        abuse->has_frame = true;
    return ABUSE_NONE;
}

enum abuse_unfinished abuse_unfinished(const struct abuse *abuse)
{
    uint8_t type = abuse->scan.header[3];
    bool partial =
        abuse->scan.payload_left > 0 && (type == NGHTTP2_HEADERS || type == NGHTTP2_CONTINUATION);
    if (!abuse->has_frame)
        return ABUSE_UNFINISHED_PREFACE;
    return abuse->in_block || partial ? ABUSE_UNFINISHED_HEADERS : ABUSE_UNFINISHED_NONE;
}

void abuse_on_block(struct abuse *abuse)
{
    abuse->block_bytes = 0;
}

bool abuse_on_field(struct abuse *abuse, size_t name_len, size_t value_len, size_t max_bytes)
{
    abuse->block_bytes += name_len + value_len + FIELD_OVERHEAD_BYTES;
    return abuse->block_bytes <= BOMB_FACTOR * max_bytes;
}

bool abuse_is_made_reset(uint32_t error_code, bool has_call)
{
    bool may_be_ours = error_code == NGHTTP2_NO_ERROR || error_code == NGHTTP2_CANCEL ||
                       error_code == NGHTTP2_REFUSED_STREAM;
    return !has_call || !may_be_ours;
}

bool abuse_on_made_reset(struct abuse *abuse, uint64_t now_ms)
{
    return take_token(abuse, ABUSE_MADE_RESET, now_ms);
}

void abuse_on_answered(struct abuse *abuse)
{
    add_tokens(abuse, ABUSE_RESET, 1);
}

void abuse_on_data_sent(struct abuse *abuse, size_t len)
{
    add_tokens(abuse, ABUSE_PING, 1);
    if (len >= TINY_DATA_BYTES)
        add_tokens(abuse, ABUSE_WINDOW_UPDATE, UPDATES_PER_DATA);
}

void abuse_set_options(nghttp2_option *option)
{
    /* Between two looks of ours lies one read of the socket. */
    nghttp2_option_set_max_outbound_ack(option, ENGINE_READ_BYTES);
#ifdef HAVE_STREAM_RESET_RATE_LIMIT
    nghttp2_option_set_stream_reset_rate_limit(option, UINT64_MAX, 0);
#endif
#ifdef HAVE_MAX_CONTINUATIONS
    nghttp2_option_set_max_continuations(option, ENGINE_READ_BYTES);
#endif
#ifdef HAVE_GLITCH_RATE_LIMIT
    /* Faults of all kinds, some of which are not seen here; it answers as we do. */
    nghttp2_option_set_glitch_rate_limit(option, rates[ABUSE_MADE_RESET].burst,
                                         rates[ABUSE_MADE_RESET].per_second);
#endif
}

const char *abuse_name(enum abuse_kind kind)
{
    static const char *const names[] = {
        [ABUSE_RESET] = "RST_STREAM",
        [ABUSE_MADE_RESET] = "errors on streams",
        [ABUSE_SETTINGS] = "SETTINGS",
        [ABUSE_PING] = "PING",
        [ABUSE_WINDOW_UPDATE] = "WINDOW_UPDATE",
        [ABUSE_EMPTY_DATA] = "empty DATA",
        [ABUSE_OTHER] = "frames that gRPC does not use",
        [ABUSE_CONTINUATION] = "CONTINUATION",
        [ABUSE_HEADERS] = "headers in a block",
        [ABUSE_BACKLOG] = "answers that it does not read",
        [ABUSE_SLOW_PREFACE] = "seconds without a frame",
        [ABUSE_SLOW_HEADERS] = "seconds for a header block",
        [ABUSE_BROKEN] = "frames on closed streams",
    };
    return names[kind];
}
