/* Finding and reading the YAML file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/alloc.h"
#include "conf/config_sources.h"
#include "conf/environment.h"
#include "conf/read_file.h"
#include "conf/yaml_tree.h"

static const char user_path[] = "sparkbridge/sparkbridge.yaml";
static const char system_path[] = "/etc/sparkbridge/sparkbridge.yaml";

static void parse(const char *path, const struct secret *content, const struct stat *status,
                  char *const *environment, struct config_file *ret_file, struct diag_list *diags)
{
    config_file_parse(path, content, environment, ret_file, diags);
    struct err err;
    char what[64];
    const struct secret_key *secret = &ret_file->secret;
    if (secret->path == NULL)
        return;
    snprintf(what, sizeof what, "%s (%s)", secret->holds, secret->path);
    if (!check_private(path, status, what, &err))
        diag_error(diags, err.exit_code, "%s", err.message);
}

/* Tries one of the usual places; true where the search is over. A file there that cannot be opened
 * may be meant for another user, the service's for example. */
static bool try_file(const char *path, char *const *environment, struct config_file *ret_file,
                     struct diag_list *diags)
{
    struct secret content = {0};
    struct stat status = {0};
    struct err err;
    if (read_file(path, YAML_TREE_MAX_BYTES, &content, &status, &err)) {
        parse(path, &content, &status, environment, ret_file, diags);
        secret_finish(&content);
        return true;
    }
    if (errno == 0)
        diag_error(diags, err.exit_code, "%s", err.message);
    else if (errno != ENOENT && errno != ENOTDIR)
        diag_warning(diags, "%s; going on without it", err.message);
    return errno == 0;
}

/* The user's file: $XDG_CONFIG_HOME, which the XDG base directory specification wants to be
 * absolute, else ~/.config. */
static char *find_user_path(char *const *environment)
{
    const char *base = environment_get(environment, "XDG_CONFIG_HOME");
    if (base != NULL && base[0] == '/')
        return xasprintf("%s/%s", base, user_path);
    const char *home = environment_get(environment, "HOME");
    return home != NULL ? xasprintf("%s/.config/%s", home, user_path) : NULL;
}

static void search(char *const *environment, struct config_file *ret_file, struct diag_list *diags)
{
    char *path = find_user_path(environment);
    if (path == NULL || !try_file(path, environment, ret_file, diags))
        try_file(system_path, environment, ret_file, diags);
    free(path);
}

void config_file_read(const char *path, char *const *environment, struct config_file *ret_file,
                      struct diag_list *diags)
{
    struct secret content = {0};
    struct stat status = {0};
    struct err err;
    if (path == NULL)
        search(environment, ret_file, diags);
    else if (read_file(path, YAML_TREE_MAX_BYTES, &content, &status, &err))
        parse(path, &content, &status, environment, ret_file, diags);
    else
        diag_error(diags, err.exit_code, "%s", err.message);
    secret_finish(&content);
}

void config_file_finish(struct config_file *file)
{
    free(file->path);
    settings_finish(&file->settings);
    for (size_t i = 0; i < file->listener_count; i++)
        settings_finish(&file->listeners[i]);
    free(file->listeners);
    *file = (struct config_file){0};
}
