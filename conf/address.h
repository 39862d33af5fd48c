/*
 * A listening address as people write it: `localhost:15002`, `127.0.0.1:0`, `[::1]:15002`,
 * `unix:/run/sparkbridge.sock`, or `systemd:NAME` for sockets that the service manager opened.
 *
 * Only loopback TCP addresses are accepted, since whoever reaches the port uses its owner's
 * credential. Owner: the caller, listen_address_finish().
 */
#ifndef SPARKBRIDGE_CONF_ADDRESS_H
#define SPARKBRIDGE_CONF_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

/* sun_path is 108 bytes long and the last one is NUL: unix(7). */
enum {
    ADDRESS_PATH_MAX_BYTES = 107,
    ADDRESS_NAME_MAX_BYTES = 255, /* FileDescriptorName= of systemd.socket(5) */
};

enum address_kind { ADDRESS_TCP, ADDRESS_UNIX, ADDRESS_INHERITED };

/* One `--listen` address. */
struct listen_address {
    char *text; /* owned, as written, for messages */
    enum address_kind kind;
    char *host;    /* owned; ADDRESS_TCP: "localhost" (both families), 127.x.y.z or ::1 */
    uint16_t port; /* ADDRESS_TCP; 0 lets the kernel choose */
    char *path;    /* owned; ADDRESS_UNIX */
    char *name;    /* owned; ADDRESS_INHERITED: the sockets' FileDescriptorName= */
};

/* Parses into the zeroed `ret`; the sentence in `err` quotes the text and names the remedy. Exit
 * code EX_USAGE, which the caller may replace. */
bool listen_address_parse(const char *text, struct listen_address *ret, struct err *err);

/* Would the second of the two fail to bind? */
bool listen_address_overlaps(const struct listen_address *a, const struct listen_address *b);

void listen_address_finish(struct listen_address *address);

#endif
