/* Accepts the connections of one listening socket. */
#include "daemon/acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/log.h"
#include "daemon/throttle.h"

struct acceptor {
    uv_poll_t poll;
    uv_timer_t timer; /* of a pause */
    int open_handles;
    int fd;     /* borrowed */
    int spare;  /* owned; -1 while it is given up */
    char *name; /* owned */
    struct throttle failed;
    acceptor_callback on_accepted;
    void *owner; /* weak */
};

static void open_spare(struct acceptor *acceptor)
{
    if (acceptor->spare < 0)
        acceptor->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void give_up_spare(struct acceptor *acceptor)
{
    if (acceptor->spare >= 0)
        close(acceptor->spare);
    acceptor->spare = -1;
}

/* Returns a descriptor, or a negative errno. */
static int accept_now(const struct acceptor *acceptor)
{
    int fd = accept4(acceptor->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return fd >= 0 ? fd : -errno;
}

static int accept_one(struct acceptor *acceptor, bool *ret_last)
{
    open_spare(acceptor);
    int fd = accept_now(acceptor);
    *ret_last = (fd == -EMFILE || fd == -ENFILE) && acceptor->spare >= 0;
    if (!*ret_last)
        return fd;
    give_up_spare(acceptor);
    return accept_now(acceptor);
}

static void log_failed(struct acceptor *acceptor, int error)
{
    unsigned left_out;
    const char *remedy =
        error == -EMFILE   ? "; close connections, or raise the limit (ulimit -n, LimitNOFILE=)"
        : error == -ENFILE ? "; the whole system has too many: raise the sysctl fs.file-max"
                           : "";
    if (throttle_pass(&acceptor->failed, uv_now(acceptor->poll.loop), 1, &left_out))
        log_warn("%s: connections wait: none could be accepted (and %u times before): %s%s",
                 acceptor->name, left_out, uv_strerror(error), remedy);
}

static void on_readable(uv_poll_t *poll, int status, int events);

static void on_pause_over(uv_timer_t *timer)
{
    struct acceptor *acceptor = timer->data;
    uv_poll_start(&acceptor->poll, UV_READABLE, on_readable);
}

static void rest(struct acceptor *acceptor, int error)
{
    log_failed(acceptor, error);
    uv_poll_stop(&acceptor->poll);
    uv_timer_start(&acceptor->timer, on_pause_over, ACCEPTOR_PAUSE_MS, 0);
}

/* Whether there may be more to accept in this turn. */
static bool accept_next(struct acceptor *acceptor)
{
    bool last;
    int fd = accept_one(acceptor, &last);
    if (fd >= 0) {
        acceptor->on_accepted(acceptor->owner, fd, last);
        /* After the last one the next error would be EMFILE, also where nobody waits. */
        return !last && !uv_is_closing((uv_handle_t *)&acceptor->poll);
    }
    if (fd == -ECONNABORTED || fd == -EINTR)
        return true;
    if (fd != -EAGAIN)
        rest(acceptor, fd);
    return false;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct acceptor *acceptor = poll->data;
    if (status < 0) {
        rest(acceptor, status);
        return;
    }
    for (int i = 0; i < ACCEPTOR_MOST && accept_next(acceptor); i++)
        ;
    if (!uv_is_closing((uv_handle_t *)poll))
        open_spare(acceptor);
}

struct acceptor *acceptor_create(const struct acceptor_config *config, int fd, int *ret_error)
{
    struct acceptor *acceptor = xcalloc(1, sizeof *acceptor);
    *ret_error = uv_poll_init(config->loop, &acceptor->poll, fd);
    if (*ret_error < 0) {
        free(acceptor);
        return NULL;
    }
    uv_timer_init(config->loop, &acceptor->timer);
    acceptor->open_handles = 2;
    acceptor->poll.data = acceptor->timer.data = acceptor;
    acceptor->fd = fd;
    acceptor->spare = -1;
    acceptor->name = xstrdup(config->name);
    acceptor->on_accepted = config->on_accepted;
    acceptor->owner = config->owner;
    open_spare(acceptor);
    uv_poll_start(&acceptor->poll, UV_READABLE, on_readable);
    return acceptor;
}

static void on_closed(uv_handle_t *handle)
{
    struct acceptor *acceptor = handle->data;
    if (--acceptor->open_handles > 0)
        return;
    free(acceptor->name);
    free(acceptor);
}

void acceptor_close(struct acceptor *acceptor)
{
    if (acceptor == NULL)
        return;
    give_up_spare(acceptor);
    uv_close((uv_handle_t *)&acceptor->poll, on_closed);
    uv_close((uv_handle_t *)&acceptor->timer, on_closed);
}
