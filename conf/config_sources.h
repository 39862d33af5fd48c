/*
 * The sources of the configuration, each read into settings: private to conf/config*.c.
 */
#ifndef SPARKBRIDGE_CONF_CONFIG_SOURCES_H
#define SPARKBRIDGE_CONF_CONFIG_SOURCES_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/config.h"
#include "conf/diag.h"
#include "conf/settings.h"

/* A key of the file whose value holds a secret; both static texts. */
struct secret_key {
    const char *path; /* NULL: there is none */
    const char *holds;
};

/* What the YAML file says. Owner: the caller, config_file_finish(). */
struct config_file {
    char *path;                 /* owned; NULL: no file was read */
    struct settings settings;   /* of the daemon, and `defaults` */
    struct settings *listeners; /* owned; at most CONFIG_MAX_LISTENERS */
    size_t listener_count;
    struct secret_key secret;
};

/* Everything that is known before it is merged. */
struct config_sources {
    const struct command_def *command;
    struct settings defaults;
    struct config_file file;
    struct settings variables;
    struct settings flags; /* with the variables that no flag hides, in front */
};

/* Adds the SPARKBRIDGE_* variables that `command` takes. */
void config_environment_read(char *const *environment, enum command_id command,
                             struct settings *settings, struct diag_list *diags);

/* Finds and reads the YAML file: `path` from --config or SPARKBRIDGE_CONFIG; where it is NULL the
 * usual places are searched. Faults go to `diags`, and what could be read to the zeroed *ret_file.
 */
void config_file_read(const char *path, char *const *environment, struct config_file *ret_file,
                      struct diag_list *diags);

/* The same from memory; `path` is only used in messages. */
void config_file_parse(const char *path, const struct secret *content, char *const *environment,
                       struct config_file *ret_file, struct diag_list *diags);

void config_file_finish(struct config_file *file);

/* Where a setting goes: to the listener, or where that is NULL to the daemon's part. */
struct config_target {
    struct config *config; /* config_path: relative paths of the file begin in its directory */
    struct listener_config *listener;
    char *const *environment; /* HOME */
};

/* Checks one setting and stores it; a fault goes to `diags`, once a setting. */
void config_apply(const struct config_target *target, struct setting *setting,
                  struct diag_list *diags);

/* Does it say where the queries run? Only one may. */
bool config_is_compute(enum option_id id);

/* Checks what was applied as a whole, and takes back what cannot have an effect. */
void config_check_together(struct config *config, const struct config_sources *sources,
                           struct diag_list *diags);

#endif
