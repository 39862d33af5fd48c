/* Which proxy the upstream connections go through. */
#include "conf/proxy.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "conf/authority.h"
#include "conf/environment.h"

enum { PROXY_MAX_BYTES = 4096 };

struct variable {
    const char *name;
    const char *value;
};

/* The first of the names that is set. */
static struct variable find_variable(char *const *environment, const char *const *names)
{
    for (; *names != NULL; names++) {
        const char *value = environment_get(environment, *names);
        if (value != NULL)
            return (struct variable){*names, value};
    }
    return (struct variable){NULL, NULL};
}

static bool starts_with(const char *text, const char *prefix)
{
    return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

/* What stands behind the scheme: user:password@host:port, and perhaps a slash. */
static bool check_target(const char *target, bool needs_port, struct err *err)
{
    size_t len = strcspn(target, "/?#");
    const char *at = memrchr(target, '@', len);
    const char *host = at != NULL ? at + 1 : target;
    struct authority authority;
    struct authority_fault fault;
    if (!authority_parse(host, len - (size_t)(host - target), &authority, &fault))
        return err_set(err, EX_USAGE, "%s; a proxy is http://HOST:PORT or socks5h://HOST:PORT",
                       fault.text);
    bool has_port = authority.port != 0;
    authority_finish(&authority);
    if (has_port || !needs_port)
        return true;
    return err_set(err, EX_USAGE,
                   "the port is missing; a proxy is http://HOST:PORT or socks5h://HOST:PORT");
}

static bool check_url(const char *url, bool needs_port, struct err *err)
{
    static const char *const schemes[] = {"http://", "socks4://", "socks4a://", "socks5://",
                                          "socks5h://"};
    if (strlen(url) > PROXY_MAX_BYTES)
        return err_set(err, EX_USAGE, "is longer than %d bytes", PROXY_MAX_BYTES);
    for (const char *c = url; *c != '\0'; c++)
        if ((unsigned char)*c <= ' ' || (unsigned char)*c > '~')
            return err_set(err, EX_USAGE, "has a space or control character in it");
    if (strstr(url, "://") == NULL)
        return check_target(url, needs_port, err); /* host:port, which is HTTP */
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (starts_with(url, schemes[i]))
            return check_target(url + strlen(schemes[i]), needs_port, err);
    if (starts_with(url, "https://"))
        return err_set(err, EX_USAGE,
                       "a proxy that is itself reached over TLS is not supported; most also listen "
                       "on http://");
    return err_set(err, EX_USAGE, "a proxy is http://HOST:PORT or socks5h://HOST:PORT");
}

bool proxy_option_check(const char *option, struct err *err)
{
    return strcmp(option, "none") == 0 || strcmp(option, "env") == 0 ||
           check_url(option, true, err);
}

bool proxy_config_read(const char *option, char *const *environment, struct proxy_config *ret,
                       struct err *err)
{
    static const char *const url_names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                                            NULL};
    static const char *const exception_names[] = {"no_proxy", "NO_PROXY", NULL};
    struct variable url = {.value = option};
    if (strcmp(option, "none") == 0)
        return true;
    if (strcmp(option, "env") == 0) {
        url = find_variable(environment, url_names);
        if (url.value == NULL)
            return true;
        struct err fault;
        if (!check_url(url.value, false, &fault))
            return err_set(err, EX_CONFIG, "%s: %s", url.name, fault.message);
    }
    struct variable exceptions = find_variable(environment, exception_names);
    secret_set(&ret->url, url.value, strlen(url.value));
    ret->no_proxy = exceptions.value != NULL ? xstrdup(exceptions.value) : NULL;
    return true;
}

void proxy_config_finish(struct proxy_config *proxy)
{
    secret_finish(&proxy->url);
    free(proxy->no_proxy);
    *proxy = (struct proxy_config){0};
}
