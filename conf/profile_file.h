/*
 * The SDK's profile file of one resolution: which file it is, read at most once.
 *
 * Owner: whoever embeds it; profile_file_finish().
 */
#ifndef SPARKBRIDGE_CONF_PROFILE_FILE_H
#define SPARKBRIDGE_CONF_PROFILE_FILE_H

#include <stdbool.h>

#include "common/err.h"
#include "conf/databrickscfg.h"

struct profile_file {
    char *path;    /* owned, `~/` expanded; NULL where that needs a HOME and there is none */
    char *shown;   /* owned, as people call it: under HOME it begins with ~/ */
    bool is_named; /* somebody named it: it is not the one at the usual place */
    bool trusted;  /* only a file that others cannot have put there: trusted_file.h */
    bool is_read;  /* `state` says with what outcome */
    enum cfg_load_result state;
    struct databrickscfg *cfg; /* owned; NULL unless CFG_LOADED */
    struct err err;            /* unless CFG_LOADED */
};

/* The file is `config_file` (NULL: not said), else DATABRICKS_CONFIG_FILE, else ~/.databrickscfg.
 * HOME is that of `environment`; without one a path with `~/` names no file. */
void profile_file_init(struct profile_file *file, const char *config_file,
                       char *const *environment);

/* Reads it unless that was done already. Without a path it is CFG_MISSING. */
enum cfg_load_result profile_file_read(struct profile_file *file);

/* The profile that the SDK takes where none is named: [__settings__] default_profile, else
 * DEFAULT. Borrowed. The file must have been read; NULL where it could not. */
const char *profile_file_default(const struct profile_file *file);

void profile_file_finish(struct profile_file *file);

#endif
