/*
 * The control socket: where an operator asks the running daemon, and tells it to reload or drain.
 *
 * One line of JSON, {"command":"status"}, gets one line of JSON, {"ok":true, ...} or
 * {"ok":false,"error":"..."}, and the connection ends. The socket has mode 0600, and nobody but
 * the daemon's own user and root (SO_PEERCRED, unix(7)) gets an answer.
 * Owner: the bridge. Loop thread only.
 */
#ifndef SPARKBRIDGE_DAEMON_CONTROL_H
#define SPARKBRIDGE_DAEMON_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "common/err.h"

enum {
    CONTROL_MAX_CLIENTS = 8,       /* at once; the oldest makes room for one more */
    CONTROL_MAX_LINE_BYTES = 4096, /* of a question */
};

struct control;

/* Answers a command with an object to which "ok" is added, or with NULL where it knows none of that
 * name. */
typedef json_t *(*control_answer)(void *owner, const char *command);

/* Where the socket is: `configured` is the option `control` or NULL for the default place, of which
 * the directory is made. NULL: nowhere. The caller frees it. */
char *control_path(const char *configured, char *const *environment);

/* Listens. EX_CANTCREAT with the remedy on failure. */
struct control *control_create(uv_loop_t *loop, const char *path, control_answer answer,
                               void *owner, struct err *err);

const char *control_path_of(const struct control *control); /* NULL where `control` is */

/* Stops and removes the socket; the memory goes when libuv has let go. Accepts NULL. */
void control_destroy(struct control *control);

#endif
