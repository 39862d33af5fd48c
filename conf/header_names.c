/* Names of request metadata. */
#include "conf/header_names.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "conf/diag.h"

enum {
    CANONICAL_SIZE = 64, /* longer than any name in the tables */
    PATTERN_MAX_BYTES = 128,
};

/* Every header of every call is looked for here, so lengths are compared before bytes. */
struct word {
    const char *text;
    size_t len;
};
#define WORD(text)                                                                                 \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

/* The credential and the target are the bridge's to set; the rest belongs to one connection
 * (RFC 9110, 7.6.1), is HTTP/2's own, or is a browser's. */
static const struct word ours[] = {
    WORD("authorization"),
    WORD("authentication"),
    WORD("cookie"),
    WORD("host"),
    WORD("x-databricks-cluster-id"),
    WORD("x-databricks-session-id"),
    WORD("te"),
    WORD("content-length"),
    WORD("connection"),
    WORD("keep-alive"),
    WORD("transfer-encoding"),
    WORD("upgrade"),
    WORD("http2-settings"),
    WORD("proxy-authorization"),
    WORD("proxy-authenticate"),
    WORD("proxy-connection"),
};

/* Names that begin so may carry a caller's identity, its address or another destination. */
static const struct word guarded[] = {
    WORD("x-databricks"), WORD("forwarded"), WORD("x-forwarded"), WORD("x-real-ip"),
    WORD("x-original"),   WORD("x-envoy"),   WORD("proxy"),
};

/* Letters in lower case, digits, and one `-` for whatever stands between them. What is longer than
 * the buffer is cut, which makes it equal to nothing in `ours`. Returns the text's length. */
static size_t canonicalize(const char *name, size_t len, char ret_text[CANONICAL_SIZE])
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
    if (n > strlen("-bin") && memcmp(ret_text + n - strlen("-bin"), "-bin", strlen("-bin")) == 0)
        n -= strlen("-bin");
    ret_text[n] = '\0';
    return n;
}

/* "x-real-ip" begins with the word "x-real-ip", "forwarded-for" with "forwarded". */
static bool begins_with_word(const char *text, size_t len, const struct word *word)
{
    return len >= word->len && text[0] == word->text[0] &&
           memcmp(text, word->text, word->len) == 0 &&
           (text[word->len] == '-' || text[word->len] == '\0');
}

enum header_class header_name_class(const char *name, size_t len)
{
    char canonical[CANONICAL_SIZE];
    size_t n = canonicalize(name, len, canonical);
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (n == ours[i].len && memcmp(canonical, ours[i].text, n) == 0)
            return HEADER_OURS;
    for (size_t i = 0; i < sizeof guarded / sizeof guarded[0]; i++)
        if (begins_with_word(canonical, n, &guarded[i]))
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
    char longer[PATTERN_MAX_BYTES + 1];
    snprintf(longer, sizeof longer, "%.*sx", (int)name_len, pattern);
    if (name_len < len && header_name_class(longer, name_len + 1) == HEADER_GUARDED)
        return err_set(err, EX_USAGE,
                       "%s lets nothing pass: such headers may say who calls, and have to be named "
                       "in full, without a `*`",
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
    if (class == HEADER_OURS || (pattern[0] != name[0] && pattern[0] != '*'))
        return false; /* most are told by their first letter */
    size_t pattern_len = strlen(pattern);
    if (pattern_len > 0 && pattern[pattern_len - 1] == '*')
        return class == HEADER_PLAIN && len >= pattern_len - 1 &&
               memcmp(pattern, name, pattern_len - 1) == 0;
    return len == pattern_len && memcmp(pattern, name, len) == 0;
}
