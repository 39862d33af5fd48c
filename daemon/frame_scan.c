/* Finds the frames in a client's bytes. */
#include "daemon/frame_scan.h"

#include <string.h>

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void skip(const uint8_t **bytes, size_t *len, size_t n)
{
    *bytes += n;
    *len -= n;
}

bool frame_scan_next(struct frame_scan *scan, const uint8_t **bytes, size_t *len,
                     struct frame_info *ret_frame)
{
    size_t n = smaller(FRAME_SCAN_PREFACE_BYTES - scan->preface_len, *len);
    scan->preface_len += n;
    skip(bytes, len, n);

    n = smaller(scan->payload_left, *len);
    scan->payload_left -= n;
    skip(bytes, len, n);
    if (*len == 0)
        return false;

    if (scan->header_len == FRAME_SCAN_HEADER_BYTES)
        scan->header_len = 0;
    n = smaller(FRAME_SCAN_HEADER_BYTES - scan->header_len, *len);
    memcpy(scan->header + scan->header_len, *bytes, n);
    scan->header_len += n;
    skip(bytes, len, n);
    if (scan->header_len < FRAME_SCAN_HEADER_BYTES)
        return false;

    const uint8_t *header = scan->header; /* RFC 9113, 4.1 */
    scan->payload_left = (size_t)header[0] << 16 | (size_t)header[1] << 8 | header[2];
    *ret_frame = (struct frame_info){
        .type = header[3],
        .flags = header[4],
        .stream_id = (header[5] & 0x7f) << 24 | header[6] << 16 | header[7] << 8 | header[8],
        .len = scan->payload_left,
    };
    return true;
}
