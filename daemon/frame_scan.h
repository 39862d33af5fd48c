/*
 * Finds the frames in a client's bytes: type, flags, stream and length of each, once, whatever
 * becomes of it. nghttp2 tells of most frames, but not of those that it ignores.
 *
 * Owner: the struct that embeds it; a zeroed one is at the connection's first byte. The bytes must
 * be those that nghttp2 accepted: the preface is skipped unseen.
 */
#ifndef SPARKBRIDGE_DAEMON_FRAME_SCAN_H
#define SPARKBRIDGE_DAEMON_FRAME_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAME_SCAN_HEADER_BYTES = 9, FRAME_SCAN_PREFACE_BYTES = 24 };

struct frame_scan {
    size_t preface_len; /* how much of it has come */
    uint8_t header[FRAME_SCAN_HEADER_BYTES];
    size_t header_len;   /* how much of the frame header has come */
    size_t payload_left; /* of the frame that was found last */
};

struct frame_info {
    uint8_t type, flags;
    int32_t stream_id;
    size_t len; /* of the payload, of which some may be still to come */
};

/* Goes on to the end of the next frame header. Returns true with the frame, or false where the
 * bytes end before; *bytes and *len are moved in both cases. */
bool frame_scan_next(struct frame_scan *scan, const uint8_t **bytes, size_t *len,
                     struct frame_info *ret_frame);

#endif
