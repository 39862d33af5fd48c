/* Looking names up in threads of their own. */
#include "daemon/name_lookup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "daemon/workers.h"

struct name_service {
    struct workers *workers; /* owned */
};

struct name_lookup {
    struct worker_task task;
    char *host; /* owned */
    char port[sizeof "65535"];
    struct addrinfo *found; /* owned */
    char text[96];          /* where nothing was found */
    name_callback callback;
    void *owner;
};

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

static void on_work(struct worker_task *task)
{
    look_up(container_of(task, struct name_lookup, task), 0);
}

static void on_done(struct worker_task *task)
{
    struct name_lookup *lookup = container_of(task, struct name_lookup, task);
    lookup->callback(lookup->owner, lookup->found, lookup->text);
}

static void on_drop(struct worker_task *task)
{
    struct name_lookup *lookup = container_of(task, struct name_lookup, task);
    if (lookup->found != NULL)
        freeaddrinfo(lookup->found);
    free(lookup->host);
    free(lookup);
}

struct name_lookup *name_lookup_start(struct name_service *service, const char *host, uint16_t port,
                                      name_callback callback, void *owner)
{
    struct name_lookup *lookup = xcalloc(1, sizeof *lookup);
    lookup->task = (struct worker_task){.work = on_work, .done = on_done, .drop = on_drop};
    lookup->host = xstrdup(host);
    snprintf(lookup->port, sizeof lookup->port, "%u", port);
    lookup->callback = callback;
    lookup->owner = owner;
    if (look_up(lookup, AI_NUMERICHOST) == 0) { /* an address is read on the spot */
        workers_report(service->workers, &lookup->task);
        return lookup;
    }
    int error = workers_start(service->workers, &lookup->task);
    if (error < 0) {
        snprintf(lookup->text, sizeof lookup->text, "no thread for it: %s", strerror(-error));
        workers_report(service->workers, &lookup->task);
    }
    return lookup;
}

void name_lookup_cancel(struct name_lookup *lookup)
{
    if (lookup != NULL)
        worker_task_abandon(&lookup->task);
}

struct name_service *name_service_create(uv_loop_t *loop)
{
    struct name_service *service = xcalloc(1, sizeof *service);
    service->workers = workers_create(loop, NAME_SERVICE_MAX_THREADS);
    return service;
}

void name_service_destroy(struct name_service *service)
{
    workers_destroy(service->workers);
    free(service);
}
