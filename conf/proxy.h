/*
 * Which proxy the upstream connections go through: from the option `proxy`, which is "env" (the
 * default), "none" or a URL, and the variables every tool knows.
 *
 * HTTPS_PROXY or https_proxy, else ALL_PROXY or all_proxy, name it; NO_PROXY or no_proxy the hosts
 * to be reached without it. The lower-case name wins, as in curl(1). Owner: the configuration.
 */
#ifndef SPARKBRIDGE_CONF_PROXY_H
#define SPARKBRIDGE_CONF_PROXY_H

#include <stdbool.h>

#include "common/err.h"
#include "common/secret.h"

struct proxy_config {
    struct secret url; /* may hold a password; not set where there is no proxy */
    char *no_proxy;    /* owned, or NULL */
};

/* Is the option's text "env", "none" or SCHEME://HOST:PORT, perhaps with a user, or HOST:PORT,
 * which is HTTP? EX_USAGE, which the caller may replace; the sentence quotes nothing, as there may
 * be a password. */
bool proxy_option_check(const char *option, struct err *err);

/* Reads `option`, which was checked, and `environment` into the zeroed `ret`. A variable may leave
 * out the port, which is 1080 then, as in curl(1). The sentence in `err` says which variable is
 * wrong and quotes no URL. EX_CONFIG. */
bool proxy_config_read(const char *option, char *const *environment, struct proxy_config *ret,
                       struct err *err);

void proxy_config_finish(struct proxy_config *proxy);

#endif
