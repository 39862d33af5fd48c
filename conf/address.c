/* A listening address as people write it. */
#include "conf/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "conf/diag.h"

enum { HOST_SIZE = 256, SCHEME_SIZE = 16, PORT_MAX = 65535 };

static bool parse_port(const char *text, uint16_t *ret_port)
{
    size_t len = strlen(text);
    if (len == 0 || len > 5 || strspn(text, "0123456789") != len)
        return false;
    unsigned long port = strtoul(text, NULL, 10);
    if (port > PORT_MAX)
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

static bool parse_unix(const char *text, struct listen_address *ret, struct err *err)
{
    const char *path = text + strlen("unix:");
    /* gRPC writes an absolute path also as unix:///path. */
    if (strncmp(path, "///", 3) == 0)
        path += 2;
    struct diag_quote quote = diag_quote(text);
    if (path[0] != '/' || path[1] == '/')
        return err_set(err, EX_USAGE,
                       "%s needs an absolute path, as in unix:/run/user/1000/sparkbridge.sock",
                       quote.text);
    size_t len = strlen(path);
    if (len > ADDRESS_PATH_MAX_BYTES)
        return err_set(err, EX_USAGE, "%s: the path has %zu bytes, a socket's may have %d",
                       quote.text, len, ADDRESS_PATH_MAX_BYTES);
    if (path[len - 1] == '/')
        return err_set(err, EX_USAGE, "%s names a directory; add the socket's file name",
                       quote.text);
    for (const char *c = path; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return err_set(err, EX_USAGE, "%s has a control character in its path", quote.text);
    }
    ret->kind = ADDRESS_UNIX;
    ret->path = xstrdup(path);
    return true;
}

/* The rule for FileDescriptorName=: printable ASCII without a colon. */
static bool parse_inherited(const char *text, struct listen_address *ret, struct err *err)
{
    const char *name = text + strlen("systemd:");
    size_t len = strlen(name);
    bool valid = len > 0 && len <= ADDRESS_NAME_MAX_BYTES;
    for (const char *c = name; *c != '\0'; c++)
        valid = valid && *c > 0x20 && *c < 0x7f && *c != ':';
    if (!valid)
        return err_set(err, EX_USAGE,
                       "%s needs the FileDescriptorName= of a socket unit, as in systemd:spark",
                       diag_quote(text).text);
    ret->kind = ADDRESS_INHERITED;
    ret->name = xstrdup(name);
    return true;
}

/* The canonical form of a loopback host, NULL for any other. */
static char *loopback_host(const char *host)
{
    if (strcasecmp(host, "localhost") == 0)
        return xstrdup("localhost");
    struct in_addr v4;
    if (inet_pton(AF_INET, host, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == IN_LOOPBACKNET)
        return xstrdup(host);
    struct in6_addr v6;
    if (inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6))
        return xstrdup("::1");
    return NULL;
}

/* Other tools' ways to write addresses, which would be misread below. */
static bool check_form(const char *text, struct err *err)
{
    struct diag_quote quote = diag_quote(text);
    if (strchr(text, ',') != NULL)
        return err_set(
            err, EX_USAGE,
            "%s: an option takes one address; repeat it for others, or write a list into "
            "the YAML file",
            quote.text);
    const char *slashes = strstr(text, "://");
    if (slashes != NULL) {
        char scheme[SCHEME_SIZE];
        snprintf(scheme, sizeof scheme, "%.*s", (int)(slashes + strlen("://") - text), text);
        return err_set(err, EX_USAGE, "%s: leave out %s, as in localhost:15002", quote.text,
                       diag_quote(scheme).text);
    }
    if (text[0] == '/')
        return err_set(err, EX_USAGE, "%s: write unix: in front of the path", quote.text);
    return true;
}

/* Splits `HOST:PORT`, or `[HOST]:PORT`, at the colon. */
static bool split(const char *text, char ret_host[HOST_SIZE], const char **ret_port,
                  struct err *err)
{
    struct diag_quote quote = diag_quote(text);
    const char *host = text;
    const char *host_end = strrchr(text, ':');
    const char *port = host_end != NULL ? host_end + 1 : NULL;
    if (text[0] == '[') {
        host = text + 1;
        host_end = strchr(text, ']');
        bool is_v6 = host_end != NULL && memchr(host, ':', (size_t)(host_end - host)) != NULL;
        port = is_v6 && host_end[1] == ':' ? host_end + 2 : NULL;
    } else if (host_end != NULL && memchr(text, ':', (size_t)(host_end - text)) != NULL) {
        return err_set(err, EX_USAGE, "%s: an IPv6 address stands in brackets, as in [::1]:15002",
                       quote.text);
    }
    if (port == NULL || host_end == host || (size_t)(host_end - host) >= HOST_SIZE) {
        const char *remedy = strspn(text, "0123456789") == strlen(text) && text[0] != '\0'
                                 ? "for a port alone write localhost: in front of it"
                                 : "write it as HOST:PORT or unix:PATH";
        return err_set(err, EX_USAGE, "%s is not an address: %s, as in localhost:15002", quote.text,
                       remedy);
    }
    memcpy(ret_host, host, (size_t)(host_end - host));
    ret_host[host_end - host] = '\0';
    *ret_port = port;
    return true;
}

static bool parse_tcp(const char *text, struct listen_address *ret, struct err *err)
{
    struct diag_quote quote = diag_quote(text);
    char host[HOST_SIZE];
    const char *port = "";
    if (!check_form(text, err) || !split(text, host, &port, err))
        return false;
    char *loopback = loopback_host(host);
    if (loopback == NULL)
        return err_set(err, EX_USAGE,
                       "%s is not a loopback address: whoever reaches the port uses its owner's "
                       "credential, so only localhost, 127.x.y.z, [::1] and unix: are served",
                       quote.text);
    if (!parse_port(port, &ret->port)) {
        free(loopback);
        return err_set(err, EX_USAGE, "%s: the port has to be a number from 0 to %d", quote.text,
                       PORT_MAX);
    }
    ret->kind = ADDRESS_TCP;
    ret->host = loopback;
    return true;
}

bool listen_address_parse(const char *text, struct listen_address *ret, struct err *err)
{
    bool ok;
    if (strncmp(text, "unix:", strlen("unix:")) == 0)
        ok = parse_unix(text, ret, err);
    else if (strncmp(text, "systemd:", strlen("systemd:")) == 0)
        ok = parse_inherited(text, ret, err);
    else
        ok = parse_tcp(text, ret, err);
    if (!ok)
        return false;
    ret->text = xstrdup(text);
    return true;
}

bool listen_address_overlaps(const struct listen_address *a, const struct listen_address *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == ADDRESS_UNIX)
        return strcmp(a->path, b->path) == 0;
    if (a->kind == ADDRESS_INHERITED)
        return strcmp(a->name, b->name) == 0;
    if (a->port != b->port || a->port == 0)
        return false;
    if (strcmp(a->host, b->host) == 0)
        return true;
    /* localhost is 127.0.0.1 and ::1. */
    const char *other = strcmp(a->host, "localhost") == 0   ? b->host
                        : strcmp(b->host, "localhost") == 0 ? a->host
                                                            : "";
    return strcmp(other, "127.0.0.1") == 0 || strcmp(other, "::1") == 0;
}

void listen_address_finish(struct listen_address *address)
{
    free(address->text);
    free(address->host);
    free(address->path);
    free(address->name);
    *address = (struct listen_address){0};
}
