/* Any bytes as a client's whole connection, with a workspace that answers. The first byte says
 * whether the connection's beginning is given, in what pieces the bytes come and what the workspace
 * does. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/world.h"

/* How the workspace answers; two bits of the first byte. */
enum manner { ANSWERS, ANSWERS_WITH_STATUS_ONLY, IS_SILENT, IS_NOT_THERE };

static enum manner manner;

static nghttp2_nv field(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value), 0};
}

/* One gRPC message, then the trailers. */
static ssize_t on_read_answer(nghttp2_session *session, int32_t id, uint8_t *buf, size_t len,
                              uint32_t *data_flags, nghttp2_data_source *source, void *user_data)
{
    static const uint8_t message[] = {0, 0, 0, 0, 3, 1, 2, 3};
    nghttp2_nv trailers[] = {field("grpc-status", "0")};
    *data_flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    nghttp2_submit_trailer(session, id, trailers, 1);
    memcpy(buf, message, sizeof message);
    return sizeof message;
}

/* What a client cannot change, whatever it sends. */
static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user_data)
{
    static const struct {
        const char *name, *value;
    } ours[] = {
        {"authorization", "Bearer token"},
        {"x-databricks-cluster-id", "0101-cluster"},
        {":authority", "workspace.test"},
        {":method", "POST"},
    };
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (name_len == strlen(ours[i].name) && memcmp(name, ours[i].name, name_len) == 0)
            world_check(value_len == strlen(ours[i].value) &&
                        memcmp(value, ours[i].value, value_len) == 0);
    return 0;
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    int32_t id = frame->hd.stream_id;
    bool last = (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
                (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    nghttp2_data_provider provider = {.read_callback = on_read_answer};
    nghttp2_nv headers[] = {field(":status", "200"), field("content-type", "application/grpc"),
                            field("grpc-status", "5")};
    if (last && manner == ANSWERS)
        nghttp2_submit_response(session, id, headers, 2, &provider);
    else if (last && manner == ANSWERS_WITH_STATUS_ONLY)
        nghttp2_submit_response(session, id, headers, 3, NULL);
    return 0;
}

static void on_connected(struct end *end)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_server_new(&end->session, callbacks, NULL);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(end->session, NGHTTP2_FLAG_NONE, NULL, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t beginning[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
    static const size_t pieces[] = {SIZE_MAX, 9, 100, 1000};
    if (size == 0)
        return 0;
    struct world *world = world_begin(on_connected);
    manner = (enum manner)(data[0] & 3);
    world->refuses_connections = manner == IS_NOT_THERE;
    size_t piece = pieces[data[0] >> 2 & 3];
    if ((data[0] & 0x10) != 0)
        world_write(world, &world->client, beginning, sizeof beginning - 1);
    for (size_t at = 1; at < size; at += piece) {
        if (piece > size - at)
            piece = size - at;
        world_write(world, &world->client, data + at, piece);
    }
    world_end(world);
    return 0;
}
