/* The sockets of one entry of the configuration. */
#include "daemon/listener.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/log.h"
#include "daemon/acceptor.h"
#include "daemon/downstream.h"
#include "daemon/reception.h"
#include "daemon/server_socket.h"

/* One listening socket. */
struct open_socket {
    struct list link; /* the listener's list */
    struct listener *listener;
    char *address_text; /* owned; as in the configuration */
    struct server_socket socket;
    struct acceptor *acceptor; /* owned */
};

struct listener {
    struct engine *engine;
    struct list sockets;
    struct reception reception;
    struct downstream_set clients;
    struct throttle closed_at_once;
    bool stopped;
    void (*on_idle)(void *owner);
    void *owner; /* weak */
};

static void socket_close(struct open_socket *open)
{
    list_remove(&open->link);
    acceptor_close(open->acceptor);
    server_socket_finish(&open->socket);
    free(open->address_text);
    free(open);
}

static void log_closed_at_once(struct listener *listener)
{
    unsigned left_out;
    if (throttle_pass(&listener->closed_at_once, uv_now(listener->engine->loop), 1, &left_out))
        log_warn("listener %s: a connection is closed at once (and %u before): no file descriptor "
                 "is left; close connections, or raise the limit (ulimit -n, LimitNOFILE=)",
                 listener->reception.config.name, left_out);
}

/* Takes the descriptor over; NULL where that fails. */
static struct transport *make_transport(struct engine *engine, int fd, bool is_unix)
{
    struct transport *transport =
        is_unix ? transport_create_pipe(engine) : transport_create_tcp(engine);
    uv_stream_t *stream = transport_stream(transport);
    int error =
        is_unix ? uv_pipe_open((uv_pipe_t *)stream, fd) : uv_tcp_open((uv_tcp_t *)stream, fd);
    if (error < 0) {
        close(fd);
        transport_close(transport);
        return NULL;
    }
    if (!is_unix)
        transport_limit_unsent(transport);
    return transport;
}

static void on_accepted(void *owner, int fd, bool last)
{
    const struct open_socket *open = owner;
    struct listener *listener = open->listener;
    if (last) {
        log_closed_at_once(listener);
        close(fd);
        return;
    }
    struct transport *transport = make_transport(listener->engine, fd, open->socket.is_unix);
    if (transport != NULL)
        reception_receive(&listener->reception, transport);
}

static void on_admitted(struct reception *reception, struct transport *transport,
                        struct client *client)
{
    struct listener *listener = container_of(reception, struct listener, reception);
    downstream_create(&listener->clients, transport, client);
}

/* Whether that was the last one whom a stopped listener waited for. */
static void check_idle(struct listener *listener)
{
    if (listener->stopped && listener_is_idle(listener))
        listener->on_idle(listener->owner);
}

static void on_waited(struct reception *reception)
{
    check_idle(container_of(reception, struct listener, reception));
}

static void log_listening(const struct open_socket *open, const struct listen_address *address)
{
    char name[SERVER_SOCKET_NAME_SIZE];
    server_socket_name(&open->socket, name);
    log_fields(LOG_LEVEL_INFO, "listening", {"address", name},
               {"inherited", address->kind == ADDRESS_INHERITED ? address->text : NULL});
}

/* Takes the socket over. */
static bool begin(struct listener *listener, const struct listen_address *address,
                  const struct server_socket *socket, struct err *err)
{
    int error;
    char name[SERVER_SOCKET_NAME_SIZE];
    struct open_socket *open = xcalloc(1, sizeof *open);
    open->listener = listener;
    open->address_text = xstrdup(address->text);
    open->socket = *socket;
    list_append(&listener->sockets, &open->link);
    server_socket_name(socket, name);
    const struct acceptor_config config = {
        .loop = listener->engine->loop,
        .name = name,
        .on_accepted = on_accepted,
        .owner = open,
    };
    open->acceptor = acceptor_create(&config, socket->fd, &error);
    if (open->acceptor == NULL) {
        socket_close(open);
        return err_set(err, EX_CANTCREAT, "cannot listen on %s: %s", name, uv_strerror(error));
    }
    log_listening(open, address);
    return true;
}

bool listener_open(struct listener *listener, const struct listen_address *address,
                   unsigned socket_mode, struct err *err)
{
    struct server_sockets made;
    if (!server_sockets_open(address, socket_mode, &made, err))
        return false;
    bool ok = true;
    for (size_t i = 0; i < made.count; i++)
        if (!ok)
            server_socket_finish(&made.sockets[i]);
        else
            ok = begin(listener, address, &made.sockets[i], err);
    return ok;
}

bool listener_has(const struct listener *listener, const char *address_text)
{
    list_for_each(
        node,
        &listener->sockets) if (strcmp(container_of(node, struct open_socket, link)->address_text,
                                       address_text) == 0) return true;
    return false;
}

void listener_take(struct listener *listener, struct listener *from, const char *address_text)
{
    list_for_each(node, &from->sockets)
    {
        struct open_socket *open = container_of(node, struct open_socket, link);
        if (strcmp(open->address_text, address_text) != 0)
            continue;
        list_remove(&open->link);
        list_append(&listener->sockets, &open->link);
        open->listener = listener;
    }
}

void listener_close_sockets(struct listener *listener,
                            bool (*keep)(const void *arg, const char *address_text),
                            const void *arg)
{
    list_for_each(node, &listener->sockets)
    {
        struct open_socket *open = container_of(node, struct open_socket, link);
        if (!keep(arg, open->address_text))
            socket_close(open);
    }
}

static void on_client_ended(struct downstream_set *clients)
{
    check_idle(container_of(clients, struct listener, clients));
}

struct listener *listener_create(const struct reception_config *config,
                                 void (*on_idle)(void *owner), void *owner)
{
    struct listener *listener = xcalloc(1, sizeof *listener);
    listener->engine = config->engine;
    listener->on_idle = on_idle;
    listener->owner = owner;
    list_init(&listener->sockets);
    reception_init(&listener->reception, config);
    listener->reception.on_admitted = on_admitted;
    listener->reception.on_waited = on_waited;
    downstream_set_init(&listener->clients, config->engine, config->quota, on_client_ended);
    return listener;
}

void listener_each_address(const struct listener *listener,
                           void (*visit)(void *arg, const char *address), void *arg)
{
    list_for_each(node, &listener->sockets)
    {
        char name[SERVER_SOCKET_NAME_SIZE];
        server_socket_name(&container_of(node, struct open_socket, link)->socket, name);
        visit(arg, name);
    }
}

void listener_count(const struct listener *listener, size_t *ret_clients, size_t *ret_calls)
{
    downstream_set_count(&listener->clients, ret_clients, ret_calls);
}

void listener_use(struct listener *listener, struct access *access)
{
    struct peer_policy *policy = access_peers(access);
    bool changed = !peer_policy_equal(listener->reception.policy, policy);
    reception_use_policy(&listener->reception, policy);
    downstream_set_use(&listener->clients, access);
    if (changed)
        downstream_set_drain(&listener->clients);
}

static bool keep_none(const void *arg, const char *address_text)
{
    return false;
}

void listener_stop(struct listener *listener)
{
    listener_close_sockets(listener, keep_none, NULL);
    reception_stop(&listener->reception);
    listener->clients.stopped = true;
    downstream_set_drain(&listener->clients);
    listener->stopped = true; /* from now on on_idle comes; clients that left already are seen by
                                 listener_is_idle() */
}

bool listener_is_idle(const struct listener *listener)
{
    return list_is_empty(&listener->clients.all) && reception_is_idle(&listener->reception);
}

void listener_abort_calls(struct listener *listener, const char *reason)
{
    downstream_set_abort(&listener->clients, reason);
}

void listener_destroy(struct listener *listener)
{
    if (listener == NULL)
        return;
    listener->stopped = false; /* nobody wants to hear of the end of each client */
    listener_close_sockets(listener, keep_none, NULL);
    reception_finish(&listener->reception);
    downstream_set_finish(&listener->clients);
    free(listener);
}
