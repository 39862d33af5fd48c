/* Hosts as people write them, made one. */
#include "conf/host.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/ascii.h"
#include "common/strbuf.h"
#include "common/token_shape.h"
#include "conf/authority.h"

/* A host's text taken apart; all parts are borrowed from it. */
struct parts {
    const char *scheme; /* NULL where there is none */
    size_t scheme_len;
    const char *authority; /* name and port */
    size_t authority_len;
    const char *rest; /* path, query and fragment */
};

static struct parts split(const char *text)
{
    struct parts parts = {.authority = text};
    const char *colon = strstr(text, "://");
    if (colon != NULL) {
        parts.scheme = text;
        parts.scheme_len = (size_t)(colon - text);
        parts.authority = colon + 3;
    }
    parts.authority_len = strcspn(parts.authority, "/?#");
    parts.rest = parts.authority + parts.authority_len;
    return parts;
}

static bool scheme_is(const struct parts *parts, const char *scheme)
{
    return parts->scheme_len == strlen(scheme) &&
           strncasecmp(parts->scheme, scheme, parts->scheme_len) == 0;
}

/* What a host with more than path and query is taken for. */
static bool check_form(const char *text, const struct parts *parts, struct err *err)
{
    if (parts->scheme != NULL && scheme_is(parts, "sc"))
        return err_set(err, EX_CONFIG,
                       "that is a connection string: give it as --remote, or as SPARK_REMOTE where "
                       "it has a token");
    if (parts->scheme != NULL && !scheme_is(parts, "https") && !scheme_is(parts, "http"))
        return err_set(err, EX_CONFIG,
                       "a workspace's address begins with https:// or with its name");
    if (strchr(text, ';') != NULL)
        return err_set(
            err, EX_CONFIG,
            "a host has no parameters (';'): a connection string has, given as --remote, "
            "or as SPARK_REMOTE where it has a token");
    if (token_shape_in(parts->rest))
        return err_set(err, EX_CONFIG,
                       "what follows the host looks like an access token: remove it");
    return true;
}

bool host_parse(const char *text, struct host *ret_host, struct err *err)
{
    if (strnlen(text, HOST_MAX_BYTES + 1) > HOST_MAX_BYTES)
        return err_set(err, EX_CONFIG, "it is longer than %d bytes", HOST_MAX_BYTES);
    struct parts parts = split(text);
    if (!check_form(text, &parts, err))
        return false;
    struct authority authority;
    struct authority_fault fault;
    if (!authority_parse(parts.authority, parts.authority_len, &authority, &fault))
        return err_set(err, EX_CONFIG, "%s", fault.text);
    *ret_host = (struct host){
        .name = authority.host,
        .port = authority.port != 0 ? authority.port : HOST_DEFAULT_PORT,
        .port_given = authority.port != 0,
        .plain_http = parts.scheme != NULL && scheme_is(&parts, "http"),
    };
    return true;
}

/* The port by which workspaces are compared. */
static uint16_t workspace_port(const struct host *host)
{
    return host->port_given ? host->port : HOST_DEFAULT_PORT;
}

bool host_same(const struct host *a, const struct host *b)
{
    return strcmp(a->name, b->name) == 0 &&
           (a->port == b->port || workspace_port(a) == workspace_port(b));
}

char *host_address(const char *name, uint16_t port)
{
    bool v6 = strchr(name, ':') != NULL;
    return xasprintf("%s%s%s:%u", v6 ? "[" : "", name, v6 ? "]" : "", (unsigned)port);
}

char *host_text(const struct host *host)
{
    char *text = host_address(host->name, host->port);
    if (host->port == HOST_DEFAULT_PORT)
        *strrchr(text, ':') = '\0';
    return text;
}

bool host_is_loopback(const struct host *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (strcmp(host->name, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host->name, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
    return inet_pton(AF_INET6, host->name, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

void host_copy(struct host *to, const struct host *from)
{
    char *name = xstrdup(from->name);
    host_finish(to);
    *to = *from;
    to->name = name;
}

void host_finish(struct host *host)
{
    free(host->name);
    *host = (struct host){0};
}

static bool ends_with(const char *text, size_t len, const char *suffix)
{
    size_t suffix_len = strlen(suffix);
    return len >= suffix_len && memcmp(text + len - suffix_len, suffix, suffix_len) == 0;
}

char *host_url(const char *text)
{
    struct parts parts = split(text);
    struct strbuf url = {.limit = HOST_MAX_BYTES + sizeof "https://"};
    for (size_t i = 0; i < parts.scheme_len; i++)
        strbuf_append_char(&url, ascii_lower(parts.scheme[i]));
    strbuf_append_text(&url, parts.scheme == NULL ? "https://" : "://");
    static const char default_port[] = ":443";
    if (ends_with(parts.authority, parts.authority_len, default_port))
        parts.authority_len -= sizeof default_port - 1;
    strbuf_append(&url, parts.authority, parts.authority_len);
    size_t path_len = strcspn(parts.rest, "?#");
    const char *tail = parts.rest + path_len;
    while (path_len > 0 && parts.rest[path_len - 1] == '/')
        path_len--;
    strbuf_append(&url, parts.rest, path_len);
    strbuf_append_text(&url, tail);
    return strbuf_take(&url);
}

static const struct {
    const char *suffix;
    enum cloud cloud;
} dns_zones[] = {
    {".cloud.databricks.com", CLOUD_AWS}, /* and .staging in front of it */
    {".cloud.databricks.us", CLOUD_AWS},   {".dev.databricks.com", CLOUD_AWS},
    {".azuredatabricks.net", CLOUD_AZURE}, /* and .dev, .staging */
    {".databricks.azure.us", CLOUD_AZURE}, {".databricks.azure.cn", CLOUD_AZURE},
    {".gcp.databricks.com", CLOUD_GCP}, /* and .dev, .staging */
};

enum cloud host_cloud(const char *url)
{
    for (size_t i = 0; url != NULL && i < sizeof dns_zones / sizeof dns_zones[0]; i++)
        if (ends_with(url, strlen(url), dns_zones[i].suffix))
            return dns_zones[i].cloud;
    return CLOUD_AWS;
}

bool host_is_databricks(const char *name)
{
    for (size_t i = 0; i < sizeof dns_zones / sizeof dns_zones[0]; i++)
        if (ends_with(name, strlen(name), dns_zones[i].suffix))
            return true;
    return false;
}
