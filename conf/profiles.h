/*
 * The profiles of the SDK's profile file, as a list to choose from: never with a secret.
 *
 * Owner: the caller; profile_list_finish().
 */
#ifndef SPARKBRIDGE_CONF_PROFILES_H
#define SPARKBRIDGE_CONF_PROFILES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

struct profile_summary {
    char *name;    /* owned */
    unsigned line; /* of its header */
    bool is_default;
    char *host;       /* owned, "name" or "name:port"; NULL where the profile has none */
    char *auth_type;  /* owned: the method its own settings choose, NULL where they choose none */
    char *cluster_id; /* owned, NULL where it has none */
    bool serverless;
    char *problem; /* owned: why the profile cannot be used as it is, NULL where it can */
};

struct profile_list {
    char *path; /* owned, as people call the file: "~/.databrickscfg" */
    bool readable_by_others;
    struct profile_summary *items; /* owned, in file order */
    size_t count;
};

/* Reads the file `config_file`, else that of DATABRICKS_CONFIG_FILE, else ~/.databrickscfg. False
 * where it cannot be read; a file that is missing is an error here (EX_NOINPUT). */
bool profile_list_load(const char *config_file, char *const *environment,
                       struct profile_list *ret_list, struct err *err);

/* {"file", "readable_by_others", "profiles": [{"name", "line", "default", "host", "auth_type",
 * "cluster_id", "serverless", "problem"}]}; null for what a profile lacks. The caller frees it. */
char *profile_list_json(const struct profile_list *list);

/* A table for people. The caller frees it. */
char *profile_list_table(const struct profile_list *list);

void profile_list_finish(struct profile_list *list);

#endif
