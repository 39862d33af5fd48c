/* Names of request metadata. */
#include "conf/header_names.h"

#include <ctype.h>
#include <string.h>
#include <sysexits.h>

#include "conf/diag.h"

enum {
    CANONICAL_SIZE = 64, /* longer than any name in the tables */
    PATTERN_MAX_BYTES = 128,
};

/* The credential and the target are the bridge's to set; the rest belongs to one connection
 * (RFC 9110, 7.6.1), is HTTP/2's own, or is a browser's. */
static const char *const ours[] = {
    "authorization",
    "authentication",
    "cookie",
    "host",
    "x-databricks-cluster-id",
    "x-databricks-session-id",
    "te",
    "content-length",
    "connection",
    "keep-alive",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
    "proxy-authorization",
    "proxy-authenticate",
    "proxy-connection",
};

/* Names that begin so may carry a caller's identity, its address or another destination. */
static const char *const guarded[] = {
    "x-databricks", "forwarded", "x-forwarded", "x-real-ip", "x-original", "x-envoy", "proxy",
};

/* Letters in lower case, digits, and one `-` for whatever stands between them. What is longer than
 * the buffer is cut, which makes it equal to nothing in `ours`. */
static void canonicalize(const char *name, size_t len, char ret_text[CANONICAL_SIZE])
{
    size_t n = 0;
    for (size_t i = 0; i < len && n + 1 < CANONICAL_SIZE; i++) {
        unsigned char c = (unsigned char)name[i];
        if (isascii(c) && isalnum(c))
            ret_text[n++] = (char)tolower(c);
        else if (n > 0 && ret_text[n - 1] != '-')
            ret_text[n++] = '-';
    }
    while (n > 0 && ret_text[n - 1] == '-')
        n--;
    ret_text[n] = '\0';
    if (n > strlen("-bin") && strcmp(ret_text + n - strlen("-bin"), "-bin") == 0)
        ret_text[n - strlen("-bin")] = '\0';
}

/* "x-real-ip" begins with the word "x-real-ip", "forwarded-for" with "forwarded". */
static bool begins_with_word(const char *text, const char *word)
{
    size_t len = strlen(word);
    return strncmp(text, word, len) == 0 && (text[len] == '-' || text[len] == '\0');
}

enum header_class header_name_class(const char *name, size_t len)
{
    char canonical[CANONICAL_SIZE];
    canonicalize(name, len, canonical);
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (strcmp(canonical, ours[i]) == 0)
            return HEADER_OURS;
    for (size_t i = 0; i < sizeof guarded / sizeof guarded[0]; i++)
        if (begins_with_word(canonical, guarded[i]))
            return HEADER_GUARDED;
    return HEADER_PLAIN;
}

bool header_pattern_check(const char *pattern, struct err *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
    size_t len = strlen(pattern);
    size_t name_len = len > 0 && pattern[len - 1] == '*' ? len - 1 : len;
    if (len == 0 || len > PATTERN_MAX_BYTES || strspn(pattern, allowed) < name_len)
        return err_set(err, EX_USAGE,
                       "%s is no header name: write it in lower case, with a `*` at most at its "
                       "end",
                       diag_quote(pattern).text);
    if (header_name_class(pattern, len) == HEADER_OURS)
        return err_set(err, EX_USAGE,
                       "%s is set by sparkbridge or by HTTP/2 itself, and never taken from a "
                       "client; leave it out",
                       diag_quote(pattern).text);
    return true;
}

bool header_pattern_matches(const char *pattern, const char *name, size_t len,
                            enum header_class class)
{
    size_t pattern_len = strlen(pattern);
    if (class == HEADER_OURS)
        return false;
    if (pattern_len > 0 && pattern[pattern_len - 1] == '*')
        return class == HEADER_PLAIN && len >= pattern_len - 1 &&
               memcmp(pattern, name, pattern_len - 1) == 0;
    return len == pattern_len && memcmp(pattern, name, len) == 0;
}
