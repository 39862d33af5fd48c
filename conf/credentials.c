/* Credentials that the service manager passes as files. */
#include "conf/credentials.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/alloc.h"
#include "conf/environment.h"

char *credential_path(char *const *environment, const char *name)
{
    const char *directory = environment_get(environment, "CREDENTIALS_DIRECTORY");
    if (directory == NULL)
        return NULL;
    char *path = xasprintf("%s/%s", directory, name);
    if (access(path, F_OK) == 0)
        return path;
    free(path);
    return NULL;
}

static void use(char *const *environment, const char *name, char **path, char **source)
{
    *path = credential_path(environment, name);
    if (*path == NULL)
        return;
    free(*source);
    *source = xasprintf("credential %s", *path);
}

void credentials_apply(struct listener_config *listener, char *const *environment)
{
    /* A token belongs to the host beside which it was configured, and to no other. */
    if (listener->token_file == NULL && listener->host != NULL)
        use(environment, "token", &listener->token_file, &listener->token_source);
    if (listener->client_secret_file == NULL)
        use(environment, "client-secret", &listener->client_secret_file,
            &listener->client_secret_source);
}
