/* The data path in a fuzz target. */
#include "tests/fuzz/world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/log.h"
#include "conf/config.h"
#include "daemon/access.h"
#include "daemon/connect.h"
#include "daemon/downstream.h"
#include "daemon/pool.h"
#include "daemon/quota.h"

enum { MAX_STEPS = 200, CLIENT_UID = 1000 };

/* What a dial is waiting for. */
struct connect {
    connect_callback callback;
    void *owner;
};

/* The daemon's side. */
static struct {
    bool ready;
    uv_loop_t loop;
    struct engine engine;
    struct quota quota;
    struct tls_context *tls;
    struct downstream_set clients;
    struct connect *dialing; /* owned; a pool dials one at a time */
} bridge;

static struct world the_world;

void world_check(bool holds)
{
    if (!holds)
        abort();
}

/* ---- in place of the network and of TLS ----------------------------------------------------- */

__typeof__(connect_start) __wrap_connect_start;
__typeof__(connect_cancel) __wrap_connect_cancel;
__typeof__(tls_create) __wrap_tls_create;

struct connect *__wrap_connect_start(struct connector *connector,
                                     const struct connect_target *target, connect_callback callback,
                                     void *owner)
{
    world_check(bridge.dialing == NULL);
    bridge.dialing = xcalloc(1, sizeof *bridge.dialing);
    *bridge.dialing = (struct connect){.callback = callback, .owner = owner};
    return bridge.dialing;
}

void __wrap_connect_cancel(struct connect *connect)
{
    if (connect != NULL)
        bridge.dialing = NULL;
    free(connect);
}

struct tls *__wrap_tls_create(struct tls_context *context, const char *host,
                              struct tls_ticket *ticket)
{
    return NULL;
}

/* A connected pair: the bridge's end as a transport, ours as a descriptor that does not block. */
static struct transport *make_pair(struct end *end)
{
    int fds[2];
    world_check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
    struct transport *transport = transport_create_pipe(&bridge.engine);
    world_check(uv_pipe_open((uv_pipe_t *)transport_stream(transport), fds[0]) == 0);
    *end = (struct end){.fd = fds[1]};
    return transport;
}

static bool finish_dialing(struct world *world)
{
    struct connect *connect = bridge.dialing;
    if (connect == NULL)
        return false;
    bridge.dialing = NULL;
    struct connect_result result = {.failure = CONNECT_FAILED_CONNECT, .text = "refused"};
    if (!world->refuses_connections && world->workspace_count < WORLD_MAX_UPSTREAMS) {
        struct end *end = &world->workspaces[world->workspace_count++];
        result.transport = make_pair(end);
        world->on_connected(end);
    }
    connect->callback(connect->owner, &result);
    free(connect);
    return true;
}

/* ---- our ends ---------------------------------------------------------------------------------
 */

static bool read_end(struct end *end)
{
    uint8_t bytes[16384];
    bool any = false;
    ssize_t n;
    while (end->fd >= 0 && (n = recv(end->fd, bytes, sizeof bytes, 0)) != -1) {
        if (n == 0) {
            world_hang_up(end);
            return true;
        }
        /* Whatever the other side is fed with, what comes out here is HTTP/2. */
        if (end->session != NULL)
            world_check(nghttp2_session_mem_recv(end->session, bytes, (size_t)n) == n);
        any = true;
    }
    if (end->fd >= 0 && errno != EAGAIN)
        world_hang_up(end);
    return any;
}

static bool write_end(struct end *end)
{
    const uint8_t *bytes;
    ssize_t n;
    bool any = false;
    while (end->fd >= 0 && end->session != NULL &&
           (n = nghttp2_session_mem_send(end->session, &bytes)) > 0) {
        if (send(end->fd, bytes, (size_t)n, MSG_NOSIGNAL) != n)
            world_hang_up(end);
        any = true;
    }
    return any;
}

static bool serve_end(struct end *end)
{
    bool read = read_end(end);
    return write_end(end) || read;
}

void world_hang_up(struct end *end)
{
    if (end->fd >= 0)
        close(end->fd);
    end->fd = -1;
    nghttp2_session_del(end->session);
    end->session = NULL;
}

void world_settle(struct world *world)
{
    int quiet = 0;
    for (int i = 0; i < MAX_STEPS && quiet < 2; i++) {
        uv_run(&bridge.loop, UV_RUN_NOWAIT);
        bool any = finish_dialing(world);
        any = serve_end(&world->client) || any;
        for (size_t k = 0; k < world->workspace_count; k++)
            any = serve_end(&world->workspaces[k]) || any;
        quiet = any ? 0 : quiet + 1;
    }
}

void world_write(struct world *world, struct end *end, const uint8_t *bytes, size_t len)
{
    if (end->fd >= 0 && len > 0 && send(end->fd, bytes, len, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
        world_hang_up(end);
    world_settle(world);
}

/* ---- the bridge -------------------------------------------------------------------------------
 */

static void on_client_ended(struct downstream_set *set)
{
    /* world_end() looks. */
}

static void prepare(void)
{
    static const struct client_limits limits = {
        .connections = 4,
        .connections_per_user = 2,
        .calls = 16,
        .calls_per_user = 8,
        .calls_per_connection = 10,
        .header_bytes = 4096,
        .buffer_bytes = (size_t)64 * 1024,
        .preface_ms = 60 * 1000,
        .headers_ms = 60 * 1000,
    };
    if (bridge.ready)
        return;
    bridge.ready = true;
    log_set_level(LOG_LEVEL_ERROR);
    uv_loop_init(&bridge.loop);
    engine_init(&bridge.engine, &bridge.loop);
    quota_init(&bridge.quota, &bridge.engine.byte_pool);
    bridge.quota.limits = limits;
    struct err err;
    bridge.tls = tls_context_create(&(struct tls_files){0}, &err);
    world_check(bridge.tls != NULL);
}

/* A listener for this user with a workspace, as if configured. */
static struct access *make_access(void)
{
    static const char remote[] = "sc://workspace.test:443/;use_ssl=true;token=token;"
                                 "x-databricks-cluster-id=0101-cluster";
    char *const environment[] = {NULL};
    struct diag_list diags = {0};
    struct err err = {0};
    struct listener_config listener = {.name = xstrdup("fuzz"), .peers = peer_policy_create()};
    listener.remote_source = xstrdup("here");
    secret_set(&listener.remote, remote, strlen(remote));
    world_check(peer_users_add(&listener.peers->users, "any", &err));
    struct access *access = access_load(&listener, "", environment, &diags);
    world_check(access != NULL);
    listener_config_finish(&listener);
    access_open(access,
                &(struct pool_config){
                    .engine = &bridge.engine,
                    .tls = bridge.tls,
                    .connect_timeout_ms = 60 * 1000,
                    .stream_window_bytes = 1 << 20,
                },
                NULL);
    diag_list_finish(&diags);
    return access;
}

struct world *world_begin(void (*on_connected)(struct end *end))
{
    struct world *world = &the_world;
    prepare();
    *world = (struct world){.client.fd = -1, .on_connected = on_connected};
    struct access *access = make_access();
    downstream_set_init(&bridge.clients, &bridge.engine, &bridge.quota, on_client_ended);
    downstream_set_use(&bridge.clients, access);
    access_unref(access);
    struct rpc_status status;
    struct client client = {
        .peer = {.known = true, .uid = CLIENT_UID},
        .account = quota_connect(&bridge.quota, CLIENT_UID, &status),
    };
    downstream_create(&bridge.clients, make_pair(&world->client), &client);
    return world;
}

void world_end(struct world *world)
{
    world_hang_up(&world->client);
    world_settle(world);
    downstream_set_finish(&bridge.clients);
    for (size_t i = 0; i < world->workspace_count; i++)
        world_hang_up(&world->workspaces[i]);
    world_settle(world);
    world_check(bridge.dialing == NULL);
    world_check(bridge.quota.connections == 0 && bridge.quota.calls == 0);
    world_check(list_is_empty(&bridge.quota.users));
    world_check(bridge.engine.open_transports == 0 && list_is_empty(&bridge.engine.dirty));
    world_check(bridge.engine.byte_pool.used_count == 0 && bridge.engine.byte_pool.used_bytes == 0);
}
