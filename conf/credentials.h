/*
 * Credentials that the service manager passes as files: $CREDENTIALS_DIRECTORY, systemd.exec(5).
 *
 * They count without being named in the configuration, where it says nothing else: `databrickscfg`
 * is the SDK's profile file, `token` the token of a connection that has a host and no token of its
 * own, `client-secret` what clients have to send.
 */
#ifndef SPARKBRIDGE_CONF_CREDENTIALS_H
#define SPARKBRIDGE_CONF_CREDENTIALS_H

#include "conf/config.h"

/* The path of the credential with this name, which the caller frees; NULL where there is none. */
char *credential_path(char *const *environment, const char *name);

/* Fills in what a listener does not say itself. */
void credentials_apply(struct listener_config *listener, char *const *environment);

#endif
