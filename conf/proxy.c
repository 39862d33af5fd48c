/* Which proxy the upstream connections go through. */
#include "conf/proxy.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
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

static bool check_url(const char *url, const char *where, struct err *err)
{
    static const char *const schemes[] = {"http://", "socks4://", "socks4a://", "socks5://",
                                          "socks5h://"};
    if (strlen(url) > PROXY_MAX_BYTES)
        return err_set(err, EX_CONFIG, "%s: is longer than %d bytes", where, PROXY_MAX_BYTES);
    for (const char *c = url; *c != '\0'; c++)
        if ((unsigned char)*c <= ' ' || (unsigned char)*c > '~')
            return err_set(err, EX_CONFIG, "%s: has a space or control character in it", where);
    if (strstr(url, "://") == NULL)
        return true; /* host:port, which is HTTP */
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (starts_with(url, schemes[i]))
            return true;
    if (starts_with(url, "https://"))
        return err_set(err, EX_CONFIG,
                       "%s: a proxy that is itself reached over TLS is not supported; most also "
                       "listen on http://",
                       where);
    return err_set(err, EX_CONFIG, "%s: a proxy is http://HOST:PORT or socks5h://HOST:PORT", where);
}

bool proxy_config_read(const char *option, char *const *environment, struct proxy_config *ret,
                       struct err *err)
{
    static const char *const url_names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                                            NULL};
    static const char *const exception_names[] = {"no_proxy", "NO_PROXY", NULL};
    struct variable url = {"proxy", option};
    if (strcmp(option, "none") == 0)
        return true;
    if (strcmp(option, "env") == 0) {
        url = find_variable(environment, url_names);
        if (url.value == NULL)
            return true;
    }
    if (!check_url(url.value, url.name, err))
        return false;
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
