/* `sparkbridge status`: asks the running daemon. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/strbuf.h"
#include "conf/config.h"
#include "conf/host.h"
#include "daemon/command.h"
#include "daemon/control.h"

enum { ANSWER_MAX_BYTES = 16 * 1024 * 1024, ANSWER_TIMEOUT_S = 10 };

/* ---- asking --------------------------------------------------------------------------------- */

static int connect_to(const char *path, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval timeout = {.tv_sec = ANSWER_TIMEOUT_S};
    if (strlen(path) >= sizeof address.sun_path) {
        err_set(
            err, EX_UNAVAILABLE,
            "the path of the control socket is longer than %zu bytes, so no daemon listens there: "
            "name the daemon's by --control unix:PATH (it is %s)",
            sizeof address.sun_path - 1, path);
        return -1;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        err_set(err, EX_OSERR, "%s: no socket to ask with: %s", path, strerror(errno));
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    if (errno == EACCES)
        err_set(err, EX_NOPERM,
                "%s: permission denied: only the daemon's own user and root may ask it", path);
    else
        err_set(err, EX_UNAVAILABLE,
                "no daemon answers at %s (%s): start one with `sparkbridge run`, or name its "
                "socket by --control",
                path, strerror(errno));
    close(fd);
    return -1;
}

/* The whole answer; NULL where it is not one. */
static json_t *ask(int fd, const char *question, struct err *err)
{
    struct strbuf text = {.limit = ANSWER_MAX_BYTES};
    char chunk[16384];
    ssize_t n = send(fd, question, strlen(question), MSG_NOSIGNAL);
    while (n > 0 && (n = recv(fd, chunk, sizeof chunk, 0)) > 0)
        strbuf_append(&text, chunk, (size_t)n);
    json_t *answer = n == 0 && !text.cut ? json_loadb(strbuf_text(&text), text.len, 0, NULL) : NULL;
    strbuf_finish(&text);
    if (answer == NULL)
        err_set(err, EX_UNAVAILABLE, "the daemon gave no answer%s",
                n < 0 && errno == EAGAIN ? " in time: it is not getting on" : "");
    return answer;
}

static json_t *ask_status(const char *path, struct err *err)
{
    int fd = connect_to(path, err);
    if (fd < 0)
        return NULL;
    json_t *answer = ask(fd, "{\"command\":\"status\"}\n", err);
    close(fd);
    json_t *status = json_incref(json_object_get(answer, "status"));
    if (answer != NULL && status == NULL)
        err_set(err, EX_UNAVAILABLE, "the daemon refused: %s",
                json_string_value(json_object_get(answer, "error")));
    json_decref(answer);
    return status;
}

/* ---- the table ------------------------------------------------------------------------------ */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "-";
}

static long long number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static bool is_true(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

static void append_grant(struct strbuf *out, const json_t *grant)
{
    const json_t *binding = json_object_get(grant, "binding");
    const char *profile = json_string_value(json_object_get(grant, "client_profile"));
    if (json_is_integer(json_object_get(grant, "uid")))
        strbuf_append_format(out, "  user        %lld\n", number_of(grant, "uid"));
    if (profile != NULL)
        strbuf_append_format(out, "  profile     %s\n", profile);
    if (json_is_null(binding)) {
        strbuf_append_format(out, "  unusable    %s\n", text_of(grant, "fault"));
        return;
    }
    char *address = host_address(text_of(binding, "host"), (uint16_t)number_of(binding, "port"));
    strbuf_append_format(out, "  workspace   %s (%s)\n", address, text_of(binding, "host_source"));
    free(address);
    strbuf_append_format(out, "  credential  %s sha256:%s (%s)\n", text_of(binding, "auth_type"),
                         text_of(binding, "token_sha256"), text_of(binding, "token_source"));
    const char *expires = json_string_value(json_object_get(binding, "token_expires"));
    if (expires != NULL)
        strbuf_append_format(out, "  expires     %s\n", expires);
    const char *cluster = json_string_value(json_object_get(binding, "cluster_id"));
    strbuf_append_format(out, "  compute     %s%s%s (%s)\n", text_of(binding, "compute"),
                         cluster != NULL ? " " : "", cluster != NULL ? cluster : "",
                         text_of(binding, "compute_source"));
    strbuf_append_format(out, "  upstream    %lld connections\n",
                         number_of(json_object_get(grant, "upstream"), "connections"));
}

static void append_listener(struct strbuf *out, const json_t *listener)
{
    const json_t *clients = json_object_get(listener, "clients");
    strbuf_append_format(out, "\nlistener %s (%s)\n", text_of(listener, "name"),
                         text_of(listener, "state"));
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(listener, "addresses"), i, item)
        strbuf_append_format(out, "  listens on  %s\n", json_string_value(item));
    strbuf_append_format(out, "  clients     %lld with %lld calls\n",
                         number_of(clients, "connections"), number_of(clients, "calls"));
    json_array_foreach(json_object_get(listener, "grants"), i, item) append_grant(out, item);
}

static void append_part(struct strbuf *out, const char *name, const json_t *part)
{
    if (is_true(part, "on"))
        strbuf_append_format(out, "  %-11s on\n", name);
    else
        strbuf_append_format(out, "  %-11s off: %s\n", name, text_of(part, "reason"));
}

static void append_sandbox(struct strbuf *out, const json_t *sandbox)
{
    const json_t *secrets = json_object_get(sandbox, "secrets");
    strbuf_append_text(out, "\nsandbox\n");
    append_part(out, "landlock", json_object_get(sandbox, "landlock"));
    append_part(out, "seccomp", json_object_get(sandbox, "seccomp"));
    strbuf_append_format(out, "  privileges  %s\n",
                         is_true(sandbox, "no_new_privs") ? "no new ones" : "may be gained");
    strbuf_append_format(out, "  memory      %s to other processes, core files %s\n",
                         is_true(sandbox, "dumpable") ? "open" : "closed",
                         number_of(sandbox, "core_limit_bytes") == 0 ? "off" : "possible");
    strbuf_append_format(out, "  secrets     %lld KiB, ",
                         number_of(secrets, "mapped_bytes") / 1024);
    if (is_true(secrets, "locked"))
        strbuf_append_text(out, "locked in memory\n");
    else
        strbuf_append_format(out, "%lld of them locked in memory (%s: raise LimitMEMLOCK)\n",
                             number_of(secrets, "locked_bytes") / 1024, text_of(secrets, "reason"));
}

static void append_reload(struct strbuf *out, const json_t *reload)
{
    const char *at = text_of(reload, "at"), *result = text_of(reload, "result");
    if (strcmp(result, "ok") == 0)
        strbuf_append_format(out, "reloaded at %s\n", at);
    else
        strbuf_append_format(out, "reload failed at %s: %s; the old configuration serves\n", at,
                             result);
}

static char *table(const json_t *status)
{
    const json_t *reload = json_object_get(status, "last_reload");
    struct strbuf out = {0};
    strbuf_append_format(&out, "sparkbridge %s, %s, pid %lld, up %lld s since %s\n",
                         text_of(status, "version"), text_of(status, "state"),
                         number_of(status, "pid"), number_of(status, "uptime_seconds"),
                         text_of(status, "started"));
    strbuf_append_format(&out, "configuration %s\n", text_of(status, "config_file"));
    if (!json_is_null(json_object_get(reload, "at")))
        append_reload(&out, reload);
    size_t i;
    json_t *listener;
    json_array_foreach(json_object_get(status, "listeners"), i, listener)
        append_listener(&out, listener);
    append_sandbox(&out, json_object_get(status, "sandbox"));
    return strbuf_take(&out);
}

/* ---- the command ---------------------------------------------------------------------------- */

static int print_status(const char *path, bool as_json)
{
    struct err err = {0};
    json_t *status = path != NULL ? ask_status(path, &err) : NULL;
    if (path == NULL)
        err_set(&err, EX_UNAVAILABLE,
                "there is no control socket to ask at: name the daemon's by --control unix:PATH "
                "(neither RUNTIME_DIRECTORY nor XDG_RUNTIME_DIR is set)");
    if (status == NULL) {
        fprintf(stderr, "sparkbridge: %s\n", err.message);
        return err.exit_code;
    }
    char *text;
    if (as_json) {
        char *dumped = json_dumps(status, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        text = xasprintf("%s\n", dumped);
        free(dumped);
    } else {
        text = table(status);
    }
    json_decref(status);
    return command_print(text, EX_OK);
}

int command_status(int argc, char **argv, char **environment)
{
    struct config *config = NULL;
    int status = command_load_config(argc, argv, environment, &config);
    if (config != NULL) {
        char *path = control_path(config->control, environment);
        status = print_status(path, config->json);
        free(path);
    }
    config_destroy(config);
    return status;
}
