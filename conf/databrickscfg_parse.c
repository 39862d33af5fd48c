/* The text of a `.databrickscfg`, read where Databricks' Python and Go SDKs agree on it. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/ascii.h"
#include "common/utf8.h"
#include "conf/databrickscfg.h"

static const char settings_section[] = "__settings__";
static const char default_section[] = "DEFAULT";

enum { QUOTED_NAME_MAX = 64 }; /* how much of a key or section a message shows */

/* A part of the current line. */
struct span {
    const char *at; /* borrowed from the file's bytes */
    size_t len;
};

struct parser {
    const char *path;
    struct databrickscfg *cfg; /* __settings__ is among its profiles until the end */
    size_t entries;            /* of all profiles */
    struct err *err;

    struct span line;
    unsigned number;
    struct cfg_profile *section; /* the open one, NULL before the first */
    bool after_key;              /* a key came since the section's header */
    size_t indent;               /* of the last header or key */
};

/* A sentence about a byte of the current line, or about its end; the caller's to free. */
static char *__attribute__((format(printf, 3, 0)))
sentence(const struct parser *parser, const char *at, const char *format, va_list args)
{
    char message[512];
    vsnprintf(message, sizeof message, format, args);
    return xasprintf("%s:%u:%zu: %s", parser->path, parser->number,
                     (size_t)(at - parser->line.at) + 1, message);
}

/* Refuses the file. */
static bool __attribute__((format(printf, 3, 4)))
fail(const struct parser *parser, const char *at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = sentence(parser, at, format, args);
    va_end(args);
    err_set(parser->err, EX_CONFIG, "%s", text);
    free(text);
    return false;
}

/* Keeps the open section from being used. The first sentence is the one that is told. */
static void __attribute__((format(printf, 3, 4)))
doubt(const struct parser *parser, const char *at, const char *format, ...)
{
    if (parser->section->doubt != NULL)
        return;
    va_list args;
    va_start(args, format);
    parser->section->doubt = sentence(parser, at, format, args);
    va_end(args);
}

/* For "%.*s": as much of a name as a message shows. */
static int shown(struct span name)
{
    return name.len > QUOTED_NAME_MAX ? QUOTED_NAME_MAX : (int)name.len;
}

/* --- spans ------------------------------------------------------------------------------- */

static struct span span_between(const char *begin, const char *end)
{
    return (struct span){.at = begin, .len = (size_t)(end - begin)};
}

static const char *span_end(struct span span)
{
    return span.at + span.len;
}

static bool begins_with(struct span span, const char *prefix)
{
    size_t len = strlen(prefix);
    return span.len >= len && memcmp(span.at, prefix, len) == 0;
}

static const char *find(struct span span, const char *needle)
{
    return memmem(span.at, span.len, needle, strlen(needle));
}

/* White space as both SDKs trim it: Python's str.strip() and Go's strings.TrimSpace() differ only
 * in control characters, which check_bytes() refuses. */
static bool is_space(uint32_t c)
{
    return c == ' ' || c == '\t' || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

static struct span trim_left(struct span span, size_t *ret_indent)
{
    size_t indent = 0;
    uint32_t c;
    for (size_t n; (n = utf8_decode(span.at, span.len, &c)) > 0 && is_space(c); indent++) {
        span.at += n;
        span.len -= n;
    }
    *ret_indent = indent;
    return span;
}

static struct span trim(struct span span)
{
    size_t ignored;
    span = trim_left(span, &ignored);
    while (span.len > 0) {
        size_t last = span.len - 1;
        while (last > 0 && ((unsigned char)span.at[last] & 0xc0) == 0x80)
            last--;
        uint32_t c;
        if (utf8_decode(span.at + last, span.len - last, &c) == 0 || !is_space(c))
            break;
        span.len = last;
    }
    return span;
}

/* --- values ------------------------------------------------------------------------------ */

/* go-ini goes on reading in the next lines where one of these quotes is not closed. */
static bool is_open_ended(struct span value)
{
    const char *quote = begins_with(value, "`") ? "`" : "\"\"\"";
    size_t len = strlen(quote);
    return begins_with(value, quote) &&
           find(span_between(value.at + len, span_end(value)), quote) == NULL;
}

/* Is the value something that go-ini would take the quotes off? */
static bool is_quoted(struct span value)
{
    if (begins_with(value, "`") || begins_with(value, "\"\"\""))
        return true;
    if (value.len < 2 || (*value.at != '"' && *value.at != '\''))
        return false;
    const char *next = memchr(value.at + 1, *value.at, value.len - 1);
    return next == span_end(value) - 1;
}

/* What the SDKs read differently in this one value. */
static void check_meaning(const struct parser *parser, struct span key, struct span value)
{
    const char *comment = find(value, " #");
    if (comment == NULL)
        comment = find(value, " ;");
    if (comment != NULL)
        doubt(parser, comment + 1,
              "'%c' after a space in the value of %.*s is a part of it for the Python SDK and a "
              "comment for the Go SDK: put comments on a line of their own",
              comment[1], shown(key), key.at);
    else if (is_quoted(value))
        doubt(parser, value.at,
              "the quotes around the value of %.*s are a part of it for the Python SDK and not "
              "for the Go SDK: remove them",
              shown(key), key.at);
}

static bool check_value(const struct parser *parser, struct span key, struct span value)
{
    if (value.len > DATABRICKSCFG_MAX_VALUE_BYTES)
        return fail(parser, value.at, "the value of %.*s is longer than %d KiB", shown(key), key.at,
                    DATABRICKSCFG_MAX_VALUE_BYTES >> 10);
    if (value.len > 0 && span_end(value)[-1] == '\\')
        return fail(parser, span_end(value) - 1,
                    "'\\' at the end of the value of %.*s is a part of it for the Python SDK and "
                    "joins the next line for the Go SDK: remove it",
                    shown(key), key.at);
    if (is_open_ended(value))
        return fail(parser, value.at,
                    "the value of %.*s ends with its line for the Python SDK and at another such "
                    "quotation mark for the Go SDK: remove it",
                    shown(key), key.at);
    check_meaning(parser, key, value);
    return true;
}

/* --- keys -------------------------------------------------------------------------------- */

static bool check_key(const struct parser *parser, struct span key, const char *delimiter)
{
    if (key.len == 0)
        return fail(parser, delimiter, "the key in front of '%c' is missing: write key = value",
                    *delimiter);
    if (*key.at == '"' || *key.at == '`')
        return fail(parser, key.at,
                    "quotes at the beginning of a key are a part of it for the Python SDK and not "
                    "for the Go SDK: remove them");
    if (key.len == 1 && *key.at == '-')
        return fail(parser, key.at,
                    "the key '-' is a number for the Go SDK and a name for the Python SDK: "
                    "remove the line");
    for (size_t i = 0; i < key.len; i++)
        if ((unsigned char)key.at[i] >= 0x80)
            return fail(parser, key.at + i,
                        "a letter that is not ASCII in a key: the Python SDK folds its case and "
                        "the Go SDK does not: use ASCII letters");
    return true;
}

/* Room for one element more, without a capacity: arrays grow at powers of two. */
static void *grow(void *array, size_t count, size_t size)
{
    bool full = (count & (count - 1)) == 0;
    return full ? xrealloc(array, (count == 0 ? 1 : 2 * count) * size) : array;
}

static bool add_entry(struct parser *parser, struct span key, struct span value)
{
    struct cfg_profile *section = parser->section;
    char *folded = xstrndup(key.at, key.len);
    ascii_lower_text(folded);
    const struct cfg_entry *first = cfg_profile_get(section, folded);
    bool ok = false;
    if (first != NULL)
        fail(parser, key.at,
             "%.*s is in this section already, on line %u: the Python SDK refuses that and the Go "
             "SDK takes the last: remove one",
             shown(key), key.at, first->line);
    else if (section->count >= DATABRICKSCFG_MAX_KEYS)
        fail(parser, key.at, "more than %d keys in one section", DATABRICKSCFG_MAX_KEYS);
    else if (parser->entries >= DATABRICKSCFG_MAX_ENTRIES)
        fail(parser, key.at, "more than %d keys in one file", DATABRICKSCFG_MAX_ENTRIES);
    else
        ok = true;
    if (!ok) {
        free(folded);
        return false;
    }
    section->entries = grow(section->entries, section->count, sizeof section->entries[0]);
    struct cfg_entry *entry = &section->entries[section->count++];
    *entry = (struct cfg_entry){.key = folded, .line = parser->number};
    secret_set(&entry->value, value.at, value.len);
    parser->entries++;
    return true;
}

/* `key = value` or `key: value`: the first of the two delimiters counts. No message quotes what
 * stands on a line without one, since it may be the rest of a value. */
static bool parse_key(struct parser *parser, struct span text)
{
    if (parser->section == NULL)
        return fail(parser, text.at,
                    "this line stands before the first section: the Python SDK refuses that: "
                    "put [DEFAULT] in front of it");
    const char *delimiter = text.at;
    while (delimiter < span_end(text) && *delimiter != '=' && *delimiter != ':')
        delimiter++;
    if (delimiter == span_end(text))
        return fail(parser, text.at,
                    "this line has no '=': write key = value, or '#' in front of a comment");
    struct span key = trim(span_between(text.at, delimiter));
    struct span value = trim(span_between(delimiter + 1, span_end(text)));
    if (!check_key(parser, key, delimiter) || !check_value(parser, key, value))
        return false;
    parser->after_key = true;
    return add_entry(parser, key, value);
}

/* --- sections ---------------------------------------------------------------------------- */

static bool open_section(struct parser *parser, struct span name)
{
    struct databrickscfg *cfg = parser->cfg;
    parser->after_key = false;
    for (size_t i = 0; i < cfg->count; i++) {
        struct cfg_profile *profile = &cfg->profiles[i];
        if (strlen(profile->name) != name.len || memcmp(profile->name, name.at, name.len) != 0)
            continue;
        parser->section = profile;
        /* The one section that both SDKs let continue. */
        if (strcmp(profile->name, default_section) == 0)
            return true;
        return fail(parser, name.at,
                    "section %.*s began on line %u already: the Python SDK refuses that and the Go "
                    "SDK joins the two: make them one",
                    shown(name), name.at, profile->line);
    }
    if (cfg->count >= DATABRICKSCFG_MAX_PROFILES)
        return fail(parser, name.at, "more than %d sections", DATABRICKSCFG_MAX_PROFILES);
    cfg->profiles = grow(cfg->profiles, cfg->count, sizeof cfg->profiles[0]);
    parser->section = &cfg->profiles[cfg->count++];
    *parser->section = (struct cfg_profile){
        .name = xstrndup(name.at, name.len),
        .line = parser->number,
    };
    return true;
}

/* Both SDKs let a section's name go on to the last ']' of the line and overlook what follows it.
 * Either is surely not what was meant, except for a comment. */
static bool parse_section(struct parser *parser, struct span text)
{
    const char *close = memchr(text.at, ']', text.len);
    if (close == NULL)
        return fail(parser, text.at, "the ']' that ends the section's name is missing");
    struct span name = span_between(text.at + 1, close);
    if (trim(name).len == 0)
        return fail(parser, text.at, "the section has no name: write [NAME]");
    struct span rest = trim(span_between(close + 1, span_end(text)));
    if (rest.len > 0 && *rest.at != '#' && *rest.at != ';')
        return fail(parser, rest.at,
                    "the SDKs overlook what follows the ']': put it on a line of its own");
    const char *second = memchr(rest.at, ']', rest.len);
    if (second != NULL)
        return fail(parser, second,
                    "the SDKs end the section's name at the last ']' of the line: put the comment "
                    "on a line of its own");
    return open_section(parser, name);
}

/* --- lines ------------------------------------------------------------------------------- */

static bool check_bytes(const struct parser *parser)
{
    for (const char *at = parser->line.at; at < span_end(parser->line);) {
        uint32_t c;
        size_t n = utf8_decode(at, (size_t)(span_end(parser->line) - at), &c);
        if (n == 0)
            return fail(parser, at, "not UTF-8: save the file as UTF-8");
        if (c == '\r')
            return fail(parser, at,
                        "a carriage return inside the line ends it for the Python SDK only: "
                        "remove it");
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return fail(parser, at, "a control character (0x%02x): remove it", (unsigned)c);
        at += n;
    }
    return true;
}

/* The indentation rule is configparser's: what is further in than the key before continues that
 * key's value. go-ini knows no indentation. */
static bool parse_line(struct parser *parser)
{
    if (!check_bytes(parser))
        return false;
    size_t indent;
    struct span text = trim(trim_left(parser->line, &indent));
    if (text.len == 0 || *text.at == '#' || *text.at == ';')
        return true;
    if (parser->after_key && indent > parser->indent)
        return fail(parser, text.at,
                    "a line further in than the key before goes on with its value for the Python "
                    "SDK and not for the Go SDK: remove the white space in front");
    parser->indent = indent;
    return *text.at == '[' ? parse_section(parser, text) : parse_key(parser, text);
}

/* Byte order marks get a message of their own, because nobody can see them. */
static bool check_encoding(struct parser *parser, struct span bytes)
{
    parser->line = bytes;
    parser->number = 1;
    if (begins_with(bytes, "\xef\xbb\xbf"))
        return fail(parser, bytes.at,
                    "the file begins with a byte order mark, which the Python SDK refuses: save "
                    "it as UTF-8 without one");
    if (begins_with(bytes, "\xff\xfe") || begins_with(bytes, "\xfe\xff"))
        return fail(parser, bytes.at, "the file is UTF-16: save it as UTF-8");
    return true;
}

static bool parse_lines(struct parser *parser, struct span bytes)
{
    const char *end = span_end(bytes);
    for (const char *at = bytes.at; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = newline != NULL ? newline : end;
        parser->number++;
        parser->line = span_between(at, line_end);
        if (parser->line.len > 0 && line_end[-1] == '\r')
            parser->line.len--;
        if (!parse_line(parser))
            return false;
        at = newline != NULL ? newline + 1 : end;
    }
    return true;
}

/* --- settings ---------------------------------------------------------------------------- */

/* The Go SDK alone replaces `%(key)s`, and only here. */
static bool check_default_profile(struct parser *parser, const struct cfg_entry *entry)
{
    if (strstr(entry->value.bytes, "%(") == NULL)
        return true;
    return err_set(parser->err, EX_CONFIG,
                   "%s:%u: default_profile has \"%%(\", which only the Go SDK would expand: "
                   "name the profile itself",
                   parser->path, entry->line);
}

/* Takes the settings out of the profiles. */
static bool finish_settings(struct parser *parser)
{
    struct databrickscfg *cfg = parser->cfg;
    const struct cfg_profile *found = databrickscfg_profile(cfg, settings_section);
    if (found == NULL)
        return true;
    if (!cfg_profile_check(found, parser->err))
        return false;
    const struct cfg_entry *entry = cfg_profile_get(found, "default_profile");
    if (entry != NULL && entry->value.len > 0) {
        if (!check_default_profile(parser, entry))
            return false;
        cfg->default_profile = xstrndup(entry->value.bytes, entry->value.len);
        cfg->default_profile_line = entry->line;
    }
    size_t index = (size_t)(found - cfg->profiles);
    cfg_profile_finish(&cfg->profiles[index]);
    memmove(&cfg->profiles[index], &cfg->profiles[index + 1],
            (cfg->count - index - 1) * sizeof cfg->profiles[0]);
    cfg->count--;
    return true;
}

bool databrickscfg_parse(const char *path, const char *bytes, size_t len,
                         struct databrickscfg **ret_cfg, struct err *err)
{
    if (len > DATABRICKSCFG_MAX_BYTES)
        return err_set(err, EX_CONFIG, "%s: larger than %d MiB", path,
                       DATABRICKSCFG_MAX_BYTES >> 20);
    struct parser parser = {.path = path, .cfg = xcalloc(1, sizeof *parser.cfg), .err = err};
    parser.cfg->path = xstrdup(path);
    struct span all = {.at = bytes, .len = len};
    bool ok = check_encoding(&parser, all);
    parser.number = 0;
    ok = ok && parse_lines(&parser, all) && finish_settings(&parser);
    if (ok)
        *ret_cfg = parser.cfg;
    else
        databrickscfg_destroy(parser.cfg);
    return ok;
}
