/* UTF-8, one code point at a time. */
#include "common/utf8.h"

/* The bytes of the sequence that begins with this one, 0 where none does, and its payload bits. */
static size_t lead_byte(unsigned char lead, uint32_t *ret_bits)
{
    if (lead < 0x80) {
        *ret_bits = lead;
        return 1;
    }
    if (lead >= 0xc2 && lead <= 0xdf) {
        *ret_bits = lead & 0x1f;
        return 2;
    }
    if (lead >= 0xe0 && lead <= 0xef) {
        *ret_bits = lead & 0x0f;
        return 3;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        *ret_bits = lead & 0x07;
        return 4;
    }
    return 0;
}

size_t utf8_decode(const char *bytes, size_t len, uint32_t *ret_code_point)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t code = 0;
    size_t need = len > 0 ? lead_byte((unsigned char)bytes[0], &code) : 0;
    if (need == 0 || need > len)
        return 0;
    for (size_t i = 1; i < need; i++) {
        unsigned char next = (unsigned char)bytes[i];
        if ((next & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (next & 0x3f);
    }
    bool surrogate = code >= 0xd800 && code <= 0xdfff;
    if (code < smallest[need] || surrogate || code > 0x10ffff)
        return 0;
    *ret_code_point = code;
    return need;
}

bool utf8_is_valid(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint32_t code_point;
        size_t n = utf8_decode(bytes + i, len - i, &code_point);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}
