/* The control socket's server. */
#include "daemon/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/list.h"
#include "common/log.h"
#include "conf/environment.h"
#include "daemon/acceptor.h"
#include "daemon/unix_socket.h"

struct control {
    uv_loop_t *loop;           /* borrowed */
    struct acceptor *acceptor; /* owned */
    char *path;                /* owned */
    struct unix_socket socket; /* owned */
    struct list clients;       /* oldest first */
    size_t client_count;
    control_answer answer;
    void *owner; /* weak */
};

struct client {
    struct list link;
    struct control *control; /* NULL once it is gone */
    uv_pipe_t pipe;
    uv_write_t write;
    char *said; /* owned; the answer */
    size_t len;
    char line[CONTROL_MAX_LINE_BYTES];
};

static void on_client_closed(uv_handle_t *handle)
{
    struct client *client = handle->data;
    free(client->said);
    free(client);
}

static void client_close(struct client *client)
{
    if (uv_is_closing((uv_handle_t *)&client->pipe))
        return;
    list_remove(&client->link);
    if (client->control != NULL)
        client->control->client_count--;
    client->control = NULL;
    uv_close((uv_handle_t *)&client->pipe, on_client_closed);
}

static void on_written(uv_write_t *write, int status)
{
    client_close(write->data);
}

static json_t *fault(const char *sentence)
{
    return json_pack("{s:b, s:s}", "ok", 0, "error", sentence);
}

static json_t *answer_line(struct control *control, const char *line, size_t len)
{
    json_t *question = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
    const char *command = json_string_value(json_object_get(question, "command"));
    json_t *answer = command != NULL ? control->answer(control->owner, command) : NULL;
    if (answer != NULL && json_object_get(answer, "ok") == NULL)
        json_object_set_new(answer, "ok", json_true());
    if (answer == NULL)
        answer = fault(command != NULL ? "there is no such command"
                                       : "a question is a line of JSON, {\"command\":\"status\"}");
    json_decref(question);
    return answer;
}

static void client_say(struct client *client, json_t *answer)
{
    char *text = json_dumps(answer, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(answer);
    client->said = xasprintf("%s\n", text);
    free(text);
    uv_buf_t buffer = uv_buf_init(client->said, (unsigned)strlen(client->said));
    client->write.data = client;
    uv_read_stop((uv_stream_t *)&client->pipe);
    if (uv_write(&client->write, (uv_stream_t *)&client->pipe, &buffer, 1, on_written) < 0)
        client_close(client);
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct client *client = handle->data;
    *buffer =
        uv_buf_init(client->line + client->len, (unsigned)(CONTROL_MAX_LINE_BYTES - client->len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    struct client *client = stream->data;
    if (n < 0 && n != UV_ENOBUFS) {
        client_close(client);
        return;
    }
    client->len += n > 0 ? (size_t)n : 0;
    const char *end = memchr(client->line, '\n', client->len);
    if (end != NULL)
        client_say(client,
                   answer_line(client->control, client->line, (size_t)(end - client->line)));
    else if (client->len == CONTROL_MAX_LINE_BYTES)
        client_say(client, fault("the question is longer than 4096 bytes"));
}

/* The mode of the socket keeps others out already, unless somebody changes it. */
static bool may_ask(int fd)
{
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t len = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        return false;
    if (peer.uid == geteuid() || peer.uid == 0)
        return true;
    log_warn("user %u is refused at the control socket", (unsigned)peer.uid);
    return false;
}

/* Takes the descriptor over. */
static void serve(struct control *control, int fd)
{
    struct client *client = xcalloc(1, sizeof *client);
    list_init(&client->link);
    uv_pipe_init(control->loop, &client->pipe, 0);
    client->pipe.data = client;
    if (uv_pipe_open(&client->pipe, fd) < 0) {
        close(fd);
        client_close(client);
        return;
    }
    struct client *oldest = list_first(&control->clients, struct client, link);
    if (oldest != NULL && control->client_count == CONTROL_MAX_CLIENTS)
        client_close(oldest);
    client->control = control;
    control->client_count++;
    list_append(&control->clients, &client->link);
    uv_read_start((uv_stream_t *)&client->pipe, on_allocate, on_read);
}

/* With the last descriptor as with any: whoever asks why nothing works any more is to hear it. */
static void on_accepted(void *owner, int fd, bool last)
{
    if (may_ask(fd))
        serve(owner, fd);
    else
        close(fd);
}

/* ---- life ------------------------------------------------------------------------------------ */

char *control_path(const char *configured, char *const *environment)
{
    static const char prefix[] = "unix:";
    if (configured != NULL)
        return strncmp(configured, prefix, strlen(prefix)) == 0
                   ? xstrdup(configured + strlen(prefix))
                   : NULL; /* "none" */
    /* systemd.exec(5): several are separated by colons, of which the first is ours. */
    const char *directory = environment_get(environment, "RUNTIME_DIRECTORY");
    if (directory != NULL)
        return xasprintf("%.*s/control.sock", (int)strcspn(directory, ":"), directory);
    directory = environment_get(environment, "XDG_RUNTIME_DIR");
    return directory != NULL ? xasprintf("%s/sparkbridge/control.sock", directory) : NULL;
}

/* The directory below $XDG_RUNTIME_DIR is nobody else's to make. One that cannot be made is a fault
 * that shows when the socket is bound. */
static void make_directory(const char *path)
{
    char *directory = xstrndup(path, (size_t)(strrchr(path, '/') - path));
    mkdir(directory, 0700);
    free(directory);
}

struct control *control_create(uv_loop_t *loop, const char *path, control_answer answer,
                               void *owner, struct err *err)
{
    struct unix_socket socket;
    make_directory(path);
    if (!unix_socket_listen(path, "--control", 0600, &socket, err)) {
        err_prefix(err, "control socket: ");
        return NULL;
    }
    struct control *control = xcalloc(1, sizeof *control);
    control->loop = loop;
    control->path = xstrdup(path);
    control->socket = socket;
    control->answer = answer;
    control->owner = owner;
    list_init(&control->clients);
    int error;
    const struct acceptor_config config = {
        .loop = loop,
        .name = "control socket",
        .on_accepted = on_accepted,
        .owner = control,
    };
    control->acceptor = acceptor_create(&config, socket.fd, &error);
    if (control->acceptor != NULL)
        return control;
    control_destroy(control);
    err_set(err, EX_CANTCREAT, "control socket: cannot listen on unix:%s: %s", path,
            uv_strerror(error));
    return NULL;
}

const char *control_path_of(const struct control *control)
{
    return control != NULL ? control->path : NULL;
}

void control_destroy(struct control *control)
{
    if (control == NULL)
        return;
    struct client *client;
    while ((client = list_first(&control->clients, struct client, link)) != NULL)
        client_close(client);
    acceptor_close(control->acceptor);
    unix_socket_remove(&control->socket, control->path);
    close(control->socket.fd);
    free(control->path);
    free(control);
}
