/*
 * Memory for nghttp2's sessions: little for one that is idle, and wiped when it is given back.
 *
 * A session takes about 25 KB when it is made, of which it touches 3 KB until its first call; the
 * most of it is a buffer for a frame, of which it uses as much as its frames need. So the blocks of
 * each session lie in a region of its own, in an order that has those 3 KB and the buffer's front
 * share a page, and the rest stays untouched. That order only saves memory: nothing depends on what
 * nghttp2 does with a block.
 *
 * A session's buffers hold the credential in HPACK's form, which nobody takes for the token that it
 * is, and its header fields whatever the other side says. The region goes back to the kernel with
 * the session; blocks that come and go with calls are a recycler's, and wiped.
 */
#ifndef SPARKBRIDGE_DAEMON_H2_MEMORY_H
#define SPARKBRIDGE_DAEMON_H2_MEMORY_H

#include <nghttp2/nghttp2.h>

#include "common/recycler.h"

/* For one call of nghttp2_session_client_new3() or its like, which copies it: the region ends when
 * the last of its blocks is freed. The recycler outlives the session. */
nghttp2_mem h2_memory(struct recycler *recycler);

#endif
