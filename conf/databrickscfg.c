/* The SDKs' profile file: found, read in one piece, and searched. */
#include "conf/databrickscfg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "conf/read_file.h"
#include "conf/trusted_file.h"

typedef bool (*read_function)(const char *path, size_t max_bytes, struct secret *ret_content,
                              struct stat *ret_status, struct err *err);

/* Only `~/` is expanded: of `~name` the Python SDK makes that user's home, the Go SDK not. */
static char *expand_home(const char *path, struct err *err)
{
    if (path[0] != '~')
        return xstrdup(path);
    const char *home = getenv("HOME");
    if (path[1] != '/')
        err_set(err, EX_CONFIG, "%s: of paths with '~' only ~/... is understood: write it in full",
                path);
    else if (home == NULL || home[0] == '\0')
        err_set(err, EX_NOINPUT, "%s: HOME is not set: write the path in full", path);
    else
        return xasprintf("%s%s", home, path + 1);
    return NULL;
}

static enum cfg_load_result read_text(const char *path, read_function read_whole,
                                      struct secret *ret_content, struct stat *ret_status,
                                      struct err *err)
{
    if (read_whole(path, DATABRICKSCFG_MAX_BYTES, ret_content, ret_status, err))
        return CFG_LOADED;
    if (errno != ENOENT && errno != ENOTDIR)
        return CFG_FAILED;
    err_set(err, EX_NOINPUT, "%s: no such file: write one with `databricks configure`", path);
    return CFG_MISSING;
}

static enum cfg_load_result load(const char *path, read_function read_whole,
                                 struct databrickscfg **ret_cfg, struct err *err)
{
    char *expanded = expand_home(path, err);
    if (expanded == NULL)
        return CFG_FAILED;
    struct secret content = {0};
    struct stat status;
    struct databrickscfg *cfg = NULL;
    enum cfg_load_result result = read_text(expanded, read_whole, &content, &status, err);
    if (result == CFG_LOADED &&
        !databrickscfg_parse(expanded, content.bytes, content.len, &cfg, err))
        result = CFG_FAILED;
    if (result == CFG_LOADED) {
        /* Of a file that is not ours the group's bits may be what lets us read it: so it is with
         * the credentials that systemd passes. */
        mode_t others = S_IROTH | (status.st_uid == geteuid() ? S_IRGRP : 0U);
        cfg->readable_by_others = (status.st_mode & others) != 0;
        *ret_cfg = cfg;
    }
    secret_finish(&content);
    free(expanded);
    return result;
}

enum cfg_load_result databrickscfg_load(const char *path, struct databrickscfg **ret_cfg,
                                        struct err *err)
{
    return load(path, read_file, ret_cfg, err);
}

enum cfg_load_result databrickscfg_load_trusted(const char *path, struct databrickscfg **ret_cfg,
                                                struct err *err)
{
    enum cfg_load_result result = load(path, read_trusted_file, ret_cfg, err);
    if (result != CFG_MISSING)
        return result;
    err_set(err, EX_NOINPUT, "%s: no such file: the administrator has to put one there", path);
    return CFG_FAILED;
}

const struct cfg_profile *databrickscfg_profile(const struct databrickscfg *cfg, const char *name)
{
    for (size_t i = 0; i < cfg->count; i++)
        if (strcmp(cfg->profiles[i].name, name) == 0)
            return &cfg->profiles[i];
    return NULL;
}

const struct cfg_entry *cfg_profile_get(const struct cfg_profile *profile, const char *key)
{
    for (size_t i = 0; i < profile->count; i++)
        if (strcmp(profile->entries[i].key, key) == 0)
            return &profile->entries[i];
    return NULL;
}

bool cfg_profile_check(const struct cfg_profile *profile, struct err *err)
{
    return profile->doubt == NULL || err_set(err, EX_CONFIG, "%s", profile->doubt);
}

void cfg_profile_finish(struct cfg_profile *profile)
{
    for (size_t i = 0; i < profile->count; i++) {
        secret_wipe_text(profile->entries[i].key); /* a value may stand in its place */
        free(profile->entries[i].key);
        secret_finish(&profile->entries[i].value);
    }
    free(profile->entries);
    free(profile->name);
    free(profile->doubt);
    *profile = (struct cfg_profile){0};
}

void databrickscfg_destroy(struct databrickscfg *cfg)
{
    if (cfg == NULL)
        return;
    for (size_t i = 0; i < cfg->count; i++)
        cfg_profile_finish(&cfg->profiles[i]);
    free(cfg->profiles);
    free(cfg->default_profile);
    free(cfg->path);
    free(cfg);
}
