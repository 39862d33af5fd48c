/* Descriptors that the service manager opened and passed on. */
#include "daemon/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "common/log.h"
#include "daemon/sock_diag.h"

/* The names, which the caller frees one by one and together; their index is that of the
 * descriptor. */
static size_t names_of(char ***ret_names)
{
    *ret_names = NULL;
    int count = sd_listen_fds_with_names(0, ret_names);
    return count > 0 ? (size_t)count : 0;
}

static void free_names(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

size_t inherited_find(const char *name, int ret_fds[INHERITED_MAX])
{
    char **names;
    size_t count = names_of(&names), found = 0;
    for (size_t i = 0; i < count && found < INHERITED_MAX; i++)
        if (strcmp(names[i], name) == 0)
            ret_fds[found++] = SD_LISTEN_FDS_START + (int)i;
    free_names(names, count);
    return found;
}

static bool is_local(int fd)
{
    union {
        struct sockaddr sa;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage storage;
    } address;
    socklen_t len = sizeof address;
    if (getsockname(fd, &address.sa, &len) < 0)
        return false;
    switch (address.sa.sa_family) {
    case AF_UNIX: return true;
    case AF_INET: return ntohl(address.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    case AF_INET6: return IN6_IS_ADDR_LOOPBACK(&address.v6.sin6_addr);
    default: return false;
    }
}

int inherited_take(int fd, const char *name, struct err *err)
{
    int copy = -1;
    if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0)
        err_set(err, EX_CANTCREAT,
                "cannot listen on systemd:%s: one of these descriptors is not a listening stream "
                "socket; use ListenStream= with Accept=no in the socket unit",
                name);
    else if (!is_local(fd))
        err_set(err, EX_CANTCREAT,
                "cannot listen on systemd:%s: one of these sockets can be reached from other "
                "machines; use loopback addresses or paths in the socket unit",
                name);
    else if ((copy = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0)
        err_set(err, EX_CANTCREAT, "cannot listen on systemd:%s: %s", name, strerror(errno));
    return copy;
}

static bool is_used(const struct config *config, const char *name)
{
    if (strcmp(name, SOCK_DIAG_INHERITED_NAME) == 0)
        return true;
    for (size_t i = 0; i < config->listener_count; i++)
        for (size_t j = 0; j < config->listeners[i].address_count; j++) {
            const struct listen_address *address = &config->listeners[i].addresses[j];
            if (address->kind == ADDRESS_INHERITED && strcmp(address->name, name) == 0)
                return true;
        }
    return false;
}

void inherited_report_unused(const struct config *config)
{
    char **names;
    size_t count = names_of(&names);
    for (size_t i = 0; i < count; i++)
        if (!is_used(config, names[i]))
            log_warn("no listener has the address systemd:%s: who connects to this socket of "
                     "systemd's will not be answered",
                     names[i]);
    free_names(names, count);
}
