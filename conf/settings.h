/*
 * Settings: what one source - the command line, the environment, the YAML file - says, as text,
 * with the place of each value, before it is checked.
 *
 * Owner: the caller, settings_finish(). Any value may hold a token, so all are kept as secrets.
 * Sources are small: argv, the environment, at most 1 MiB of YAML.
 */
#ifndef SPARKBRIDGE_CONF_SETTINGS_H
#define SPARKBRIDGE_CONF_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/secret.h"
#include "conf/diag.h"
#include "conf/options.h"

enum setting_source { SETTING_DEFAULT, SETTING_FILE, SETTING_VARIABLE, SETTING_FLAG };

struct setting {
    enum option_id id;
    enum setting_source source;
    struct secret value;
    char *place;          /* owned: "--listen", "SPARKBRIDGE_LISTEN", "sparkbridge.yaml" */
    struct diag_place at; /* in the file */
    char *key;            /* owned: "listeners[0].listen[1]", NULL outside the file */
    bool reported;        /* its fault is among the diagnostics */
};

struct settings {
    struct setting *items; /* owned */
    size_t count;
};

/* Adds one: takes the setting's strings over and leaves it empty. */
void settings_add(struct settings *settings, struct setting *setting);

/* The last one with this id, NULL where there is none. */
const struct setting *settings_find(const struct settings *settings, enum option_id id);

/* "--listen", "SPARKBRIDGE_LISTEN", "sparkbridge.yaml:7:13"; the caller frees it. */
char *setting_place(const struct setting *setting);

/* Adds the fault `sentence` of the setting to `diags`, with its place in front: EX_USAGE for a
 * flag, else EX_CONFIG. Returns false. */
bool setting_fault(const struct setting *setting, const char *sentence, struct diag_list *diags);

/* The same as a warning. */
void setting_warn(const struct setting *setting, const char *sentence, struct diag_list *diags);

void setting_finish(struct setting *setting);
void settings_finish(struct settings *settings);

#endif
