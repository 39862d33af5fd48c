/* Connecting to the workspace's host: which way, and a transport at its end. */
#include "daemon/connect.h"

#include <assert.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/alloc.h"
#include "daemon/name_lookup.h"
#include "daemon/race.h"
#include "daemon/tunnel.h"

struct connector {
    struct engine *engine;      /* borrowed */
    struct name_service *names; /* owned */
    struct tunnels *tunnels;    /* owned */
};

/* One of the three is under way at a time, and owned. */
struct connect {
    struct connector *connector;
    connect_callback callback;
    void *owner;
    struct name_lookup *lookup;
    struct race *race;
    struct tunnel *tunnel;
    bool is_unix;
};

/* The kernel finds out about a peer that is gone, without waking us: silent for 10 s and three
 * probes, or 20 s without an acknowledgement. This also keeps NAT entries alive. */
static void keep_alive(int fd)
{
    static const struct {
        int level, name, value;
    } options[] = {
        {SOL_SOCKET, SO_KEEPALIVE, 1},          {IPPROTO_TCP, TCP_KEEPIDLE, 10},
        {IPPROTO_TCP, TCP_KEEPINTVL, 3},        {IPPROTO_TCP, TCP_KEEPCNT, 3},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, 20000},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(int));
}

/* Takes the socket over; NULL where that fails. */
static struct transport *make_transport(struct connect *connect, int fd)
{
    struct engine *engine = connect->connector->engine;
    struct transport *transport;
    int error;
    if (connect->is_unix) {
        transport = transport_create_pipe(engine);
        error = uv_pipe_open((uv_pipe_t *)transport_stream(transport), fd);
    } else {
        keep_alive(fd);
        transport = transport_create_tcp(engine);
        error = uv_tcp_open((uv_tcp_t *)transport_stream(transport), fd);
    }
    if (error == 0)
        return transport;
    close(fd);
    transport_close(transport);
    return NULL;
}

static void on_end(void *owner, const struct connect_end *end)
{
    struct connect *connect = owner;
    connect_callback callback = connect->callback;
    void *connect_owner = connect->owner;
    struct connect_result result = {.failure = end->failure};
    memcpy(result.address, end->address, sizeof result.address);
    memcpy(result.text, end->text, sizeof result.text);
    if (end->fd >= 0) {
        result.transport = make_transport(connect, end->fd);
        if (result.transport == NULL)
            snprintf(result.text, sizeof result.text, "the socket could not be taken over");
    }
    free(connect);
    callback(connect_owner, &result);
}

static void on_name(void *owner, const struct addrinfo *found, const char *text)
{
    struct connect *connect = owner;
    connect->lookup = NULL;
    if (found != NULL) {
        connect->race = race_start(connect->connector->engine->loop, found, on_end, connect);
        return;
    }
    struct connect_end end = {.fd = -1, .failure = CONNECT_FAILED_NAME};
    snprintf(end.text, sizeof end.text, "%s", text);
    on_end(connect, &end);
}

static struct race *start_unix(struct connect *connect, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert(strlen(path) < sizeof address.sun_path); /* conf/address.h */
    memcpy(address.sun_path, path, strlen(path) + 1);
    const struct addrinfo only = {
        .ai_family = AF_UNIX,
        .ai_addr = (struct sockaddr *)&address,
        .ai_addrlen = sizeof address,
    };
    return race_start(connect->connector->engine->loop, &only, on_end, connect);
}

struct connect *connect_start(struct connector *connector, const struct connect_target *target,
                              connect_callback callback, void *owner)
{
    struct connect *connect = xcalloc(1, sizeof *connect);
    connect->connector = connector;
    connect->callback = callback;
    connect->owner = owner;
    connect->is_unix = target->via != NULL;
    if (connect->is_unix)
        connect->race = start_unix(connect, target->via);
    else if (target->proxy != NULL)
        connect->tunnel = tunnel_start(connector->tunnels, target, on_end, connect);
    else
        connect->lookup =
            name_lookup_start(connector->names, target->host, target->port, on_name, connect);
    return connect;
}

void connect_cancel(struct connect *connect)
{
    if (connect == NULL)
        return;
    name_lookup_cancel(connect->lookup);
    race_cancel(connect->race);
    tunnel_cancel(connect->tunnel);
    free(connect);
}

struct connector *connector_create(struct engine *engine)
{
    struct connector *connector = xcalloc(1, sizeof *connector);
    connector->engine = engine;
    connector->names = name_service_create(engine->loop);
    connector->tunnels = tunnels_create(engine->loop);
    return connector;
}

void connector_destroy(struct connector *connector)
{
    name_service_destroy(connector->names);
    tunnels_destroy(connector->tunnels);
    free(connector);
}
