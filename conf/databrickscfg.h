/*
 * The SDKs' profile file, `.databrickscfg`, with the line of every value.
 *
 * The dialect is the common ground of Databricks' Python and Go SDKs: where the two read a line
 * differently it is not used but reported with its number, because a guess about a secret is worse
 * than an error. Where only one value is in doubt, only its profile cannot be used; where the SDKs
 * disagree about the lines around it, or either refuses the file, the file is refused. Sections do
 * not inherit from DEFAULT; `[__settings__]` is not a profile.
 * Source: the SDKs 0.156.0 (configparser) and 0.175.0 (go-ini); databrickscfg_parse.c says at each
 * fault how the two differ.
 *
 * Owner: databrickscfg_load() creates, databrickscfg_destroy() frees and wipes.
 */
#ifndef SPARKBRIDGE_CONF_DATABRICKSCFG_H
#define SPARKBRIDGE_CONF_DATABRICKSCFG_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/secret.h"

/* What is larger is an error. The counts are far above any real file and keep the search for
 * duplicates short. */
enum {
    DATABRICKSCFG_MAX_BYTES = 4 << 20,
    DATABRICKSCFG_MAX_VALUE_BYTES = 128 << 10,
    DATABRICKSCFG_MAX_PROFILES = 4096,
    DATABRICKSCFG_MAX_KEYS = 256,      /* in one profile */
    DATABRICKSCFG_MAX_ENTRIES = 65536, /* keys in all profiles */
};

struct cfg_entry {
    char *key;           /* owned, ASCII, lower case */
    struct secret value; /* always set; may be empty, as in `token =` */
    unsigned line;       /* 1 for the first line of the file */
};

struct cfg_profile {
    char *name;                /* owned, as written between the brackets */
    unsigned line;             /* of its (first) header */
    struct cfg_entry *entries; /* owned, in file order; none for an empty section */
    size_t count;
    char *doubt; /* owned, a sentence with its place; see cfg_profile_check() */
};

struct databrickscfg {
    char *path;                   /* owned, `~` expanded */
    struct cfg_profile *profiles; /* owned, in file order, without __settings__ */
    size_t count;
    char *
        default_profile; /* owned; [__settings__] default_profile, or NULL where not set or empty */
    unsigned default_profile_line;
    bool readable_by_others; /* the file's mode gives group or others read access */
};

enum cfg_load_result { CFG_LOADED, CFG_MISSING, CFG_FAILED };

/* Reads the file at `path` (a leading `~/` is $HOME's). CFG_MISSING: there is no such file, which
 * callers often accept; `err` is filled all the same. CFG_FAILED: unreadable, not a regular file or
 * larger than DATABRICKSCFG_MAX_BYTES (EX_NOINPUT), malformed or ambiguous (EX_CONFIG,
 * `PATH:LINE:COLUMN: ...`), or written to while it was read, twice in a row (EX_TEMPFAIL). An empty
 * file has no profiles. */
enum cfg_load_result databrickscfg_load(const char *path, struct databrickscfg **ret_cfg,
                                        struct err *err);

/* The same for a file that only root or the daemon's user can have put there: trusted_file.h.
 * Somebody named it, and nothing else is looked into in its place: CFG_FAILED where it is missing.
 */
enum cfg_load_result databrickscfg_load_trusted(const char *path, struct databrickscfg **ret_cfg,
                                                struct err *err);

/* The same from memory, for tests and fuzzing; `path` is only used in messages. */
bool databrickscfg_parse(const char *path, const char *bytes, size_t len,
                         struct databrickscfg **ret_cfg, struct err *err);

/* Borrowed from the file; NULL where there is none. */
const struct cfg_profile *databrickscfg_profile(const struct databrickscfg *cfg, const char *name);
const struct cfg_entry *cfg_profile_get(const struct cfg_profile *profile, const char *key);

/* To be asked before a value is used: false, with `PATH:LINE:COLUMN: ...` and EX_CONFIG, where the
 * SDKs read one of the profile's values differently. */
bool cfg_profile_check(const struct cfg_profile *profile, struct err *err);

void cfg_profile_finish(struct cfg_profile *profile);
void databrickscfg_destroy(struct databrickscfg *cfg);

#endif
