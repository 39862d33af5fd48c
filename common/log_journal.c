/* The log as systemd's journal has it. */
#include "common/log_journal.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "common/redaction.h"
#include "common/strbuf.h"

enum { MAX_FIELDS = 24, MAX_ENTRY_BYTES = 16384 };

static const int priorities[] = {
    [LOG_LEVEL_ERROR] = LOG_ERR,
    [LOG_LEVEL_WARN] = LOG_WARNING,
    [LOG_LEVEL_INFO] = LOG_INFO,
    [LOG_LEVEL_DEBUG] = LOG_DEBUG,
};

bool log_journal_has_stderr(const char *journal_stream)
{
    struct stat st;
    char own[64];
    if (journal_stream == NULL || fstat(STDERR_FILENO, &st) < 0)
        return false;
    snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    return strcmp(own, journal_stream) == 0;
}

/* All fields one behind the other in one buffer, which is what an entry's limit counts for. */
struct entry {
    struct strbuf text;
    size_t begin[MAX_FIELDS], end[MAX_FIELDS];
    int count;
};

static void add(struct entry *entry, const char *prefix, const char *name, const char *value)
{
    if (value == NULL || entry->count == MAX_FIELDS)
        return;
    size_t begin = entry->text.len;
    strbuf_append_text(&entry->text, prefix);
    for (const char *c = name; *c != '\0'; c++)
        strbuf_append_char(&entry->text, (char)toupper((unsigned char)*c));
    strbuf_append_char(&entry->text, '=');
    redaction_append(&entry->text, value);
    entry->begin[entry->count] = begin;
    entry->end[entry->count++] = entry->text.len;
}

void log_journal_write(enum log_level level, const char *message, const struct log_field *fields)
{
    struct entry entry = {.text.limit = MAX_ENTRY_BYTES};
    struct iovec parts[MAX_FIELDS];
    char priority[16];
    snprintf(priority, sizeof priority, "%d", priorities[level]);
    add(&entry, "", "MESSAGE", message);
    add(&entry, "", "PRIORITY", priority);
    for (const struct log_field *field = fields; field != NULL && field->key != NULL; field++)
        add(&entry, strcmp(field->key, LOG_EVENT_KEY) == 0 ? "" : "SPARKBRIDGE_", field->key,
            field->value);
    char *text = strbuf_take(&entry.text);
    for (int i = 0; i < entry.count; i++)
        parts[i] = (struct iovec){text + entry.begin[i], entry.end[i] - entry.begin[i]};
    sd_journal_sendv(parts, entry.count);
    free(text);
}
