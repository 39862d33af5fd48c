/* Looking names up in detached threads. */
#include "daemon/name_lookup.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/list.h"

/* Freed by the loop's side, or by the last thread where that comes later. */
struct name_service {
    pthread_mutex_t mutex; /* of all that follows, and of each look-up's link and states */
    uv_async_t *async;     /* owned; NULL when the loop's side has ended */
    struct list waiting;   /* for a thread, oldest first */
    struct list finished;  /* the loop has not heard of these */
    unsigned threads;
};

/* Owned by the loop's side, but by its thread once it is abandoned. */
struct name_lookup {
    struct list link; /* the service's `waiting` or `finished`, or alone */
    struct name_service *service;
    bool has_thread; /* which touches the rest without the mutex */
    bool abandoned;
    char *host; /* owned */
    char port[sizeof "65535"];
    struct addrinfo *found; /* owned */
    char text[96];          /* where nothing was found */
    name_callback callback;
    void *owner;
};

static void lookup_free(struct name_lookup *lookup)
{
    if (lookup->found != NULL)
        freeaddrinfo(lookup->found);
    free(lookup->host);
    free(lookup);
}

static void service_free(struct name_service *service)
{
    pthread_mutex_destroy(&service->mutex);
    free(service);
}

/* ---- in the thread ------------------------------------------------------------------------------
 */

/* Without AI_ADDRCONFIG: it leaves addresses out by what the interfaces have, to which loopback
 * does not count, and an address that there is no way to fails at once in the race. */
static int look_up(struct name_lookup *lookup, int flags)
{
    const struct addrinfo hints = {
        .ai_flags = AI_NUMERICSERV | flags,
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
    };
    int error = getaddrinfo(lookup->host, lookup->port, &hints, &lookup->found);
    int system_error = errno;
    if (error == 0)
        return 0;
    lookup->found = NULL;
    snprintf(lookup->text, sizeof lookup->text, "%s",
             error == EAI_SYSTEM ? strerror(system_error) : gai_strerror(error));
    return error;
}

/* Hands in a look-up that is done. Returns one that waits, if any; else the thread ends. */
static struct name_lookup *hand_in(struct name_service *service, struct name_lookup *lookup)
{
    pthread_mutex_lock(&service->mutex);
    bool abandoned = lookup->abandoned;
    lookup->has_thread = false;
    if (!abandoned) {
        list_append(&service->finished, &lookup->link);
        uv_async_send(service->async);
    }
    bool is_last = false;
    struct name_lookup *next = list_first(&service->waiting, struct name_lookup, link);
    if (next != NULL) {
        list_remove(&next->link);
        next->has_thread = true;
    } else {
        service->threads--;
        is_last = service->threads == 0 && service->async == NULL;
    }
    pthread_mutex_unlock(&service->mutex);
    if (abandoned)
        lookup_free(lookup);
    if (is_last)
        service_free(service);
    return next;
}

static void *on_thread(void *arg)
{
    struct name_lookup *lookup = arg;
    struct name_service *service = lookup->service;
    while (lookup != NULL) {
        look_up(lookup, 0);
        lookup = hand_in(service, lookup);
    }
    return NULL;
}

/* The loop's thread has the signals. */
static int start_thread(struct name_lookup *lookup)
{
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread, NULL, on_thread, lookup);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0)
        pthread_detach(thread);
    return error;
}

/* ---- in the loop --------------------------------------------------------------------------------
 */

static struct name_lookup *take_finished(struct name_service *service)
{
    pthread_mutex_lock(&service->mutex);
    struct name_lookup *lookup = list_first(&service->finished, struct name_lookup, link);
    if (lookup != NULL)
        list_remove(&lookup->link);
    pthread_mutex_unlock(&service->mutex);
    return lookup;
}

static void on_async(uv_async_t *async)
{
    struct name_lookup *lookup;
    while ((lookup = take_finished(async->data)) != NULL) {
        lookup->callback(lookup->owner, lookup->found, lookup->text);
        lookup_free(lookup);
    }
}

/* A thread for the look-up, or a place among those that wait for one. */
static int queue(struct name_service *service, struct name_lookup *lookup)
{
    pthread_mutex_lock(&service->mutex);
    lookup->has_thread = service->threads < NAME_SERVICE_MAX_THREADS;
    if (lookup->has_thread)
        service->threads++;
    else
        list_append(&service->waiting, &lookup->link);
    bool has_thread = lookup->has_thread;
    pthread_mutex_unlock(&service->mutex);
    if (!has_thread)
        return 0;
    int error = start_thread(lookup);
    if (error == 0)
        return 0;
    pthread_mutex_lock(&service->mutex);
    lookup->has_thread = false;
    service->threads--;
    pthread_mutex_unlock(&service->mutex);
    snprintf(lookup->text, sizeof lookup->text, "no thread for it: %s", strerror(error));
    return error;
}

struct name_lookup *name_lookup_start(struct name_service *service, const char *host, uint16_t port,
                                      name_callback callback, void *owner)
{
    struct name_lookup *lookup = xcalloc(1, sizeof *lookup);
    list_init(&lookup->link);
    lookup->service = service;
    lookup->host = xstrdup(host);
    snprintf(lookup->port, sizeof lookup->port, "%u", port);
    lookup->callback = callback;
    lookup->owner = owner;
    /* An address is read on the spot. What is known by now is told when the loop comes round. */
    if (look_up(lookup, AI_NUMERICHOST) == 0 || queue(service, lookup) != 0) {
        pthread_mutex_lock(&service->mutex);
        list_append(&service->finished, &lookup->link);
        pthread_mutex_unlock(&service->mutex);
        uv_async_send(service->async);
    }
    return lookup;
}

void name_lookup_cancel(struct name_lookup *lookup)
{
    if (lookup == NULL)
        return;
    struct name_service *service = lookup->service;
    pthread_mutex_lock(&service->mutex);
    list_remove(&lookup->link);
    lookup->abandoned = lookup->has_thread;
    bool abandoned = lookup->abandoned;
    pthread_mutex_unlock(&service->mutex);
    if (!abandoned)
        lookup_free(lookup);
}

struct name_service *name_service_create(uv_loop_t *loop)
{
    struct name_service *service = xcalloc(1, sizeof *service);
    pthread_mutex_init(&service->mutex, NULL);
    list_init(&service->waiting);
    list_init(&service->finished);
    service->async = xcalloc(1, sizeof *service->async);
    if (uv_async_init(loop, service->async, on_async) < 0)
        abort(); /* the loop has what it needs for this since uv_loop_init() */
    service->async->data = service;
    return service;
}

static void on_async_closed(uv_handle_t *async)
{
    free(async);
}

void name_service_destroy(struct name_service *service)
{
    assert(list_is_empty(&service->waiting) && list_is_empty(&service->finished));
    uv_close((uv_handle_t *)service->async, on_async_closed);
    pthread_mutex_lock(&service->mutex);
    service->async = NULL;
    bool is_last = service->threads == 0;
    pthread_mutex_unlock(&service->mutex);
    if (is_last)
        service_free(service);
}
