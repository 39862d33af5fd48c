/*
 * Text from files and variables, made fit to be shown: in a line of a terminal, in JSON.
 *
 * Names of profiles and paths may hold anything; control characters could move the cursor or forge
 * a line, and JSON takes UTF-8 only.
 */
#ifndef SPARKBRIDGE_CONF_PRINTABLE_H
#define SPARKBRIDGE_CONF_PRINTABLE_H

#include <jansson.h>

/* A copy without control characters and without what is not UTF-8: a '?' stands for each byte. What
 * looks like an access token is ***. The caller frees it. */
char *printable_text(const char *text);

/* The same as a new JSON string; never NULL. */
json_t *printable_json(const char *text);

#endif
