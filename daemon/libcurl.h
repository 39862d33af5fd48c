/*
 * libcurl, loaded when it is first needed: its libraries take more memory than all the rest of the
 * daemon, and only who is behind a proxy needs them.
 *
 * LIBCURL_FUNCTIONS is the one list of what is used of it. Owner: the struct's; what was loaded
 * stays in the process until its end, for libraries below libcurl do not survive being unloaded.
 */
#ifndef SPARKBRIDGE_DAEMON_LIBCURL_H
#define SPARKBRIDGE_DAEMON_LIBCURL_H

#include <stdbool.h>

#define CURL_DISABLE_TYPECHECK /* its macros would call the functions by name */
#include <curl/curl.h>

#include "common/err.h"

#define LIBCURL_FUNCTIONS(X)                                                                       \
    X(easy_cleanup)                                                                                \
    X(easy_getinfo)                                                                                \
    X(easy_init)                                                                                   \
    X(easy_pause)                                                                                  \
    X(easy_setopt)                                                                                 \
    X(easy_strerror)                                                                               \
    X(global_cleanup)                                                                              \
    X(global_init)                                                                                 \
    X(multi_add_handle)                                                                            \
    X(multi_assign)                                                                                \
    X(multi_cleanup)                                                                               \
    X(multi_info_read)                                                                             \
    X(multi_init)                                                                                  \
    X(multi_remove_handle)                                                                         \
    X(multi_setopt)                                                                                \
    X(multi_socket_action)

/* NOLINTBEGIN(bugprone-macro-parentheses): `name` is one to declare */
/* `curl->easy_init()` is curl_easy_init(). */
struct libcurl {
#define LIBCURL_FIELD(name) __typeof__(curl_##name) *name;
    LIBCURL_FUNCTIONS(LIBCURL_FIELD)
#undef LIBCURL_FIELD
};
/* NOLINTEND(bugprone-macro-parentheses) */

/* Loads the library and finds the functions; EX_UNAVAILABLE and a sentence where it cannot. */
bool libcurl_load(struct libcurl *ret_curl, struct err *err);

#endif
