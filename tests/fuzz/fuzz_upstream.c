/* Any bytes as what the workspace sends on a whole connection, to a client that has three calls:
 * one complete, one that still sends, one that is cancelled half way. What the client gets is
 * HTTP/2, and no call ends without a status or a reset. The first byte says in what pieces the
 * bytes come, and whether the SETTINGS at the beginning are given. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/world.h"

enum { CALLS = 3, MESSAGE_BYTES = 8 };

static bool has_status[2 * CALLS]; /* by stream id */

static nghttp2_nv field(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value), 0};
}

static ssize_t on_read_request(nghttp2_session *session, int32_t id, uint8_t *buf, size_t len,
                               uint32_t *data_flags, nghttp2_data_source *source, void *user_data)
{
    size_t *left = source->ptr;
    if (*left == 0)
        return NGHTTP2_ERR_DEFERRED;
    memset(buf, 0, MESSAGE_BYTES);
    *left -= MESSAGE_BYTES;
    if (*left == 0 && id == 1)
        *data_flags |= NGHTTP2_DATA_FLAG_EOF;
    return MESSAGE_BYTES;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user_data)
{
    if (name_len == strlen("grpc-status") && memcmp(name, "grpc-status", name_len) == 0)
        has_status[frame->hd.stream_id] = true;
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error_code,
                           void *user_data)
{
    world_check(has_status[id] || error_code != NGHTTP2_NO_ERROR);
    return 0;
}

/* The client is a real one. */
static void become_client(struct end *end)
{
    static size_t left[CALLS];
    nghttp2_session_callbacks *callbacks;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_client_new(&end->session, callbacks, NULL);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(end->session, NGHTTP2_FLAG_NONE, NULL, 0);
    memset(has_status, 0, sizeof has_status);
    for (int i = 0; i < CALLS; i++) {
        nghttp2_nv headers[] = {
            field(":method", "POST"),
            field(":scheme", "http"),
            field(":path", "/spark.connect.SparkConnectService/ExecutePlan"),
            field(":authority", "localhost:15002"),
            field("content-type", "application/grpc"),
            field("te", "trailers"),
        };
        left[i] = (size_t)2 * MESSAGE_BYTES;
        nghttp2_data_provider provider = {.source.ptr = &left[i], .read_callback = on_read_request};
        nghttp2_submit_request(end->session, NULL, headers, sizeof headers / sizeof headers[0],
                               &provider, NULL);
    }
}

/* The workspace is the fuzzer. */
static void on_connected(struct end *end)
{
}

static struct end *workspace_of(struct world *world)
{
    world_check(world->workspace_count > 0); /* the calls wait for one */
    return &world->workspaces[world->workspace_count - 1];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t settings[9] = {0, 0, 0, 4, 0, 0, 0, 0, 0};
    static const size_t pieces[] = {SIZE_MAX, 9, 100, 1000};
    if (size == 0)
        return 0;
    struct world *world = world_begin(on_connected);
    become_client(&world->client);
    world_settle(world);
    size_t piece = pieces[data[0] & 3];
    size_t connections = 0;
    for (size_t at = 1; at < size; at += piece) {
        /* A connection that is lost is made again where calls wait for one. */
        if ((data[0] & 4) != 0 && connections < world->workspace_count)
            world_write(world, workspace_of(world), settings, sizeof settings);
        connections = world->workspace_count;
        if (piece > size - at)
            piece = size - at;
        world_write(world, workspace_of(world), data + at, piece);
        if (at == 1 && world->client.session != NULL)
            nghttp2_submit_rst_stream(world->client.session, 0, 2 * CALLS - 1, NGHTTP2_CANCEL);
    }
    world_end(world);
    return 0;
}
