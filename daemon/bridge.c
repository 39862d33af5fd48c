/* The running daemon. */
#include "daemon/bridge.h"

#include <signal.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/log.h"
#include "daemon/downstream.h"
#include "daemon/engine.h"
#include "daemon/listener.h"
#include "daemon/pool.h"
#include "daemon/tls.h"

enum {
    SIGNAL_COUNT = 2,
    CUT_GRACE_MS = 50, /* for the last frames of calls that are cut to leave */
};

enum bridge_state {
    BRIDGE_SERVING,
    BRIDGE_DRAINING, /* no new connections; those there are finish their calls */
    BRIDGE_CUTTING,  /* out of time: the calls that are left are told and ended */
    BRIDGE_STOPPED,
};

struct bridge {
    uv_loop_t loop;
    struct engine engine;
    const struct config *config;
    struct tls_context *tls;
    struct downstream_set downstreams;
    struct listener **listeners; /* owned, as many as the configuration's */
    struct pool **pools;         /* owned references, the same count */
    size_t count;                /* of both, opened so far */
    uv_signal_t signals[SIGNAL_COUNT];
    uv_timer_t drain_timer;
    enum bridge_state state;
    int exit_status;
};

static void stop(struct bridge *bridge)
{
    bridge->state = BRIDGE_STOPPED;
    downstream_set_destroy(&bridge->downstreams);
    for (size_t i = 0; i < bridge->count; i++) {
        listener_destroy(bridge->listeners[i]);
        bridge->listeners[i] = NULL;
        pool_stop(bridge->pools[i]);
        pool_unref(bridge->pools[i]);
        bridge->pools[i] = NULL;
    }
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        uv_close((uv_handle_t *)&bridge->signals[i], NULL);
    uv_close((uv_handle_t *)&bridge->drain_timer, NULL);
    engine_stop(&bridge->engine);
}

static void on_cut(uv_timer_t *timer)
{
    stop(timer->data);
}

static void cut(struct bridge *bridge)
{
    bridge->state = BRIDGE_CUTTING;
    bridge->exit_status = EX_TEMPFAIL;
    downstream_set_abort(&bridge->downstreams, "sparkbridge is stopping");
    uv_timer_start(&bridge->drain_timer, on_cut, CUT_GRACE_MS, 0);
}

static void on_drain_timeout(uv_timer_t *timer)
{
    struct bridge *bridge = timer->data;
    log_warn("calls are still running after the drain timeout of %u ms: they are ended",
             bridge->config->drain_timeout_ms);
    cut(bridge);
}

static void on_downstream_ended(struct downstream_set *set)
{
    struct bridge *bridge = container_of(set, struct bridge, downstreams);
    /* Not at once: this may come from inside the last connection's own callback. */
    if (bridge->state == BRIDGE_DRAINING && list_is_empty(&set->all))
        uv_timer_start(&bridge->drain_timer, on_cut, 0, 0);
}

static void drain(struct bridge *bridge)
{
    log_info("draining: no new connections, running calls may finish");
    bridge->state = BRIDGE_DRAINING;
    for (size_t i = 0; i < bridge->count; i++) {
        listener_destroy(bridge->listeners[i]);
        bridge->listeners[i] = NULL;
    }
    uv_timer_start(&bridge->drain_timer, on_drain_timeout, bridge->config->drain_timeout_ms, 0);
    downstream_set_drain(&bridge->downstreams);
    if (list_is_empty(&bridge->downstreams.all))
        uv_timer_start(&bridge->drain_timer, on_cut, 0, 0);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct bridge *bridge = handle->data;
    if (bridge->state == BRIDGE_SERVING) {
        drain(bridge);
    } else if (bridge->state == BRIDGE_DRAINING) {
        log_warn("asked to stop a second time: running calls are ended");
        cut(bridge);
    }
}

static void start_signals(struct bridge *bridge)
{
    static const int numbers[SIGNAL_COUNT] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        uv_signal_init(&bridge->loop, &bridge->signals[i]);
        bridge->signals[i].data = bridge;
        uv_signal_start(&bridge->signals[i], on_signal, numbers[i]);
    }
    signal(SIGPIPE, SIG_IGN);
}

static bool open_listener(struct bridge *bridge, const struct bridge_listener *from,
                          struct err *err)
{
    struct pool *pool = pool_create(&bridge->engine, from->binding, bridge->tls,
                                    bridge->config->connect_timeout_ms);
    struct listener *listener = listener_create(&bridge->downstreams, pool);
    bridge->pools[bridge->count] = pool;
    bridge->listeners[bridge->count] = listener;
    bridge->count++;
    for (size_t i = 0; i < from->config->address_count; i++)
        if (!listener_open(listener, &from->config->addresses[i], from->config->socket_mode, err))
            return false;
    return true;
}

static bool open_all(struct bridge *bridge, const struct bridge_listener *listeners,
                     struct err *err)
{
    for (size_t i = 0; i < bridge->config->listener_count; i++)
        if (!open_listener(bridge, &listeners[i], err))
            return false;
    return true;
}

int bridge_run(const struct config *config, const struct bridge_listener *listeners,
               struct err *err)
{
    struct bridge bridge = {.config = config};
    bridge.tls = tls_context_create(config->ca_file, err);
    if (bridge.tls == NULL)
        return err->exit_code;
    uv_loop_init(&bridge.loop);
    engine_init(&bridge.engine, &bridge.loop);
    list_init(&bridge.downstreams.all);
    bridge.downstreams.engine = &bridge.engine;
    bridge.downstreams.on_ended = on_downstream_ended;
    bridge.listeners = xcalloc(config->listener_count, sizeof bridge.listeners[0]);
    bridge.pools = xcalloc(config->listener_count, sizeof bridge.pools[0]);
    uv_timer_init(&bridge.loop, &bridge.drain_timer);
    bridge.drain_timer.data = &bridge;
    start_signals(&bridge);

    if (open_all(&bridge, listeners, err)) {
        log_info("ready");
    } else {
        bridge.exit_status = err->exit_code;
        stop(&bridge);
    }
    uv_run(&bridge.loop, UV_RUN_DEFAULT);
    if (bridge.exit_status == 0)
        log_info("stopped");

    uv_loop_close(&bridge.loop);
    engine_finish(&bridge.engine);
    tls_context_destroy(bridge.tls);
    free(bridge.listeners);
    free(bridge.pools);
    return bridge.exit_status;
}
