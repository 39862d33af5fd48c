/* Which profile file, read once. */
#include "conf/profile_file.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "conf/credentials.h"
#include "conf/environment.h"

static char *shorten_home(const char *path, const char *home)
{
    size_t len = home != NULL ? strlen(home) : 0;
    if (len > 1 && strncmp(path, home, len) == 0 && path[len] == '/')
        return xasprintf("~%s", path + len);
    return xstrdup(path);
}

void profile_file_init(struct profile_file *file, const char *config_file, char *const *environment)
{
    *file = (struct profile_file){0};
    const char *home = environment_get(environment, "HOME");
    const char *named = config_file;
    if (named == NULL)
        named = environment_get(environment, "DATABRICKS_CONFIG_FILE");
    file->is_named = named != NULL;
    char *credential = named == NULL ? credential_path(environment, "databrickscfg") : NULL;
    if (named == NULL)
        named = credential != NULL ? credential : "~/.databrickscfg";
    if (strncmp(named, "~/", 2) != 0)
        file->path = xstrdup(named);
    else if (home != NULL)
        file->path = xasprintf("%s%s", home, named + 1);
    file->shown = file->path != NULL ? shorten_home(file->path, home) : xstrdup(named);
    free(credential);
}

enum cfg_load_result profile_file_read(struct profile_file *file)
{
    if (file->is_read)
        return file->state;
    file->is_read = true;
    if (file->path != NULL) {
        file->state = file->trusted ? databrickscfg_load_trusted(file->path, &file->cfg, &file->err)
                                    : databrickscfg_load(file->path, &file->cfg, &file->err);
    } else {
        file->state = CFG_MISSING;
        err_set(&file->err, EX_NOINPUT, "%s: HOME is not set: %s", file->shown,
                file->is_named ? "write the path in full" : "set it or give --config-file");
    }
    return file->state;
}

const char *profile_file_default(const struct profile_file *file)
{
    if (file->cfg == NULL)
        return NULL;
    return file->cfg->default_profile != NULL ? file->cfg->default_profile : "DEFAULT";
}

void profile_file_finish(struct profile_file *file)
{
    databrickscfg_destroy(file->cfg);
    free(file->path);
    free(file->shown);
    *file = (struct profile_file){0};
}
