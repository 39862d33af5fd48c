/*
 * May this peer use the listener? The one place that says so, with the sentence for who may not.
 *
 * Stateless. Deny is the default: what is not known is refused, unless `any` admits everybody.
 */
#ifndef SPARKBRIDGE_DAEMON_ADMISSION_H
#define SPARKBRIDGE_DAEMON_ADMISSION_H

#include <stdbool.h>

#include "conf/peer_policy.h"
#include "daemon/peer.h"
#include "proto/rpc_status.h"

/* Has the user database to be asked first? */
bool admission_needs_user(const struct peer_policy *policy, const struct peer *peer);

/* False, with a status that says who is refused, who may, and what to do. PERMISSION_DENIED, which
 * Spark's clients show at once. */
bool admission_check(const struct peer_policy *policy, const struct peer *peer,
                     struct rpc_status *ret_status);

/* "user alice (uid 1001)", "uid 1001" or "an unknown user". */
enum { ADMISSION_NAME_SIZE = 96 };
void admission_name(const struct peer *peer, char ret_text[ADMISSION_NAME_SIZE]);

#endif
