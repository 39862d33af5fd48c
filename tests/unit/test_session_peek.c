/* The session id of a request: found in any chunking, compressed or not, and never past limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "common/alloc.h"
#include "proto/session_peek.h"

static const char uuid[] = "5f2d9e9a-6c0f-4a52-9d5a-0b1f5c9f4a11";

struct message {
    uint8_t bytes[200000];
    size_t len;
};

static void add(struct message *message, const void *bytes, size_t len)
{
    memcpy(message->bytes + message->len, bytes, len);
    message->len += len;
}

static void add_field(struct message *message, uint8_t tag, const void *bytes, size_t len)
{
    uint8_t head[4] = {tag, (uint8_t)(len | 0x80), (uint8_t)(len >> 7 | 0x80),
                       (uint8_t)(len >> 14)};
    add(message, head, sizeof head);
    add(message, bytes, len);
}

static struct message *framed(const struct message *payload, const char *encoding)
{
    struct message *framed = xcalloc(1, sizeof *framed);
    if (encoding == NULL) {
        add(framed, (uint8_t[5]){0}, 5);
        add(framed, payload->bytes, payload->len);
    } else {
        z_stream stream = {0};
        bool gzip = strcmp(encoding, "gzip") == 0;
        assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, gzip ? 31 : 15, 8, 0), Z_OK);
        stream.next_in = (uint8_t *)payload->bytes;
        stream.avail_in = (uInt)payload->len;
        stream.next_out = framed->bytes + 5;
        stream.avail_out = sizeof framed->bytes - 5;
        assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
        framed->len = 5 + stream.total_out;
        framed->bytes[0] = 1;
        deflateEnd(&stream);
    }
    size_t len = framed->len - 5;
    framed->bytes[1] = (uint8_t)(len >> 24);
    framed->bytes[2] = (uint8_t)(len >> 16);
    framed->bytes[3] = (uint8_t)(len >> 8);
    framed->bytes[4] = (uint8_t)len;
    return framed;
}

static enum session_peek_result feed(struct session_peek *peek, const struct message *message,
                                     size_t chunk)
{
    enum session_peek_result result = SESSION_PEEK_MORE;
    for (size_t at = 0; at < message->len && result == SESSION_PEEK_MORE; at += chunk)
        result = session_peek_feed(peek, message->bytes + at,
                                   message->len - at < chunk ? message->len - at : chunk);
    return result;
}

static void expect(const struct message *payload, const char *encoding,
                   enum session_peek_result expected)
{
    static const size_t chunks[] = {1, 2, 7, 64, 100000};
    struct message *message = framed(payload, encoding);
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        struct session_peek peek;
        session_peek_init(&peek, encoding);
        assert_int_equal(feed(&peek, message, chunks[i]), expected);
        if (expected == SESSION_PEEK_FOUND)
            assert_string_equal(peek.session_id, uuid);
        session_peek_finish(&peek);
    }
    free(message);
}

static void test_found(void **state)
{
    struct message *first = xcalloc(1, sizeof *first), *later = xcalloc(1, sizeof *later);
    uint8_t junk[300];
    memset(junk, 0xab, sizeof junk);
    add_field(first, 0x0a, uuid, strlen(uuid));
    add_field(first, 0x12, junk, sizeof junk);
    /* Field 1 after others, of every wire type. */
    add_field(later, 0x12, junk, sizeof junk);
    add(later, "\x18\x96\x01", 3);
    add(later, "\x21\1\2\3\4\5\6\7\x8", 9);
    add(later, "\x2d\1\2\3\4", 5);
    add_field(later, 0x0a, uuid, strlen(uuid));
    const char *const encodings[] = {NULL, "gzip", "deflate"};
    for (size_t i = 0; i < 3; i++) {
        expect(first, encodings[i], SESSION_PEEK_FOUND);
        expect(later, encodings[i], SESSION_PEEK_FOUND);
    }
    free(first);
    free(later);
}

static void test_absent(void **state)
{
    struct message *message = xcalloc(1, sizeof *message);
    expect(message, NULL, SESSION_PEEK_ABSENT); /* empty */
    add_field(message, 0x12, "user", 4);
    expect(message, NULL, SESSION_PEEK_ABSENT);
    expect(message, "gzip", SESSION_PEEK_ABSENT);
    message->len = 0;
    add_field(message, 0x0a, "", 0);
    expect(message, NULL, SESSION_PEEK_ABSENT);
    message->len = 0;
    add_field(message, 0x0a, "a\r\nx: y", 7); /* no header's value */
    expect(message, NULL, SESSION_PEEK_ABSENT);
    message->len = 0;
    uint8_t *long_id = xcalloc(1, 1000);
    memset(long_id, 'a', 1000);
    add_field(message, 0x0a, long_id, 1000);
    expect(message, NULL, SESSION_PEEK_ABSENT);
    free(long_id);
    /* Behind more than may be skipped. */
    message->len = 0;
    uint8_t *big = xcalloc(1, SESSION_PEEK_MAX_BYTES);
    add_field(message, 0x12, big, SESSION_PEEK_MAX_BYTES);
    add_field(message, 0x0a, uuid, strlen(uuid));
    expect(message, NULL, SESSION_PEEK_ABSENT);
    free(big);
    free(message);
}

/* It needs no decompression, so that the encoding need not be known. */
static void test_empty_compressed_message(void **state)
{
    static const uint8_t prefix[GRPC_PREFIX_BYTES] = {1};
    static const char *const encodings[] = {"gzip", "snappy", "identity"};
    for (size_t i = 0; i < sizeof encodings / sizeof encodings[0]; i++) {
        struct session_peek peek;
        session_peek_init(&peek, encodings[i]);
        assert_int_equal(session_peek_feed(&peek, prefix, sizeof prefix), SESSION_PEEK_ABSENT);
        assert_null(peek.inflate);
        session_peek_finish(&peek);
    }
}

static void test_unreadable(void **state)
{
    struct message *message = xcalloc(1, sizeof *message);
    add(message, "\x0b\1", 2); /* a group: no wire type of proto3 */
    expect(message, NULL, SESSION_PEEK_UNREADABLE);
    message->len = 0;
    add(message, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11); /* no varint */
    expect(message, NULL, SESSION_PEEK_UNREADABLE);
    message->len = 0;
    add_field(message, 0x0a, "\xff\xfe", 2); /* no UTF-8; also no header's value */
    struct message *not_utf8 = framed(message, NULL);
    struct session_peek peek;
    session_peek_init(&peek, NULL);
    assert_int_not_equal(feed(&peek, not_utf8, 1), SESSION_PEEK_FOUND);
    session_peek_finish(&peek);
    /* Compressed, but not by what it says, or by something unknown. */
    not_utf8->bytes[0] = 1;
    session_peek_init(&peek, "gzip");
    assert_int_equal(feed(&peek, not_utf8, 3), SESSION_PEEK_UNREADABLE);
    session_peek_finish(&peek);
    session_peek_init(&peek, "snappy");
    assert_int_equal(feed(&peek, not_utf8, 3), SESSION_PEEK_UNREADABLE);
    session_peek_finish(&peek);
    free(not_utf8);
    free(message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_absent),
        cmocka_unit_test(test_empty_compressed_message),
        cmocka_unit_test(test_unreadable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
