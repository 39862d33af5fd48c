/* Text broken into lines at spaces. */
#include "conf/wrap.h"

#include <string.h>

void wrap_append(struct strbuf *out, const char *prefix, size_t columns, const char *text)
{
    size_t prefix_len = strlen(prefix);
    size_t column = 0;
    for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
        size_t len = strcspn(text, " ");
        if (column > 0 && column + 1 + len > columns) {
            strbuf_append_char(out, '\n');
            column = 0;
        }
        if (column > 0)
            strbuf_append_char(out, ' ');
        else
            strbuf_append_text(out, prefix);
        column = (column > 0 ? column + 1 : prefix_len) + len;
        strbuf_append(out, text, len);
        text += len;
    }
    strbuf_append_char(out, '\n');
}
