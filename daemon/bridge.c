/* The running daemon: signals, reload, and the way it stops. */
#include "daemon/bridge.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "common/alloc.h"
#include "common/log.h"
#include "common/log_events.h"
#include "conf/printable.h"
#include "daemon/control.h"
#include "daemon/engine.h"
#include "daemon/idle_exit.h"
#include "daemon/inherited.h"
#include "daemon/notify.h"
#include "daemon/open_files.h"
#include "daemon/sandbox.h"
#include "daemon/serving.h"
#include "daemon/status.h"

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
    uv_timer_t timer;        /* of the drain */
    struct control *control; /* owned; NULL where there is none */
    struct sandbox sandbox;
    struct notify notify;
    struct idle_exit idle_exit;
    enum bridge_state state;
    int exit_status;

    time_t started, reloaded; /* `reloaded`: the last try, 0: none */
    char *reload_said;        /* owned; "ok", or why it failed */
};

static void stop(struct bridge *bridge)
{
    control_destroy(bridge->control);
    serving_finish(&bridge->serving);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        int number = bridge->signals[i].signum;
        uv_close((uv_handle_t *)&bridge->signals[i], NULL);
        signal(number, SIG_IGN); /* libuv restores the default, and we are stopping already */
    }
    uv_close((uv_handle_t *)&bridge->timer, NULL);
    notify_finish(&bridge->notify);
    idle_exit_finish(&bridge->idle_exit);
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
    char text[96];
    snprintf(text, sizeof text,
             "calls are still running after the drain timeout of %u ms: they are ended",
             bridge->serving.setup.config->drain_timeout_ms);
    log_fields(LOG_LEVEL_WARN, text, LOG_EVENT_CALLS_ENDED);
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
    unsigned timeout_ms = bridge->serving.setup.config->drain_timeout_ms;
    log_fields(LOG_LEVEL_INFO, "draining: no new connections, running calls may finish",
               LOG_EVENT_DRAINING);
    notify_stopping("draining: running calls may finish", timeout_ms);
    bridge->state = BRIDGE_DRAINING;
    uv_timer_start(&bridge->timer, on_drain_timeout, timeout_ms, 0);
    idle_exit_use(&bridge->idle_exit, 0);
    serving_stop(&bridge->serving);
    if (serving_is_idle(&bridge->serving))
        on_idle(&bridge->serving);
}

static void on_unused(struct idle_exit *idle_exit)
{
    struct bridge *bridge = container_of(idle_exit, struct bridge, idle_exit);
    char text[80];
    snprintf(text, sizeof text, "unused for %u ms: stopping until somebody connects",
             idle_exit->timeout_ms);
    log_fields(LOG_LEVEL_INFO, text, LOG_EVENT_UNUSED);
    drain(bridge);
}

static void on_stop_signal(uv_signal_t *handle, int number)
{
    struct bridge *bridge = handle->data;
    if (bridge->state == BRIDGE_SERVING) {
        drain(bridge);
    } else if (bridge->state == BRIDGE_DRAINING && !serving_is_idle(&bridge->serving)) {
        log_warn("asked to stop a second time: running calls are ended");
        cut(bridge);
    }
}

static const char *first_error(const struct diag_list *diags)
{
    for (size_t i = 0; i < diags->count; i++)
        if (diags->items[i].severity == DIAG_ERROR)
            return diags->items[i].message;
    return "";
}

/* Reads everything anew. `err` has the first fault. */
static bool load_and_change(struct bridge *bridge, struct err *err)
{
    struct setup next = {0};
    struct diag_list diags = {0};
    bool loaded = setup_load(bridge->source, &next, &diags);
    setup_log_diags(&diags);
    if (!loaded)
        err_set(err, diag_list_exit_code(&diags), "%s", first_error(&diags));
    diag_list_finish(&diags);
    if (loaded && serving_change(&bridge->serving, &next, err))
        return true;
    if (loaded)
        log_error("%s", err->message);
    setup_finish(&next);
    return false;
}

/* Says that it is ready, and with what; `fault` is why a reload failed, or NULL. */
static void report_ready(const struct bridge *bridge, const char *fault)
{
    char *status = status_line(&bridge->serving);
    if (fault != NULL) {
        char *both = xasprintf("%s; not reloaded: %s", status, fault);
        free(status);
        status = both;
    }
    notify_ready(status);
    free(status);
}

/* What counts for the daemon as a whole and is not the serving's part. */
static void use_config(struct bridge *bridge)
{
    const struct config *config = bridge->serving.setup.config;
    log_set_level(config->log_level);
    log_set_lines(config->log_lines);
    idle_exit_use(&bridge->idle_exit, config->idle_exit_ms);
    inherited_report_unused(config);
}

static bool reload(struct bridge *bridge, struct err *err)
{
    if (bridge->state != BRIDGE_SERVING) {
        log_fields(LOG_LEVEL_WARN, "not reloaded: sparkbridge is stopping", LOG_EVENT_NOT_RELOADED);
        return err_set(err, EX_TEMPFAIL, "sparkbridge is stopping");
    }
    notify_reloading();
    bool ok = load_and_change(bridge, err);
    free(bridge->reload_said);
    bridge->reload_said = xstrdup(ok ? "ok" : err->message);
    bridge->reloaded = time(NULL);
    if (ok) {
        use_config(bridge);
        log_fields(LOG_LEVEL_INFO, "reloaded", LOG_EVENT_RELOADED);
    } else {
        log_fields(LOG_LEVEL_ERROR, "not reloaded: what was served before still is",
                   LOG_EVENT_NOT_RELOADED);
    }
    report_ready(bridge, ok ? NULL : err->message);
    return ok;
}

static void on_reload_signal(uv_signal_t *handle, int number)
{
    struct err err;
    reload(handle->data, &err);
}

/* ---- the control socket --------------------------------------------------------------------- */

static json_t *answer_status(struct bridge *bridge)
{
    const struct status_source source = {
        .serving = &bridge->serving,
        .sandbox = &bridge->sandbox,
        .state = bridge->state == BRIDGE_SERVING ? "serving" : "draining",
        .started = bridge->started,
        .reloaded = bridge->reloaded,
        .reload_said = bridge->reload_said,
    };
    return json_pack("{s:o}", "status", status_json(&source));
}

/* The error names files, which may be called anything. */
static json_t *answer_reload(struct bridge *bridge)
{
    struct err err = {0};
    if (reload(bridge, &err))
        return json_object();
    return json_pack("{s:b, s:o}", "ok", 0, "error", printable_json(err.message));
}

/* What is NULL to json_pack() is so for want of memory; to the control socket it is a command that
 * there is not. */
static json_t *made(json_t *answer)
{
    if (answer == NULL)
        abort();
    return answer;
}

static json_t *on_control(void *owner, const char *command)
{
    struct bridge *bridge = owner;
    if (strcmp(command, "status") == 0)
        return made(answer_status(bridge));
    if (strcmp(command, "reload") == 0)
        return made(answer_reload(bridge));
    if (strcmp(command, "drain") == 0) {
        if (bridge->state == BRIDGE_SERVING)
            drain(bridge);
        return made(json_object());
    }
    return NULL;
}

/* Where nobody asked for it a daemon can do without: another one of the same user may have it. */
static bool open_control(struct bridge *bridge, struct err *err)
{
    const char *configured = bridge->serving.setup.config->control;
    char *path = control_path(configured, bridge->source->environment);
    if (path == NULL)
        return true;
    bridge->control = control_create(&bridge->loop, path, on_control, bridge, err);
    bool ok = bridge->control != NULL || configured == NULL;
    if (bridge->control == NULL && ok)
        log_warn("%s; `sparkbridge status` will not reach this one", err->message);
    free(path);
    return ok;
}

/* Opens everything, then gives up what is not needed any more. */
static bool start(struct bridge *bridge, struct setup *setup, struct err *err)
{
    if (!serving_change(&bridge->serving, setup, err) || !open_control(bridge, err))
        return false;
    sandbox_enter(&bridge->serving.setup, control_path_of(bridge->control),
                  bridge->source->environment, &bridge->sandbox);
    use_config(bridge);
    log_fields(LOG_LEVEL_INFO, "ready", LOG_EVENT_READY);
    report_ready(bridge, NULL);
    return true;
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
    /* The tests' resolver keeps its files, whose names begin alike. */
    assert(open_files(getenv("NSS_WRAPPER_HOSTS")) <= open_before);
#endif
}

int bridge_run(struct setup *setup, const struct setup_source *source, struct err *err)
{
    struct bridge bridge = {.source = source, .started = time(NULL)};
    const size_t open_before = open_files(NULL);
    sandbox_forbid_io_uring();
    uv_loop_init(&bridge.loop);
    engine_init(&bridge.engine, &bridge.loop);
    serving_init(&bridge.serving, &bridge.engine, on_idle);
    uv_timer_init(&bridge.loop, &bridge.timer);
    bridge.timer.data = &bridge;
    notify_init(&bridge.notify, &bridge.loop);
    idle_exit_init(&bridge.idle_exit, &bridge.loop, &bridge.serving.quota, on_unused);
    start_signals(&bridge);

    *err = (struct err){0};
    if (!start(&bridge, setup, err)) {
        bridge.exit_status = err->exit_code;
        setup_finish(setup);
        stop(&bridge);
    }
    uv_run(&bridge.loop, UV_RUN_DEFAULT);
    if (bridge.exit_status == 0)
        log_fields(LOG_LEVEL_INFO, "stopped", LOG_EVENT_STOPPED);
    uv_loop_close(&bridge.loop);
    free(bridge.reload_said);
    engine_finish(&bridge.engine);
    check_files(open_before);
    return bridge.exit_status;
}
