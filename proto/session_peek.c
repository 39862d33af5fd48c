/* The Spark session id of a request, read while its first bytes pass. */
#include "proto/session_peek.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "common/alloc.h"
#include "proto/spark.pb-c.h"

/* Protocol Buffers' wire types (encoding.md). */
enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

enum { SESSION_ID_FIELD = 1, VARINT_MAX_BYTES = 10, INFLATE_CHUNK_BYTES = 1024 };

void session_peek_init(struct session_peek *peek, const char *encoding)
{
    *peek = (struct session_peek){.result = SESSION_PEEK_MORE};
    snprintf(peek->encoding, sizeof peek->encoding, "%s", encoding != NULL ? encoding : "identity");
}

void session_peek_finish(struct session_peek *peek)
{
    if (peek->inflate != NULL)
        inflateEnd(peek->inflate);
    free(peek->inflate);
    peek->inflate = NULL;
}

/* Reads a varint at `at`; 0 where it is not whole yet, -1 where it is none. */
static int read_varint(const struct session_peek *peek, size_t at, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (size_t i = 0; i < VARINT_MAX_BYTES; i++) {
        if (at + i >= peek->field_len)
            return 0;
        uint8_t byte = peek->field[at + i];
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) == 0) {
            *ret_value = value;
            return (int)i + 1;
        }
    }
    return -1;
}

static bool is_header_value(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return len > 0;
}

/* The whole field is in peek->field: protobuf-c reads and checks it. */
static enum session_peek_result read_session_id(struct session_peek *peek)
{
    Sparkbridge__Spark__RequestStart *message =
        sparkbridge__spark__request_start__unpack(NULL, peek->field_len, peek->field);
    if (message == NULL)
        return SESSION_PEEK_UNREADABLE;
    size_t len = strlen(message->session_id);
    enum session_peek_result result = SESSION_PEEK_ABSENT;
    if (len <= SESSION_ID_MAX_BYTES && is_header_value(message->session_id, len)) {
        memcpy(peek->session_id, message->session_id, len + 1);
        result = SESSION_PEEK_FOUND;
    }
    sparkbridge__spark__request_start__free_unpacked(message, NULL);
    return result;
}

/* Looks at the field whose start is in peek->field. */
static enum session_peek_result look_at_field(struct session_peek *peek)
{
    uint64_t tag = 0, value = 0;
    int tag_len = read_varint(peek, 0, &tag);
    if (tag_len <= 0)
        return tag_len == 0 ? SESSION_PEEK_MORE : SESSION_PEEK_UNREADABLE;
    int value_len = 0;
    enum wire_type type = (enum wire_type)(tag & 7);
    if (type == WIRE_VARINT || type == WIRE_BYTES) {
        value_len = read_varint(peek, (size_t)tag_len, &value);
        if (value_len <= 0)
            return value_len == 0 ? SESSION_PEEK_MORE : SESSION_PEEK_UNREADABLE;
    }
    if (tag >> 3 == SESSION_ID_FIELD && type == WIRE_BYTES) {
        size_t start = (size_t)tag_len + (size_t)value_len;
        if (value > SESSION_ID_MAX_BYTES)
            return SESSION_PEEK_ABSENT;
        return peek->field_len < start + value ? SESSION_PEEK_MORE : read_session_id(peek);
    }
    switch (type) {
    case WIRE_VARINT: break;
    case WIRE_FIXED64: peek->skip = 8; break;
    case WIRE_FIXED32: peek->skip = 4; break;
    case WIRE_BYTES: peek->skip = value; break;
    default: return SESSION_PEEK_UNREADABLE;
    }
    peek->field_len = 0;
    return SESSION_PEEK_MORE;
}

/* Bytes of the message itself. */
static void feed_message(struct session_peek *peek, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len && peek->result == SESSION_PEEK_MORE; i++) {
        if (++peek->seen > SESSION_PEEK_MAX_BYTES) {
            peek->result = SESSION_PEEK_ABSENT;
        } else if (peek->skip > 0) {
            peek->skip--;
        } else {
            peek->field[peek->field_len++] = bytes[i];
            peek->result = look_at_field(peek);
        }
    }
}

static void feed_compressed(struct session_peek *peek, const uint8_t *bytes, size_t len)
{
    uint8_t plain[INFLATE_CHUNK_BYTES];
    z_stream *stream = peek->inflate;
    stream->next_in = (uint8_t *)bytes;
    stream->avail_in = (uInt)len;
    int rv = Z_OK;
    while (peek->result == SESSION_PEEK_MORE && rv == Z_OK) {
        stream->next_out = plain;
        stream->avail_out = sizeof plain;
        rv = inflate(stream, Z_NO_FLUSH);
        feed_message(peek, plain, sizeof plain - stream->avail_out);
    }
    if (peek->result == SESSION_PEEK_MORE && rv != Z_OK && rv != Z_BUF_ERROR)
        peek->result = rv == Z_STREAM_END ? SESSION_PEEK_ABSENT : SESSION_PEEK_UNREADABLE;
}

/* The prefix is whole: how is the message to be read? */
static void begin_message(struct session_peek *peek)
{
    peek->left = grpc_message_length(peek->prefix);
    if (peek->left == 0) {
        peek->result = SESSION_PEEK_ABSENT; /* nothing to inflate, whatever the encoding */
        return;
    }
    if (peek->prefix[0] == 0)
        return;
    bool known = strcmp(peek->encoding, "gzip") == 0 || strcmp(peek->encoding, "deflate") == 0;
    if (peek->prefix[0] != 1 || !known) {
        peek->result = SESSION_PEEK_UNREADABLE;
        return;
    }
    peek->inflate = xcalloc(1, sizeof *peek->inflate);
    /* 32 added to the window's bits: gzip's header or zlib's, as it comes. */
    if (inflateInit2(peek->inflate, 15 + 32) != Z_OK)
        peek->result = SESSION_PEEK_UNREADABLE;
}

enum session_peek_result session_peek_feed(struct session_peek *peek, const uint8_t *bytes,
                                           size_t len)
{
    while (len > 0 && peek->result == SESSION_PEEK_MORE && peek->prefix_len < GRPC_PREFIX_BYTES) {
        peek->prefix[peek->prefix_len++] = *bytes++;
        len--;
        if (peek->prefix_len == GRPC_PREFIX_BYTES)
            begin_message(peek);
    }
    if (len == 0 || peek->result != SESSION_PEEK_MORE)
        return peek->result;
    size_t n = len < peek->left ? len : peek->left;
    peek->left -= (uint32_t)n;
    if (peek->inflate != NULL)
        feed_compressed(peek, bytes, n);
    else
        feed_message(peek, bytes, n);
    if (peek->left == 0 && peek->result == SESSION_PEEK_MORE)
        peek->result = SESSION_PEEK_ABSENT; /* the message is over */
    if (peek->result != SESSION_PEEK_MORE)
        session_peek_finish(peek); /* inflate needs 40 KB: only as long as needed */
    return peek->result;
}
