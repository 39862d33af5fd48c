/* A way through a proxy, by libcurl's multi interface on the loop. */
#include "daemon/tunnel.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/list.h"
#include "daemon/libcurl.h"

enum {
    HAPPY_EYEBALLS_MS = 250, /* RFC 8305, 5 */
    TIMEOUT_GRACE_MS = 500,
};

struct tunnels {
    uv_loop_t *loop;     /* borrowed */
    struct libcurl curl; /* once there is `multi` */
    CURLM *multi;        /* owned; NULL until libcurl was needed */
    uv_timer_t *timer;   /* owned; when libcurl wants to be asked again */
    bool is_due;     /* libcurl has named a time since it was last asked, and not only "at once" */
    struct list all; /* struct tunnel */
};

struct tunnel {
    struct list link; /* on the list of all */
    struct tunnels *tunnels;
    CURL *easy;        /* owned; NULL where there is no libcurl */
    uv_timer_t *later; /* owned; tells of that, else NULL */
    connect_end_callback callback;
    void *owner;
    char error[CURL_ERROR_SIZE]; /* a phrase of libcurl, or why there is none */
};

/* A socket that libcurl watches. */
struct watch {
    struct tunnels *tunnels;
    uv_poll_t poll;
    curl_socket_t fd;
};

/* ---- what came of it ----------------------------------------------------------------------------
 */

static void on_timer_closed(uv_handle_t *timer)
{
    free(timer);
}

static void tunnel_free(struct tunnel *tunnel)
{
    struct tunnels *tunnels = tunnel->tunnels;
    list_remove(&tunnel->link);
    if (tunnel->easy != NULL) {
        tunnels->curl.multi_remove_handle(tunnels->multi, tunnel->easy);
        tunnels->curl.easy_cleanup(tunnel->easy);
    }
    if (tunnel->later != NULL)
        uv_close((uv_handle_t *)tunnel->later, on_timer_closed);
    free(tunnel);
}

/* libcurl closes its socket with its handle, so the owner gets a duplicate. */
static int take_socket(struct tunnel *tunnel)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    if (tunnel->tunnels->curl.easy_getinfo(tunnel->easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK ||
        fd == CURL_SOCKET_BAD)
        return -1;
    return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static void describe_address(struct tunnel *tunnel, struct connect_end *end)
{
    const struct libcurl *curl = &tunnel->tunnels->curl;
    char *ip = NULL;
    long port = 0;
    curl->easy_getinfo(tunnel->easy, CURLINFO_PRIMARY_IP, &ip);
    curl->easy_getinfo(tunnel->easy, CURLINFO_PRIMARY_PORT, &port);
    if (ip == NULL || ip[0] == '\0')
        return;
    bool v6 = strchr(ip, ':') != NULL;
    snprintf(end->address, sizeof end->address, v6 ? "[%s]:%ld" : "%s:%ld", ip, port);
}

static void describe_failure(struct tunnel *tunnel, CURLcode code, struct connect_end *end)
{
    const struct libcurl *curl = &tunnel->tunnels->curl;
    long os_errno = 0, status = 0;
    curl->easy_getinfo(tunnel->easy, CURLINFO_OS_ERRNO, &os_errno);
    curl->easy_getinfo(tunnel->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY)
        end->failure = CONNECT_FAILED_NAME;
    else if (status != 0 || code == CURLE_PROXY || code == CURLE_UNSUPPORTED_PROTOCOL)
        end->failure = CONNECT_FAILED_PROXY;
    else
        end->failure = CONNECT_FAILED_CONNECT;

    if (end->failure == CONNECT_FAILED_PROXY && status == 407)
        snprintf(end->text, sizeof end->text,
                 "the proxy wants authentication (407): put user:password@ into HTTPS_PROXY");
    else if (end->failure == CONNECT_FAILED_PROXY && status != 0)
        snprintf(end->text, sizeof end->text, "the proxy answered %ld", status);
    else if (code == CURLE_COULDNT_CONNECT && os_errno != 0)
        snprintf(end->text, sizeof end->text, "%s", strerror((int)os_errno));
    else
        snprintf(end->text, sizeof end->text, "%.150s",
                 tunnel->error[0] != '\0' ? tunnel->error : curl->easy_strerror(code));
}

static void finish(struct tunnel *tunnel, const struct connect_end *end)
{
    connect_end_callback callback = tunnel->callback;
    void *owner = tunnel->owner;
    tunnel_free(tunnel);
    callback(owner, end);
}

static void on_done(struct tunnel *tunnel, CURLcode code)
{
    struct connect_end end = {.fd = -1, .failure = CONNECT_FAILED_CONNECT};
    describe_address(tunnel, &end);
    if (code != CURLE_OK) {
        describe_failure(tunnel, code, &end);
    } else {
        end.fd = take_socket(tunnel);
        if (end.fd < 0)
            snprintf(end.text, sizeof end.text, "the socket could not be taken over");
    }
    finish(tunnel, &end);
}

static void on_later(uv_timer_t *timer)
{
    struct tunnel *tunnel = timer->data;
    struct connect_end end = {.fd = -1, .failure = CONNECT_FAILED_PROXY};
    snprintf(end.text, sizeof end.text, "%.190s", tunnel->error);
    finish(tunnel, &end);
}

static void collect(struct tunnels *tunnels)
{
    CURLMsg *message;
    int left;
    while ((message = tunnels->curl.multi_info_read(tunnels->multi, &left)) != NULL) {
        struct tunnel *tunnel;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        tunnels->curl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&tunnel);
        on_done(tunnel, code);
    }
}

/* ---- libcurl on the loop ------------------------------------------------------------------------
 */

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    struct tunnels *tunnels = watch->tunnels;
    int flags = (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
                (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0) | (status < 0 ? CURL_CSELECT_ERR : 0);
    int running;
    tunnels->curl.multi_socket_action(tunnels->multi, watch->fd, flags, &running);
    collect(tunnels);
}

static void on_watch_closed(uv_handle_t *poll)
{
    free(poll->data);
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *user_data, void *assigned)
{
    struct tunnels *tunnels = user_data;
    struct watch *watch = assigned;
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL) {
            uv_poll_stop(&watch->poll);
            uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
            tunnels->curl.multi_assign(tunnels->multi, fd, NULL);
        }
        return 0;
    }
    if (watch == NULL) {
        watch = xcalloc(1, sizeof *watch);
        watch->tunnels = tunnels;
        watch->fd = fd;
        watch->poll.data = watch;
        if (uv_poll_init_socket(tunnels->loop, &watch->poll, fd) < 0) {
            free(watch);
            return -1;
        }
        tunnels->curl.multi_assign(tunnels->multi, fd, watch);
    }
    uv_poll_start(&watch->poll,
                  (what & CURL_POLL_IN ? UV_READABLE : 0) |
                      (what & CURL_POLL_OUT ? UV_WRITABLE : 0),
                  on_poll);
    return 0;
}

/* Where the time of an address is over libcurl 7.88 closes its socket and goes on to the next when
 * it runs next, for which it sets no timer. Letting a transfer go on is what makes it run. */
static void ask_again(struct tunnel *tunnel)
{
    tunnel->tunnels->curl.easy_pause(tunnel->easy, CURLPAUSE_RECV);
    tunnel->tunnels->curl.easy_pause(tunnel->easy, CURLPAUSE_CONT);
}

static void on_timer(uv_timer_t *timer)
{
    struct tunnels *tunnels = timer->data;
    int running;
    tunnels->curl.multi_socket_action(tunnels->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(tunnels);
    if (!tunnels->is_due)
        return;
    tunnels->is_due = false;
    list_for_each(node, &tunnels->all)
    {
        struct tunnel *tunnel = container_of(node, struct tunnel, link);
        if (tunnel->easy != NULL)
            ask_again(tunnel);
    }
}

static int on_curl_timer(CURLM *multi, long timeout_ms, void *user_data)
{
    struct tunnels *tunnels = user_data;
    if (timeout_ms < 0) {
        uv_timer_stop(tunnels->timer);
        return 0;
    }
    /* Never early, not by the age of the loop's clock either: libcurl would not ask again. Never at
     * once: libcurl must not be entered from here. */
    uv_update_time(tunnels->loop);
    tunnels->is_due = tunnels->is_due || timeout_ms > 0;
    uv_timer_start(tunnels->timer, on_timer, (uint64_t)timeout_ms + 1, 0);
    return 0;
}

/* ---- tunnels ------------------------------------------------------------------------------------
 */

/* libcurl, for the first of them. */
static bool load(struct tunnels *tunnels, struct err *err)
{
    struct libcurl *curl = &tunnels->curl;
    if (tunnels->multi != NULL)
        return true;
    if (!libcurl_load(curl, err))
        return false;
    if (curl->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        (tunnels->multi = curl->multi_init()) == NULL)
        abort(); /* out of memory: nothing else makes these fail */
    curl->multi_setopt(tunnels->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    curl->multi_setopt(tunnels->multi, CURLMOPT_SOCKETDATA, tunnels);
    curl->multi_setopt(tunnels->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl->multi_setopt(tunnels->multi, CURLMOPT_TIMERDATA, tunnels);
    return true;
}

static void set_target(const struct libcurl *curl, CURL *easy, const struct connect_target *target)
{
    bool v6 = strchr(target->host, ':') != NULL;
    char *url =
        xasprintf("http://%s%s%s:%u/", v6 ? "[" : "", target->host, v6 ? "]" : "", target->port);
    curl->easy_setopt(easy, CURLOPT_URL, url);
    free(url);
    curl->easy_setopt(easy, CURLOPT_PROXY, target->proxy);
    /* "" keeps libcurl from reading the environment by itself. */
    curl->easy_setopt(easy, CURLOPT_NOPROXY, target->no_proxy != NULL ? target->no_proxy : "");
    curl->easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
    curl->easy_setopt(easy, CURLOPT_PROXYAUTH, (long)CURLAUTH_ANY);
}

static void start(struct tunnel *tunnel, const struct connect_target *target)
{
    struct tunnels *tunnels = tunnel->tunnels;
    const struct libcurl *curl = &tunnels->curl;
    CURL *easy = curl->easy_init();
    if (easy == NULL)
        abort();
    tunnel->easy = easy;
    curl->easy_setopt(easy, CURLOPT_PRIVATE, (char *)tunnel);
    curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, tunnel->error);
    curl->easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* do not wait for a slow resolver */
    curl->easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    curl->easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    /* The owner's comes first; libcurl gives one of several addresses half of what is left. */
    curl->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)target->timeout_ms + TIMEOUT_GRACE_MS);
    curl->easy_setopt(easy, CURLOPT_HAPPY_EYEBALLS_TIMEOUT_MS, (long)HAPPY_EYEBALLS_MS);
    set_target(curl, easy, target);
    curl->multi_add_handle(tunnels->multi, easy);
}

static void fail_later(struct tunnel *tunnel, const char *text)
{
    snprintf(tunnel->error, sizeof tunnel->error, "%.190s", text);
    tunnel->later = xcalloc(1, sizeof *tunnel->later);
    uv_timer_init(tunnel->tunnels->loop, tunnel->later);
    tunnel->later->data = tunnel;
    uv_timer_start(tunnel->later, on_later, 0, 0);
}

struct tunnel *tunnel_start(struct tunnels *tunnels, const struct connect_target *target,
                            connect_end_callback callback, void *owner)
{
    struct tunnel *tunnel = xcalloc(1, sizeof *tunnel);
    struct err err;
    tunnel->tunnels = tunnels;
    list_append(&tunnels->all, &tunnel->link);
    tunnel->callback = callback;
    tunnel->owner = owner;
    if (load(tunnels, &err))
        start(tunnel, target);
    else
        fail_later(tunnel, err.message);
    return tunnel;
}

void tunnel_cancel(struct tunnel *tunnel)
{
    if (tunnel != NULL)
        tunnel_free(tunnel);
}

struct tunnels *tunnels_create(uv_loop_t *loop)
{
    struct tunnels *tunnels = xcalloc(1, sizeof *tunnels);
    tunnels->loop = loop;
    list_init(&tunnels->all);
    tunnels->timer = xcalloc(1, sizeof *tunnels->timer);
    uv_timer_init(loop, tunnels->timer);
    tunnels->timer->data = tunnels;
    return tunnels;
}

void tunnels_destroy(struct tunnels *tunnels)
{
    if (tunnels->multi != NULL) {
        tunnels->curl.multi_cleanup(tunnels->multi);
        tunnels->curl.global_cleanup();
    }
    uv_close((uv_handle_t *)tunnels->timer, on_timer_closed);
    free(tunnels);
}
