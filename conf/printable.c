/* Text made fit to be shown. */
#include "conf/printable.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/token_shape.h"
#include "common/utf8.h"

char *printable_text(const char *text)
{
    char *copy = xstrdup(text);
    size_t len = strlen(copy);
    for (size_t i = 0, n; i < len; i += n) {
        uint32_t c;
        n = utf8_decode(copy + i, len - i, &c);
        bool shown = n > 0 && c >= 0x20 && (c < 0x7f || c >= 0xa0);
        n = n > 0 ? n : 1;
        if (!shown)
            memset(copy + i, '?', n);
    }
    token_shape_hide(copy);
    return copy;
}

json_t *printable_json(const char *text)
{
    char *clean = printable_text(text);
    json_t *string = json_string(clean);
    free(clean);
    return string;
}
