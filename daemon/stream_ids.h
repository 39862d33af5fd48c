/*
 * The numbers of a client's streams, and the frames that may not come on those that it has skipped
 * or ended (RFC 9113, 5.1 and 5.1.1). nghttp2 ignores frames of streams that it does not know. It
 * could keep closed ones, but keeps a thousand for each connection, which costs a tenth of a small
 * call.
 *
 * Owner: the struct that embeds it; a zeroed one has seen no stream.
 */
#ifndef SPARKBRIDGE_DAEMON_STREAM_IDS_H
#define SPARKBRIDGE_DAEMON_STREAM_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/frame_scan.h"

enum { STREAM_IDS_ENDED = 16 }; /* that are remembered; on older ones frames are ignored */

struct stream_ids {
    int32_t last;                /* the largest that HEADERS came on */
    int32_t gap_first, gap_last; /* what it skipped; of older gaps nothing is known */
    int32_t ended[STREAM_IDS_ENDED];
    unsigned next; /* to be overwritten in there */
};

/* Tells of each frame in turn. Returns NGHTTP2_NO_ERROR or what the connection must end with. */
uint32_t stream_ids_on_frame(struct stream_ids *ids, const struct frame_info *frame);

#endif
