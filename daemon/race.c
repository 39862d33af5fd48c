/* The race of a host's addresses. */
#include "daemon/race.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/list.h"

struct address {
    struct sockaddr_storage bytes;
    socklen_t size;
};

struct race {
    uv_timer_t *timer; /* owned; when the next address has its turn */
    connect_end_callback callback;
    void *owner;
    struct address addresses[RACE_MAX_ADDRESSES];
    size_t count;
    size_t next;          /* the first that was not tried */
    struct list attempts; /* under way */
    int error;            /* of the failure to be told, a positive errno */
    size_t failed;        /* and its address */
};

/* A socket that is connecting. */
struct attempt {
    struct list link; /* the race's */
    struct race *race;
    uv_poll_t poll;
    size_t address;
    int fd; /* owned, but for the winner's */
};

/* ---- the order ----------------------------------------------------------------------------------
 */

/* The next of this family, or of any other: the first from `from` on. */
static const struct addrinfo *find(const struct addrinfo *from, int family, bool is_same)
{
    while (from != NULL && (from->ai_family == family) != is_same)
        from = from->ai_next;
    return from;
}

size_t race_order(const struct addrinfo *addresses,
                  const struct addrinfo *ret_order[RACE_MAX_ADDRESSES])
{
    const int family = addresses->ai_family;
    const struct addrinfo *same = addresses, *other = find(addresses, family, false);
    size_t count = 0;
    bool is_turn_of_same = true;
    while (count < RACE_MAX_ADDRESSES && (same != NULL || other != NULL)) {
        if (other == NULL || (is_turn_of_same && same != NULL)) {
            ret_order[count++] = same;
            same = find(same->ai_next, family, true);
        } else {
            ret_order[count++] = other;
            other = find(other->ai_next, family, false);
        }
        is_turn_of_same = !is_turn_of_same;
    }
    return count;
}

/* ---- how it ends --------------------------------------------------------------------------------
 */

static void describe(const struct address *address, char ret_text[CONNECT_ADDRESS_SIZE])
{
    const struct sockaddr *any = (const struct sockaddr *)&address->bytes;
    if (any->sa_family == AF_UNIX) {
        snprintf(ret_text, CONNECT_ADDRESS_SIZE, "unix:%s",
                 ((const struct sockaddr_un *)any)->sun_path);
        return;
    }
    bool v6 = any->sa_family == AF_INET6;
    in_port_t port = v6 ? ((const struct sockaddr_in6 *)any)->sin6_port
                        : ((const struct sockaddr_in *)any)->sin_port;
    char ip[INET6_ADDRSTRLEN] = "";
    uv_ip_name(any, ip, sizeof ip);
    snprintf(ret_text, CONNECT_ADDRESS_SIZE, v6 ? "[%s]:%u" : "%s:%u", ip, ntohs(port));
}

static void on_attempt_closed(uv_handle_t *poll)
{
    free(container_of(poll, struct attempt, poll));
}

static void attempt_end(struct attempt *attempt)
{
    list_remove(&attempt->link);
    uv_close((uv_handle_t *)&attempt->poll, on_attempt_closed);
    if (attempt->fd >= 0)
        close(attempt->fd);
}

static void on_timer_closed(uv_handle_t *timer)
{
    free(timer);
}

static void race_free(struct race *race)
{
    list_for_each(node, &race->attempts) attempt_end(container_of(node, struct attempt, link));
    uv_close((uv_handle_t *)race->timer, on_timer_closed);
    free(race);
}

/* With the socket of the winner, or -1. */
static void finish(struct race *race, int fd, size_t address)
{
    struct connect_end end = {.fd = fd, .failure = CONNECT_FAILED_CONNECT};
    describe(&race->addresses[address], end.address);
    if (fd < 0)
        snprintf(end.text, sizeof end.text, "%s", strerror(race->error));
    connect_end_callback callback = race->callback;
    void *owner = race->owner;
    race_free(race);
    callback(owner, &end);
}

/* ---- the attempts -------------------------------------------------------------------------------
 */

static void go_on(struct race *race);

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct attempt *attempt = container_of(poll, struct attempt, poll);
    struct race *race = attempt->race;
    size_t address = attempt->address;
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    if (error == 0 && status < 0)
        error = -status;
    if (error == 0) {
        int fd = attempt->fd;
        attempt->fd = -1;
        finish(race, fd, address);
        return;
    }
    attempt_end(attempt);
    race->error = error;
    race->failed = address;
    go_on(race);
}

/* A non-blocking socket on its way; -1 with errno. */
static int open_socket(const struct address *address)
{
    int fd = socket(address->bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)&address->bytes, address->size) == 0 ||
        errno == EINPROGRESS)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* Returns 0 or a positive errno. One that is connected already is heard of in the same way. */
static int begin_attempt(struct race *race, size_t address)
{
    int fd = open_socket(&race->addresses[address]);
    if (fd < 0)
        return errno;
    struct attempt *attempt = xcalloc(1, sizeof *attempt);
    int error = uv_poll_init(race->timer->loop, &attempt->poll, fd);
    if (error < 0) {
        close(fd);
        free(attempt);
        return -error;
    }
    attempt->race = race;
    attempt->address = address;
    attempt->fd = fd;
    list_append(&race->attempts, &attempt->link);
    uv_poll_start(&attempt->poll, UV_WRITABLE, on_poll);
    return 0;
}

static void on_timer(uv_timer_t *timer)
{
    go_on(timer->data);
}

/* Tries the next address, or those after it where there is no way to it. */
static void go_on(struct race *race)
{
    uv_timer_stop(race->timer);
    while (race->next < race->count) {
        size_t address = race->next++;
        int error = begin_attempt(race, address);
        if (error == 0) {
            if (race->next < race->count)
                uv_timer_start(race->timer, on_timer, RACE_ATTEMPT_DELAY_MS, 0);
            return;
        }
        /* Not even begun, as where there is no IPv6: it is told where no other says more. */
        if (race->error == 0) {
            race->error = error;
            race->failed = address;
        }
    }
    if (list_is_empty(&race->attempts))
        finish(race, -1, race->failed);
}

struct race *race_start(uv_loop_t *loop, const struct addrinfo *addresses,
                        connect_end_callback callback, void *owner)
{
    struct race *race = xcalloc(1, sizeof *race);
    const struct addrinfo *order[RACE_MAX_ADDRESSES];
    race->callback = callback;
    race->owner = owner;
    race->count = race_order(addresses, order);
    for (size_t i = 0; i < race->count; i++) {
        memcpy(&race->addresses[i].bytes, order[i]->ai_addr, order[i]->ai_addrlen);
        race->addresses[i].size = order[i]->ai_addrlen;
    }
    list_init(&race->attempts);
    race->timer = xcalloc(1, sizeof *race->timer);
    uv_timer_init(loop, race->timer);
    race->timer->data = race;
    uv_timer_start(race->timer, on_timer, 0, 0);
    return race;
}

void race_cancel(struct race *race)
{
    if (race != NULL)
        race_free(race);
}
