/* The log: one line an event on standard error, or an entry of the journal. */
#include "common/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log_journal.h"
#include "common/log_json.h"
#include "common/redaction.h"
#include "common/strbuf.h"

static enum log_level current_level = LOG_LEVEL_INFO;
static bool to_journal;
static bool to_terminal;
static enum log_lines current_lines;

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

static const char *const lines_names[] = {
    [LOG_LINES_AUTO] = "auto",
    [LOG_LINES_LOGFMT] = "logfmt",
    [LOG_LINES_JSON] = "json",
};

void log_open(const char *journal_stream)
{
    to_journal = log_journal_has_stderr(journal_stream);
    to_terminal = isatty(STDERR_FILENO) != 0;
}

void log_set_lines(enum log_lines lines)
{
    current_lines = lines;
}

const char *log_lines_text(enum log_lines lines)
{
    return lines_names[lines];
}

bool log_lines_from_text(const char *text, enum log_lines *ret_lines)
{
    for (size_t i = 0; text != NULL && i < sizeof lines_names / sizeof lines_names[0]; i++) {
        if (strcmp(text, lines_names[i]) == 0) {
            *ret_lines = (enum log_lines)i;
            return true;
        }
    }
    return false;
}

void log_set_level(enum log_level level)
{
    current_level = level;
}

bool log_enabled(enum log_level level)
{
    return level <= current_level;
}

const char *log_level_text(enum log_level level)
{
    return level_names[level];
}

/* A secret that is in use, or else one character, escaped so that a peer cannot forge a line.
 * Returns how many bytes of the value that is. */
static size_t append_piece(struct strbuf *line, const char *value)
{
    size_t secret_len = redaction_match(value);
    if (secret_len > 0) {
        strbuf_append_text(line, "[secret]");
        return secret_len;
    }
    if (*value == '"' || *value == '\\')
        strbuf_append_format(line, "\\%c", *value);
    else if (*value == '\n')
        strbuf_append_text(line, "\\n");
    else if ((unsigned char)*value < 0x20 || *value == 0x7f)
        strbuf_append_format(line, "\\x%02x", (unsigned char)*value);
    else
        strbuf_append_char(line, *value);
    return 1;
}

static bool is_plain(const char *value)
{
    for (const char *c = value; *c != '\0'; c++)
        if ((unsigned char)*c <= 0x20 || *c == 0x7f || strchr("=\"\\", *c) != NULL)
            return false;
    return value[0] != '\0';
}

/* logfmt: quoted where needed. */
static void append_value(struct strbuf *line, const char *value)
{
    bool plain = is_plain(value);
    if (!plain)
        strbuf_append_char(line, '"');
    while (*value != '\0')
        value += append_piece(line, value);
    if (!plain)
        strbuf_append_char(line, '"');
}

static void append_fields(struct strbuf *line, const struct log_field *fields)
{
    for (const struct log_field *field = fields; field != NULL && field->key != NULL; field++) {
        if (!log_field_is_shown(field))
            continue;
        strbuf_append_format(line, " %s=", field->key);
        append_value(line, field->value);
    }
}

/* For people the text has the fields too. */
static void write_to_journal(enum log_level level, const char *message,
                             const struct log_field *fields)
{
    struct strbuf text = {.limit = 8192};
    strbuf_append_text(&text, message);
    append_fields(&text, fields);
    log_journal_write(level, strbuf_text(&text), fields);
    strbuf_finish(&text);
}

static bool is_json(void)
{
    return current_lines == LOG_LINES_JSON || (current_lines == LOG_LINES_AUTO && !to_terminal);
}

static void format_now(char *text, size_t size)
{
    struct timespec now;
    struct tm utc;
    char stamp[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    unsigned microseconds = (unsigned)(now.tv_nsec / 1000) % 1000000;
    snprintf(text, size, "%s.%06uZ", stamp, microseconds);
}

void log_write(enum log_level level, const char *message, const struct log_field *fields)
{
    if (!log_enabled(level))
        return;
    if (to_journal) {
        write_to_journal(level, message, fields);
        return;
    }
    struct strbuf line = {.limit = 65536};
    char time[48];
    format_now(time, sizeof time);
    if (is_json()) {
        log_json_append(&line, time, level_names[level], message, fields);
    } else {
        strbuf_append_format(&line, "time=%s level=%s msg=", time, level_names[level]);
        append_value(&line, message);
        append_fields(&line, fields);
    }
    strbuf_append_char(&line, '\n');
    /* One write a line, so that lines of several processes do not mix; a log that cannot be
     * written must not stop the daemon. */
    ssize_t written = write(STDERR_FILENO, strbuf_text(&line), line.len);
    (void)written;
    strbuf_finish(&line);
}

void log_format(enum log_level level, const char *format, ...)
{
    if (!log_enabled(level))
        return;
    va_list args;
    va_start(args, format);
    char text[4096];
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_write(level, text, NULL);
}
