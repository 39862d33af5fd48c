/* The subcommands, with the texts of their help. */
#ifndef SPARKBRIDGE_CONF_COMMANDS_H
#define SPARKBRIDGE_CONF_COMMANDS_H

#include <stddef.h>

/* Bits, so that an option can name those that take it. */
enum command_id {
    COMMAND_RUN = 1 << 0,
    COMMAND_CHECK = 1 << 1,
    COMMAND_EXPLAIN = 1 << 2,
    COMMAND_PROFILES = 1 << 3,
    COMMAND_VERSION = 1 << 4,
    COMMAND_SCHEMA = 1 << 5,
    COMMAND_SAMPLE_CONFIG = 1 << 6,
    COMMAND_STATUS = 1 << 7,
};

struct command_def {
    enum command_id id;
    const char *name;
    const char *help;        /* one line, at most 60 characters */
    const char *doc;         /* two sentences for its --help */
    const char *examples[4]; /* NULL-terminated, each at most 78 characters */
};

/* By name or by index from 0; NULL where there is none. */
const struct command_def *command_by_name(const char *name);
const struct command_def *command_at(size_t index);

#endif
