/*
 * The SDK's configuration: what `Config(...)` of databricks-sdk for Python 0.156.0 makes of
 * arguments, environment and profile file, with the sentences of its errors.
 *
 * Arguments come before the environment and that before the file, attribute by attribute. The file
 * is only asked where a profile is named or where neither a host nor a credential is known. Nothing
 * is run and nothing fetched, so host metadata does not count. Owner: the caller;
 * sdk_config_finish().
 */
#ifndef SPARKBRIDGE_CONF_SDK_CONFIG_H
#define SPARKBRIDGE_CONF_SDK_CONFIG_H

#include <stdbool.h>

#include "common/err.h"
#include "conf/host.h"
#include "conf/layer.h"
#include "conf/profile_file.h"

struct sdk_config {
    struct layer attributes; /* what counts; the host as the SDK's URL */
    const char *auth_type;   /* static: the method chosen */
    const char *auth_source; /* borrowed from `attributes`: the place that decided it */
};

/* `arguments` is what was passed to Config. On failure *ret_kind is the kind of struct
 * resolve_result and `err` has the SDK's sentence. Sensitive values show as ***. */
bool sdk_config_load(const struct layer *arguments, char *const *environment,
                     struct profile_file *file, struct sdk_config *ret_config,
                     const char **ret_kind, struct err *err);

void sdk_config_finish(struct sdk_config *config);

#endif
