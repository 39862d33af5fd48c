/*
 * The log as lines of JSON, one object each: time, level, msg, and the fields of the event as
 * texts. Private to common/log.c.
 */
#ifndef SPARKBRIDGE_COMMON_LOG_JSON_H
#define SPARKBRIDGE_COMMON_LOG_JSON_H

#include "common/log_field.h"
#include "common/strbuf.h"

/* Appends the object, without a line end. Secrets in use are replaced, and bytes that are not UTF-8
 * by `?`. `fields` may be NULL. */
void log_json_append(struct strbuf *line, const char *time, const char *level, const char *message,
                     const struct log_field *fields);

#endif
