/* A look at a connection string's text for secrets, also where the string is malformed. */
#ifndef SPARKBRIDGE_CONF_REMOTE_TEXT_H
#define SPARKBRIDGE_CONF_REMOTE_TEXT_H

#include <stdbool.h>

/* Is there a parameter that may be a credential: one whose key holds "token", "secret", "password"
 * or "authorization", in any case, and whose value is more than a `${NAME}`? Also true for a
 * password in front of the host, as in sc://user:password@host. */
bool remote_text_holds_secret(const char *text);

#endif
