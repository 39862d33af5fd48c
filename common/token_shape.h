/*
 * The shape of an access token, by which one is recognized where none belongs: in a host, in the
 * name of a profile, in a message.
 *
 * Two shapes: Databricks' own tokens, `dapi` and at least 16 letters and digits, and JWTs (RFC
 * 7519), whose header is base64url of a JSON object and so begins with `eyJ`. A text that has
 * neither may be a token all the same: this is a net below struct secret, not in its place.
 */
#ifndef SPARKBRIDGE_COMMON_TOKEN_SHAPE_H
#define SPARKBRIDGE_COMMON_TOKEN_SHAPE_H

#include <stdbool.h>

/* Is there, anywhere in the text, what looks like a token? */
bool token_shape_in(const char *text);

/* Writes *** in place of whatever looks like one. */
void token_shape_hide(char *text);

#endif
