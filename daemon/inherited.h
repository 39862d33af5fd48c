/*
 * Descriptors that the service manager opened and passed on: LISTEN_FDNAMES, sd_listen_fds(3).
 *
 * They are found by name only. With two socket units their order changes from boot to boot.
 * Owner: the process, for as long as it lives. A listener takes a duplicate, so that a reload may
 * leave a socket and come back to it, and its queue of connections is never lost.
 */
#ifndef SPARKBRIDGE_DAEMON_INHERITED_H
#define SPARKBRIDGE_DAEMON_INHERITED_H

#include <stddef.h>

#include "common/err.h"
#include "conf/config.h"

enum { INHERITED_MAX = 16 }; /* of one name */

/* Fills in the descriptors of that name and returns their number; further ones are left out. */
size_t inherited_find(const char *name, int ret_fds[INHERITED_MAX]);

/* A duplicate of a listening stream socket on which only this machine's programs can connect; the
 * caller closes it. -1 with EX_CANTCREAT and the remedy where it is something else. */
int inherited_take(int fd, const char *name, struct err *err);

/* Says in the log which sockets no listener uses: whoever connects to them waits for ever. */
void inherited_report_unused(const struct config *config);

#endif
