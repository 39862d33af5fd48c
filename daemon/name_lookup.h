/*
 * Looking the name of a host up: the C library's getaddrinfo(), in threads of its own (workers.h).
 * A look-up that is cancelled is left to its thread; at the end of the process nobody waits for it.
 *
 * Owner: a name_service is one for the process; a name_lookup ends by calling back once, or
 * silently by name_lookup_cancel(). There is no limit of time: the caller cancels. Loop thread
 * only.
 */
#ifndef SPARKBRIDGE_DAEMON_NAME_LOOKUP_H
#define SPARKBRIDGE_DAEMON_NAME_LOOKUP_H

#include <netdb.h>
#include <stdint.h>
#include <uv.h>

/* Threads, also those that nobody waits for any more; further look-ups wait for one of them. Well
 * under the unit's TasksMax=. */
enum { NAME_SERVICE_MAX_THREADS = 32 };

struct name_service;
struct name_lookup;

/* `found`: TCP addresses in the order of RFC 6724; NULL on failure, with a phrase about it. Both
 * are borrowed for the call. */
typedef void (*name_callback)(void *owner, const struct addrinfo *found, const char *text);

struct name_service *name_service_create(uv_loop_t *loop);

/* All look-ups have ended. The loop must run once more for its handle to close. */
void name_service_destroy(struct name_service *service);

/* Starts. `host` is a name or an IP address, copied; the callback never comes before this returns.
 */
struct name_lookup *name_lookup_start(struct name_service *service, const char *host, uint16_t port,
                                      name_callback callback, void *owner);

/* The callback will not be called; accepts NULL. */
void name_lookup_cancel(struct name_lookup *lookup);

#endif
