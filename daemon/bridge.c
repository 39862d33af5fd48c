/* The running daemon: signals, reload, and the way it stops. */
#include "daemon/bridge.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <uv.h>

#include "common/log.h"
#include "daemon/engine.h"
#include "daemon/open_files.h"
#include "daemon/serving.h"

enum {
    SIGNAL_COUNT = 3,
    CUT_GRACE_MS = 50, /* for the last frames of calls that are cut to leave */
};

enum bridge_state {
    BRIDGE_SERVING,
    BRIDGE_DRAINING, /* no new connections; those there are finish their calls */
    BRIDGE_CUTTING,  /* out of time: the calls that are left are told and ended */
};

struct bridge {
    uv_loop_t loop;
    struct engine engine;
    struct serving serving;
    const struct setup_source *source; /* borrowed: what a reload reads */
    uv_signal_t signals[SIGNAL_COUNT];
    uv_timer_t timer; /* of the drain */
    enum bridge_state state;
    int exit_status;
};

static void stop(struct bridge *bridge)
{
    serving_finish(&bridge->serving);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        int number = bridge->signals[i].signum;
        uv_close((uv_handle_t *)&bridge->signals[i], NULL);
        signal(number, SIG_IGN); /* libuv restores the default, and we are stopping already */
    }
    uv_close((uv_handle_t *)&bridge->timer, NULL);
    engine_stop(&bridge->engine);
}

static void on_stop(uv_timer_t *timer)
{
    stop(timer->data);
}

static void cut(struct bridge *bridge)
{
    bridge->state = BRIDGE_CUTTING;
    bridge->exit_status = EX_TEMPFAIL;
    serving_abort_calls(&bridge->serving, "sparkbridge is stopping");
    uv_timer_start(&bridge->timer, on_stop, CUT_GRACE_MS, 0);
}

static void on_drain_timeout(uv_timer_t *timer)
{
    struct bridge *bridge = timer->data;
    log_warn("calls are still running after the drain timeout of %u ms: they are ended",
             bridge->serving.setup.config->drain_timeout_ms);
    cut(bridge);
}

/* Not at once: this may come from inside the last connection's own callback. */
static void on_idle(struct serving *serving)
{
    struct bridge *bridge = container_of(serving, struct bridge, serving);
    if (bridge->state == BRIDGE_DRAINING)
        uv_timer_start(&bridge->timer, on_stop, 0, 0);
}

static void drain(struct bridge *bridge)
{
    log_info("draining: no new connections, running calls may finish");
    bridge->state = BRIDGE_DRAINING;
    uv_timer_start(&bridge->timer, on_drain_timeout, bridge->serving.setup.config->drain_timeout_ms,
                   0);
    serving_stop(&bridge->serving);
    if (serving_is_idle(&bridge->serving))
        on_idle(&bridge->serving);
}

static void on_stop_signal(uv_signal_t *handle, int number)
{
    struct bridge *bridge = handle->data;
    if (bridge->state == BRIDGE_SERVING) {
        drain(bridge);
    } else if (bridge->state == BRIDGE_DRAINING) {
        log_warn("asked to stop a second time: running calls are ended");
        cut(bridge);
    }
}

static void reload(struct bridge *bridge)
{
    struct setup next = {0};
    struct diag_list diags = {0};
    struct err err = {0};
    bool loaded = setup_load(bridge->source, &next, &diags);
    setup_log_diags(&diags);
    diag_list_finish(&diags);
    if (loaded && serving_change(&bridge->serving, &next, &err)) {
        log_set_level(bridge->serving.setup.config->log_level);
        log_info("reloaded");
        return;
    }
    if (err.message[0] != '\0')
        log_error("%s", err.message);
    log_error("not reloaded: what was served before still is");
    setup_finish(&next);
}

static void on_reload_signal(uv_signal_t *handle, int number)
{
    struct bridge *bridge = handle->data;
    if (bridge->state == BRIDGE_SERVING)
        reload(bridge);
    else
        log_warn("not reloaded: sparkbridge is stopping");
}

static void start_signals(struct bridge *bridge)
{
    static const struct {
        int number;
        uv_signal_cb callback;
    } handlers[SIGNAL_COUNT] = {
        {SIGTERM, on_stop_signal},
        {SIGINT, on_stop_signal},
        {SIGHUP, on_reload_signal},
    };
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        uv_signal_init(&bridge->loop, &bridge->signals[i]);
        bridge->signals[i].data = bridge;
        uv_signal_start(&bridge->signals[i], handlers[i].callback, handlers[i].number);
    }
    signal(SIGPIPE, SIG_IGN);
}

/* Everything that was opened is closed, but for what was there before (and sockets that we were
 * given, which may be closed too). */
static void check_files(size_t open_before)
{
#ifdef SPARKBRIDGE_CHECKS
    uv_library_shutdown(); /* libuv's own signal pipe is the process's, not the loop's */
    assert(open_files(getenv("NSS_WRAPPER_HOSTS")) <=
           open_before); /* the tests' resolver keeps it */
#endif
}

int bridge_run(struct setup *setup, const struct setup_source *source, struct err *err)
{
    struct bridge bridge = {.source = source};
    const size_t open_before = open_files(NULL);
    uv_loop_init(&bridge.loop);
    engine_init(&bridge.engine, &bridge.loop);
    serving_init(&bridge.serving, &bridge.engine, on_idle);
    uv_timer_init(&bridge.loop, &bridge.timer);
    bridge.timer.data = &bridge;
    start_signals(&bridge);

    if (serving_change(&bridge.serving, setup, err)) {
        log_info("ready");
    } else {
        bridge.exit_status = err->exit_code;
        setup_finish(setup);
        stop(&bridge);
    }
    uv_run(&bridge.loop, UV_RUN_DEFAULT);
    if (bridge.exit_status == 0)
        log_info("stopped");
    uv_loop_close(&bridge.loop);
    engine_finish(&bridge.engine);
    check_files(open_before);
    return bridge.exit_status;
}
