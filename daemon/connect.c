/* Connecting to the workspace's host, by libcurl's multi interface on the loop. */
#include "daemon/connect.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"

enum {
    HAPPY_EYEBALLS_MS = 250, /* RFC 8305, 5 */
    TIMEOUT_GRACE_MS = 500,
};

struct connector {
    struct engine *engine;
    CURLM *multi;
    uv_timer_t *timer; /* owned; when libcurl wants to be asked again */
    bool is_due;     /* libcurl has named a time since it was last asked, and not only "at once" */
    struct list all; /* struct connect */
};

struct connect {
    struct list link; /* the connector's */
    struct connector *connector;
    CURL *easy;
    connect_callback callback;
    void *owner;
    char *via; /* owned, or NULL */
    char error[CURL_ERROR_SIZE];
};

/* A socket that libcurl watches. */
struct watch {
    struct connector *connector;
    uv_poll_t poll;
    curl_socket_t fd;
};

/* ---- what came of it ----------------------------------------------------------------------------
 */

static void connect_free(struct connect *connect)
{
    list_remove(&connect->link);
    curl_multi_remove_handle(connect->connector->multi, connect->easy);
    curl_easy_cleanup(connect->easy);
    free(connect->via);
    free(connect);
}

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

/* libcurl closes its socket with its handle, so the transport gets a duplicate. */
static struct transport *take_socket(struct connect *connect)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    if (curl_easy_getinfo(connect->easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK ||
        fd == CURL_SOCKET_BAD)
        return NULL;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return NULL;
    struct engine *engine = connect->connector->engine;
    struct transport *transport;
    int error;
    if (connect->via != NULL) {
        transport = transport_create_pipe(engine);
        error = uv_pipe_open((uv_pipe_t *)transport_stream(transport), copy);
    } else {
        keep_alive(copy);
        transport = transport_create_tcp(engine);
        error = uv_tcp_open((uv_tcp_t *)transport_stream(transport), copy);
    }
    if (error == 0)
        return transport;
    close(copy);
    transport_close(transport);
    return NULL;
}

static void describe(struct connect *connect, CURLcode code, struct connect_result *result)
{
    char *ip = NULL;
    long port = 0, os_errno = 0, proxy_status = 0;
    curl_easy_getinfo(connect->easy, CURLINFO_PRIMARY_IP, &ip);
    curl_easy_getinfo(connect->easy, CURLINFO_PRIMARY_PORT, &port);
    curl_easy_getinfo(connect->easy, CURLINFO_OS_ERRNO, &os_errno);
    curl_easy_getinfo(connect->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
    if (connect->via != NULL) {
        snprintf(result->address, sizeof result->address, "unix:%s", connect->via);
    } else if (ip != NULL && ip[0] != '\0') {
        bool v6 = strchr(ip, ':') != NULL;
        snprintf(result->address, sizeof result->address, "%s%s%s:%ld", v6 ? "[" : "", ip,
                 v6 ? "]" : "", port);
    }
    if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY)
        result->failure = CONNECT_FAILED_NAME;
    else if (proxy_status != 0 || code == CURLE_PROXY || code == CURLE_UNSUPPORTED_PROTOCOL)
        result->failure = CONNECT_FAILED_PROXY;
    else
        result->failure = CONNECT_FAILED_CONNECT;

    if (result->failure == CONNECT_FAILED_PROXY && proxy_status == 407)
        snprintf(result->text, sizeof result->text,
                 "the proxy wants authentication (407): put user:password@ into HTTPS_PROXY");
    else if (result->failure == CONNECT_FAILED_PROXY && proxy_status != 0)
        snprintf(result->text, sizeof result->text, "the proxy answered %ld", proxy_status);
    else if (code == CURLE_COULDNT_CONNECT && os_errno != 0)
        snprintf(result->text, sizeof result->text, "%s", strerror((int)os_errno));
    else
        snprintf(result->text, sizeof result->text, "%.150s",
                 connect->error[0] != '\0' ? connect->error : curl_easy_strerror(code));
}

static void finish(struct connect *connect, CURLcode code)
{
    struct connect_result result = {0};
    describe(connect, code, &result);
    if (code == CURLE_OK) {
        result.transport = take_socket(connect);
        if (result.transport == NULL)
            snprintf(result.text, sizeof result.text, "the socket could not be taken over");
    }
    connect_callback callback = connect->callback;
    void *owner = connect->owner;
    connect_free(connect);
    callback(owner, &result);
}

static void collect(struct connector *connector)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(connector->multi, &left)) != NULL) {
        struct connect *connect;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&connect);
        finish(connect, code);
    }
}

/* ---- libcurl on the loop ------------------------------------------------------------------------
 */

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    struct connector *connector = watch->connector;
    int flags = (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
                (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0) | (status < 0 ? CURL_CSELECT_ERR : 0);
    int running;
    curl_multi_socket_action(connector->multi, watch->fd, flags, &running);
    collect(connector);
}

static void on_watch_closed(uv_handle_t *poll)
{
    free(poll->data);
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *user_data, void *assigned)
{
    struct connector *connector = user_data;
    struct watch *watch = assigned;
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL) {
            uv_poll_stop(&watch->poll);
            uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
            curl_multi_assign(connector->multi, fd, NULL);
        }
        return 0;
    }
    if (watch == NULL) {
        watch = xcalloc(1, sizeof *watch);
        watch->connector = connector;
        watch->fd = fd;
        watch->poll.data = watch;
        if (uv_poll_init_socket(connector->engine->loop, &watch->poll, fd) < 0) {
            free(watch);
            return -1;
        }
        curl_multi_assign(connector->multi, fd, watch);
    }
    uv_poll_start(&watch->poll,
                  (what & CURL_POLL_IN ? UV_READABLE : 0) |
                      (what & CURL_POLL_OUT ? UV_WRITABLE : 0),
                  on_poll);
    return 0;
}

/* Where the time of an address is over libcurl 7.88 closes its socket and goes on to the next when
 * it runs next, for which it sets no timer. Letting a transfer go on is what makes it run. */
static void ask_again(struct connect *connect)
{
    curl_easy_pause(connect->easy, CURLPAUSE_RECV);
    curl_easy_pause(connect->easy, CURLPAUSE_CONT);
}

static void on_timer(uv_timer_t *timer)
{
    struct connector *connector = timer->data;
    int running;
    curl_multi_socket_action(connector->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(connector);
    if (!connector->is_due)
        return;
    connector->is_due = false;
    list_for_each(node, &connector->all) ask_again(container_of(node, struct connect, link));
}

static int on_curl_timer(CURLM *multi, long timeout_ms, void *user_data)
{
    struct connector *connector = user_data;
    if (timeout_ms < 0) {
        uv_timer_stop(connector->timer);
        return 0;
    }
    /* Never early, not by the age of the loop's clock either: libcurl would not ask again. Never at
     * once: libcurl must not be entered from here. */
    uv_update_time(connector->engine->loop);
    connector->is_due = connector->is_due || timeout_ms > 0;
    uv_timer_start(connector->timer, on_timer, (uint64_t)timeout_ms + 1, 0);
    return 0;
}

struct connector *connector_create(struct engine *engine)
{
    struct connector *connector = xcalloc(1, sizeof *connector);
    connector->engine = engine;
    list_init(&connector->all);
    connector->timer = xcalloc(1, sizeof *connector->timer);
    uv_timer_init(engine->loop, connector->timer);
    connector->timer->data = connector;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        (connector->multi = curl_multi_init()) == NULL)
        abort(); /* out of memory: nothing else makes these fail */
    curl_multi_setopt(connector->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    curl_multi_setopt(connector->multi, CURLMOPT_SOCKETDATA, connector);
    curl_multi_setopt(connector->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl_multi_setopt(connector->multi, CURLMOPT_TIMERDATA, connector);
    return connector;
}

static void on_timer_closed(uv_handle_t *timer)
{
    free(timer);
}

void connector_destroy(struct connector *connector)
{
    curl_multi_cleanup(connector->multi);
    curl_global_cleanup();
    uv_close((uv_handle_t *)connector->timer, on_timer_closed);
    free(connector);
}

/* ---- connecting ---------------------------------------------------------------------------------
 */

static void set_target(CURL *easy, const struct connect_target *target)
{
    bool v6 = strchr(target->host, ':') != NULL;
    char *url =
        xasprintf("http://%s%s%s:%u/", v6 ? "[" : "", target->host, v6 ? "]" : "", target->port);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    free(url);
    if (target->via != NULL)
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, target->via);
    bool proxied = target->via == NULL && target->proxy != NULL;
    /* "" also keeps libcurl from reading the environment by itself. */
    curl_easy_setopt(easy, CURLOPT_PROXY, proxied ? target->proxy : "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, target->no_proxy != NULL ? target->no_proxy : "");
    curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXYAUTH, (long)CURLAUTH_ANY);
}

struct connect *connect_start(struct connector *connector, const struct connect_target *target,
                              connect_callback callback, void *owner)
{
    struct connect *connect = xcalloc(1, sizeof *connect);
    connect->connector = connector;
    list_append(&connector->all, &connect->link);
    connect->callback = callback;
    connect->owner = owner;
    connect->via = target->via != NULL ? xstrdup(target->via) : NULL;
    connect->easy = curl_easy_init();
    if (connect->easy == NULL)
        abort();
    curl_easy_setopt(connect->easy, CURLOPT_PRIVATE, (char *)connect);
    curl_easy_setopt(connect->easy, CURLOPT_ERRORBUFFER, connect->error);
    curl_easy_setopt(connect->easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(connect->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(connect->easy, CURLOPT_QUICK_EXIT, 1L); /* do not wait for a slow resolver */
    curl_easy_setopt(connect->easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    curl_easy_setopt(connect->easy, CURLOPT_FRESH_CONNECT, 1L);
    /* The owner's comes first; libcurl gives one of several addresses half of what is left. */
    curl_easy_setopt(connect->easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)target->timeout_ms + TIMEOUT_GRACE_MS);
    curl_easy_setopt(connect->easy, CURLOPT_HAPPY_EYEBALLS_TIMEOUT_MS, (long)HAPPY_EYEBALLS_MS);
    set_target(connect->easy, target);
    curl_multi_add_handle(connector->multi, connect->easy);
    return connect;
}

void connect_cancel(struct connect *connect)
{
    if (connect != NULL)
        connect_free(connect);
}
