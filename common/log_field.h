/*
 * A field of an event of the log.
 */
#ifndef SPARKBRIDGE_COMMON_LOG_FIELD_H
#define SPARKBRIDGE_COMMON_LOG_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Key and text, the text borrowed for the call. */
struct log_field {
    const char *key;
    const char *value;
};

/* The key of the field that says which event of the catalog it is (common/log_events.h). */
#define LOG_EVENT_KEY "message_id"

/* Whether a field is to be read by people, and not its value absent or for the journal alone. */
static inline bool log_field_is_shown(const struct log_field *field)
{
    return field->value != NULL && strcmp(field->key, LOG_EVENT_KEY) != 0;
}

#endif
