/* Variables looked up in an environment that the caller passes. */
#include "conf/environment.h"

#include <stddef.h>
#include <string.h>

const char *environment_get_raw(char *const *environment, const char *name)
{
    if (environment == NULL)
        return NULL;
    size_t len = strlen(name);
    for (char *const *entry = environment; *entry != NULL; entry++)
        if (strncmp(*entry, name, len) == 0 && (*entry)[len] == '=')
            return *entry + len + 1;
    return NULL;
}

const char *environment_get(char *const *environment, const char *name)
{
    const char *value = environment_get_raw(environment, name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

bool environment_has(char *const *environment, const char *name)
{
    return environment_get_raw(environment, name) != NULL;
}
