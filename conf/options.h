/*
 * The option table: every flag, environment variable and YAML key of the program, once.
 *
 * Parsing, checking, help texts, the JSON schema and the sample file are made from it, so that none
 * of them can name what another does not know. All of it is static and never changes.
 *
 * The environment variable of `--drain-timeout` is SPARKBRIDGE_DRAIN_TIMEOUT, and so on: see
 * option_variable(). YAML paths are written `timeouts.drain` and `listeners[].name`; `{}` stands
 * for the keys of a mapping that the file chooses itself.
 */
#ifndef SPARKBRIDGE_CONF_OPTIONS_H
#define SPARKBRIDGE_CONF_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/commands.h"
#include "conf/option_ids.h"

enum option_type {
    OPTION_SWITCH,   /* a flag without a value; true or false elsewhere */
    OPTION_TEXT,     /* one line without control bytes, not empty */
    OPTION_PATH,     /* of a file; `~/` is $HOME's, in YAML relative to the YAML file */
    OPTION_ADDRESS,  /* conf/address.h */
    OPTION_DURATION, /* 500ms, 10s, 2m, 1h; min and max in milliseconds */
    OPTION_SIZE,     /* 64KiB, 4MiB; min and max in bytes */
    OPTION_CHOICE,   /* one of `choices` */
    OPTION_MODE,     /* of a socket's file, octal; min and max as numbers */
    OPTION_INTEGER,  /* min to max */
};

enum option_group {
    OPTION_GROUP_CONNECTION,
    OPTION_GROUP_LISTENERS,
    OPTION_GROUP_SECURITY,
    OPTION_GROUP_LOGGING,
    OPTION_GROUP_SERVICE,
    OPTION_GROUP_OUTPUT,
    OPTION_GROUP_COUNT
};

enum {
    OPTION_TEXT_MAX_BYTES = 4096, /* of any value but --remote */
    OPTION_PATH_SIZE = 64,        /* enough for every YAML path */
    OPTION_VARIABLE_SIZE = 48,    /* enough for every option_variable() */
    OPTION_KEYS_MAX = 24,         /* of one mapping of the YAML file */
};

struct option_def {
    enum option_type type;
    enum option_group group;
    const char *flag;              /* without dashes; NULL: only in the YAML file */
    unsigned commands;             /* bits of enum command_id that take the flag */
    unsigned repeats;              /* how often it may be given, a list in YAML; 0: once */
    const char *yaml_path;         /* NULL: not in the YAML file */
    const char *yaml_default_path; /* where a value for all listeners may stand, or NULL */
    const char *yaml_word;         /* OPTION_SWITCH: the one word YAML has for "on", or NULL */
    const char *metavar;           /* "FILE" */
    const char *default_text;      /* as one would write it, NULL: none */
    const char *example;           /* for the sample file, where there is no default */
    const char *const *choices;    /* NULL-terminated; the index is the value */
    int64_t min, max;
    char short_flag;     /* 0: none */
    bool connection;     /* says what a listener connects to */
    bool secret;         /* the value may hold a token: never shown */
    bool required;       /* in YAML, where its mapping stands */
    bool no_environment; /* has no environment variable */
    bool advanced;       /* few need it: --help leaves it out, --help-all has it */
    const char *help;    /* one line, at most 48 characters */
    const char *doc;     /* sentences for --help-all, the schema and the sample file */
};

/* A mapping of the YAML file that is not an option itself. */
struct option_section {
    const char *yaml_path; /* "listeners[].socket" */
    const char *doc;
};

/* Keys of one mapping of which at most one may stand in it. */
struct option_exclusion {
    const char *yaml_path; /* "listeners[].connection" */
    const char *keys[5];   /* NULL-terminated */
};

const struct option_def *option_get(enum option_id id);
enum option_id option_id_of(const struct option_def *def);

/* By flag without dashes, exactly; NULL where there is none. */
const struct option_def *option_by_flag(const char *flag);

const char *option_group_title(enum option_group group);

/* "SPARKBRIDGE_DRAIN_TIMEOUT"; false where the option has no variable. */
bool option_variable(const struct option_def *def, char ret_name[OPTION_VARIABLE_SIZE]);

/* A key that may stand in a mapping of the YAML file: of an option or of a section. */
struct option_key {
    const char *name;                /* "drain" */
    const char *path;                /* "timeouts.drain" */
    const struct option_def *option; /* NULL for a section */
    const struct option_section *section;
};

/* The keys of the mapping with this path ("" is the whole file, "listeners[]" one listener), in
 * order; returns their number. */
size_t option_keys(const char *mapping, struct option_key ret_keys[OPTION_KEYS_MAX]);

/* By index from 0; NULL behind the last. */
const struct option_exclusion *option_exclusion_at(size_t index);

/* By index from 0; NULL behind the last. */
const struct option_section *option_section_at(size_t index);

/* The section with this path, NULL where there is none. */
const struct option_section *option_section_get(const char *yaml_path);

#endif
