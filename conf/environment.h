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

/* The value of `name` in the NULL-terminated "NAME=value" array, or NULL where it is unset or
 * empty. The first of several entries of one name counts, as it does for getenv(). */
const char *environment_get(char *const *environment, const char *name);

/* The same, but the empty text for an empty variable: for those few that count then too. */
const char *environment_get_raw(char *const *environment, const char *name);

/* Is there such a variable, be it empty? */
bool environment_has(char *const *environment, const char *name);

#endif
