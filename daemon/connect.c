/* Finding a host's addresses and connecting to the first that answers. */
#include "daemon/connect.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

struct connect {
    struct engine *engine;
    connect_callback callback; /* NULL once called or cancelled */
    void *owner;
    uv_getaddrinfo_t resolve_request;
    uv_connect_t connect_request;
    struct addrinfo *addresses;  /* owned */
    struct addrinfo *next;       /* to be tried */
    struct transport *transport; /* owned while connecting */
    struct connect_result result;
    bool request_in_flight; /* libuv holds one of the requests */
};

/* Frees once nobody can call back into it. */
static void free_if_done(struct connect *connect)
{
    if (connect->callback != NULL || connect->request_in_flight)
        return;
    uv_freeaddrinfo(connect->addresses);
    free(connect);
}

static void report(struct connect *connect)
{
    connect_callback callback = connect->callback;
    connect->callback = NULL;
    callback(connect->owner, &connect->result);
    free_if_done(connect);
}

static void try_next(struct connect *connect);

static void on_connect(uv_connect_t *request, int status)
{
    struct connect *connect = request->data;
    connect->request_in_flight = false;
    if (connect->callback == NULL) {
        free_if_done(connect);
        return;
    }
    connect->result.error = status;
    if (status == 0) {
        connect->result.transport = connect->transport;
        connect->transport = NULL;
        report(connect);
        return;
    }
    transport_close(connect->transport);
    connect->transport = NULL;
    try_next(connect);
}

static void note_address(struct connect *connect, const struct sockaddr *address, socklen_t len)
{
    char host[48] = "?", port[8] = "?";
    getnameinfo(address, len, host, sizeof host, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
    bool v6 = address->sa_family == AF_INET6;
    snprintf(connect->result.address, sizeof connect->result.address, "%s%s%s:%s", v6 ? "[" : "",
             host, v6 ? "]" : "", port);
}

static void try_next(struct connect *connect)
{
    while (connect->next != NULL) {
        struct addrinfo *info = connect->next;
        connect->next = info->ai_next;
        note_address(connect, info->ai_addr, info->ai_addrlen);
        connect->transport = transport_create_tcp(connect->engine);
        connect->connect_request.data = connect;
        int error = uv_tcp_connect(&connect->connect_request,
                                   (uv_tcp_t *)transport_stream(connect->transport), info->ai_addr,
                                   on_connect);
        if (error == 0) {
            connect->request_in_flight = true;
            return;
        }
        connect->result.error = error;
        transport_close(connect->transport);
        connect->transport = NULL;
    }
    report(connect);
}

static void on_resolve(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses)
{
    struct connect *connect = request->data;
    connect->request_in_flight = false;
    connect->addresses = connect->next = addresses;
    if (connect->callback == NULL) {
        free_if_done(connect);
        return;
    }
    connect->result.resolved = status == 0;
    connect->result.error = status;
    if (status == 0)
        try_next(connect);
    else
        report(connect);
}

struct connect *connect_start(struct engine *engine, const char *host, uint16_t port,
                              connect_callback callback, void *owner)
{
    struct connect *connect = xcalloc(1, sizeof *connect);
    connect->engine = engine;
    connect->callback = callback;
    connect->owner = owner;
    connect->resolve_request.data = connect;
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    int error =
        uv_getaddrinfo(engine->loop, &connect->resolve_request, on_resolve, host, service, &hints);
    if (error != 0)
        abort(); /* only for a name too long or out of memory; names are limited by conf */
    connect->request_in_flight = true;
    return connect;
}

void connect_cancel(struct connect *connect)
{
    if (connect == NULL)
        return;
    connect->callback = NULL;
    uv_cancel((uv_req_t *)&connect->resolve_request); /* refuses where it is too late; no matter */
    struct transport *transport = connect->transport;
    connect->transport = NULL;
    transport_close(transport);
    free_if_done(connect);
}
