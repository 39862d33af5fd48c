/*
 * The log: one line an event on standard error, logfmt for people, JSON for machines.
 *
 * The logger is the program's one mutable global. Libraries do not log; the daemon does, once for
 * an event. No secret type can be formatted here; in text the secrets that are in use are replaced
 * by "[secret]" (common/redaction.h), and what came from a peer is escaped.
 */
#ifndef SPARKBRIDGE_COMMON_LOG_H
#define SPARKBRIDGE_COMMON_LOG_H

#include <stdbool.h>

#include "common/log_field.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* What a line looks like; AUTO is logfmt on a terminal and JSON elsewhere. */
enum log_lines { LOG_LINES_AUTO, LOG_LINES_LOGFMT, LOG_LINES_JSON };

/* Where standard error is the journal's stream ($JOURNAL_STREAM, or NULL), events go to the journal
 * with their fields: MESSAGE, PRIORITY, MESSAGE_ID where the catalog has the event, and
 * SPARKBRIDGE_* for the rest. Until then, and elsewhere, they are lines. */
void log_open(const char *journal_stream);

/* Sets what lines look like, where events are lines. */
void log_set_lines(enum log_lines lines);

/* "auto", "logfmt" or "json". */
const char *log_lines_text(enum log_lines lines);

/* Reads those; false for anything else, and for NULL. */
bool log_lines_from_text(const char *text, enum log_lines *ret_lines);

/* Sets the level from which events are written. */
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);

/* "error", "warn", "info" or "debug". */
const char *log_level_text(enum log_level level);

/* Writes one line: the message, then the fields. `fields` ends with a NULL key; it may be NULL. */
void log_write(enum log_level level, const char *message, const struct log_field *fields);

/* Writes one line with a formatted message and no fields. */
void log_format(enum log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define log_error(...) log_format(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_format(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_format(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                                                             \
    do {                                                                                           \
        if (log_enabled(LOG_LEVEL_DEBUG))                                                          \
            log_format(LOG_LEVEL_DEBUG, __VA_ARGS__);                                              \
    } while (0)

/* log_fields(LOG_LEVEL_INFO, "call ended", {"rpc", name}, {"status", text}) */
#define log_fields(level, message, ...)                                                            \
    log_write(level, message, (const struct log_field[]){__VA_ARGS__, {NULL, NULL}})

#endif
