/*
 * Memory for nghttp2 that is wiped when it is given back.
 *
 * A session's buffers hold the credential in HPACK's form, which nobody takes for the token that it
 * is, and its header fields whatever the other side says. The blocks are a
 * recycler's.
 */
#ifndef SPARKBRIDGE_DAEMON_H2_MEMORY_H
#define SPARKBRIDGE_DAEMON_H2_MEMORY_H

#include <nghttp2/nghttp2.h>

#include "common/recycler.h"

/* For nghttp2_session_client_new3() and its like, which copy it. The recycler outlives the
 * session. */
nghttp2_mem h2_memory(struct recycler *recycler);

#endif
