/*
 * The log as systemd's journal has it: native fields, SPARKBRIDGE_* for those of an event, and for
 * what an operator should know a MESSAGE_ID of the catalog (packaging/systemd/sparkbridge.catalog).
 * Private to common/log.c.
 */
#ifndef SPARKBRIDGE_COMMON_LOG_JOURNAL_H
#define SPARKBRIDGE_COMMON_LOG_JOURNAL_H

#include <stdbool.h>

#include "common/log.h"

/* Is standard error the stream that $JOURNAL_STREAM names, "DEVICE:INODE"? systemd.exec(5) */
bool log_journal_has_stderr(const char *journal_stream);

/* `message` begins with the name of the event. Secrets in use are replaced. A log that cannot be
 * written does not stop the daemon. */
void log_journal_write(enum log_level level, const char *message, const struct log_field *fields);

#endif
