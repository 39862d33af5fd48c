/* The log as lines of JSON. */
#include "common/log_json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/redaction.h"
#include "common/utf8.h"

enum { MAX_TEXT_BYTES = 8192 };

static void make_valid(char *text)
{
    uint32_t code_point;
    size_t len = strlen(text);
    while (len > 0) {
        size_t n = utf8_decode(text, len, &code_point);
        if (n == 0) {
            *text = '?';
            n = 1;
        }
        text += n;
        len -= n;
    }
}

static void set(json_t *object, const char *key, const char *value)
{
    struct strbuf redacted = {.limit = MAX_TEXT_BYTES};
    redaction_append(&redacted, value);
    char *text = strbuf_take(&redacted);
    make_valid(text);
    if (json_object_set_new(object, key, json_string(text)) != 0)
        abort(); /* out of memory: nothing else makes it fail */
    free(text);
}

void log_json_append(struct strbuf *line, const char *time, const char *level, const char *message,
                     const struct log_field *fields)
{
    json_t *object = json_object();
    set(object, "time", time);
    set(object, "level", level);
    set(object, "msg", message);
    for (const struct log_field *field = fields; field != NULL && field->key != NULL; field++)
        if (log_field_is_shown(field))
            set(object, field->key, field->value);
    char *text = json_dumps(object, JSON_COMPACT);
    if (text == NULL)
        abort();
    strbuf_append_text(line, text);
    free(text);
    json_decref(object);
}
