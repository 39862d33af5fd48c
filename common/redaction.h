/*
 * Redaction: the secrets that are in use, so that the log can leave them out of whatever text it is
 * given, a peer's words above all.
 *
 * A secret is known as it is, percent-encoded and in base64 (which is how a proxy's password
 * travels). A text that was cut in its middle is recognised by the secret's first bytes. Secrets
 * of fewer than REDACTION_MIN_BYTES would make words of every log unreadable and are left alone.
 * The list is part of the logger, the program's one global. Loop thread only.
 */
#ifndef SPARKBRIDGE_COMMON_REDACTION_H
#define SPARKBRIDGE_COMMON_REDACTION_H

#include <stddef.h>

#include "common/list.h"
#include "common/secret.h"
#include "common/strbuf.h"

enum {
    REDACTION_MIN_BYTES = 8,
    REDACTION_FORMS = 5, /* as it is, percent-encoded, and base64 at each of three alignments */
};

/* Owner: whoever has the secret, which embeds it; zeroed it redacts nothing. */
struct redaction {
    struct list link;
    struct secret forms[REDACTION_FORMS];
};

/* From now on the secret is redacted; it is copied. A second call replaces the first. */
void redaction_begin(struct redaction *redaction, const struct secret *secret);
void redaction_end(struct redaction *redaction);

/* How many bytes at the start of the NUL-terminated `text` are a secret's, 0: none. */
size_t redaction_match(const char *text);

/* Appends the text with "[secret]" in the place of each secret. */
void redaction_append(struct strbuf *out, const char *text);

#endif
