/*
 * The environment overlay: variables looked up in an array that the caller passes.
 *
 * Nothing in conf/ reads the process's own environment. A listener that serves other users'
 * profiles passes NULL, which has no variables; tests pass what they like. Values are borrowed
 * from the array. An empty variable counts as unset, as it does for Databricks' SDKs.
 */
#ifndef SPARKBRIDGE_CONF_ENVIRONMENT_H
#define SPARKBRIDGE_CONF_ENVIRONMENT_H

#include <stdbool.h>

#include "common/secret.h"

/* The value of `name` in the NULL-terminated "NAME=value" array, or NULL where it is unset or
 * empty. The first of several entries of one name counts, as it does for getenv(). */
const char *environment_get(char *const *environment, const char *name);

/* The same, but the empty text for an empty variable: for those few that count then too. */
const char *environment_get_raw(char *const *environment, const char *name);

/* Is there such a variable, be it empty? */
bool environment_has(char *const *environment, const char *name);

/* A copy of an environment that is kept as a secret. Owner: the caller,
 * remembered_environment_finish(). */
struct remembered_environment {
    char **variables; /* owned, NULL-terminated; they point into `bytes` */
    struct secret bytes;
};

/* Copies the process's environment and wipes the values of those variables in it that may hold a
 * secret: their bytes are what /proc/PID/environ shows. To be called before there are threads. */
void environment_remember(char **environment, struct remembered_environment *ret);

/* Wipes every value in which a secret stands that is in use (common/redaction.h), whatever the
 * variable's name: the YAML file may take a token from any. */
void environment_wipe_secrets(char **environment);

void remembered_environment_finish(struct remembered_environment *remembered);

#endif
