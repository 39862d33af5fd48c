/*
 * When an access token expires, as it says itself: OAuth's are mostly JWTs (RFC 7519), whose `exp`
 * anybody can read. Personal access tokens say nothing. Nothing is verified here, which is the
 * workspace's to do: this is for people. Stateless.
 */
#ifndef SPARKBRIDGE_CONF_TOKEN_EXPIRY_H
#define SPARKBRIDGE_CONF_TOKEN_EXPIRY_H

#include <time.h>

#include "common/secret.h"

enum {
    TOKEN_EXPIRY_MAX_BYTES = 16 * 1024, /* of the claims; larger ones are not looked at */
    TOKEN_EXPIRY_TEXT_SIZE = 32,
};

/* Seconds since 1970, or 0 where the token does not say. */
time_t token_expiry(const struct secret *token);

/* "2026-11-24T18:00:00Z" */
void token_expiry_text(time_t expires, char ret_text[TOKEN_EXPIRY_TEXT_SIZE]);

#endif
