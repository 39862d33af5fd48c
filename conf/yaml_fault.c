/* What libyaml complains about, in words that name the remedy. */
#include "conf/yaml_fault.h"

#include <string.h>
#include <sysexits.h>

#include "conf/yaml_tree.h"

/* libyaml's wording, as of 0.2.5, and ours. */
struct translation {
    const char *problem;
    const char *sentence;
    bool at_context; /* the place is where the construct begins, not where its end is missed */
};

static const char no_node[] = "did not find expected node content";

static const struct translation translations[] = {
    {"mapping values are not allowed in this context",
     "a `:` does not belong here; is the line indented wrongly, or a quotation mark missing?",
     false},
    {"could not find expected ':'", "a `:` is missing behind a key", true},
    {"did not find expected key",
     "a key is expected here; is the line indented wrongly, or a quotation mark missing?", false},
    {"did not find expected '-' indicator",
     "a list item that begins with `- ` is expected here; is the line indented wrongly?", false},
    {"block sequence entries are not allowed in this context",
     "a list item cannot begin here; begin the list on a line of its own", false},
    {"found unexpected end of stream", "the quotation mark that opens here is not closed", true},
    {"did not find expected ',' or ']'",
     "the `[` that opens here needs `,` between its values and "
     "`]` at its end",
     true},
    {"did not find expected ',' or '}'",
     "the `{` that opens here needs `,` between its values and "
     "`}` at its end",
     true},
    {no_node, "a value is expected here", false},
    {"found unknown escape character",
     "the character after this `\\` means nothing; put the text into 'single' quotation marks",
     false},
    {"did not find expected <document start>", "text behind the end of the document", false},
    {"did not find expected <document end>", "text behind the end of the document", false},
    {"control characters are not allowed", "a control character, which YAML does not allow", false},
    {"invalid leading UTF-8 octet", "not UTF-8; save the file in this encoding", false},
    {"invalid trailing UTF-8 octet", "not UTF-8; save the file in this encoding", false},
    {"incomplete UTF-8 octet sequence", "not UTF-8; save the file in this encoding", false},
    {"invalid length of a UTF-8 sequence", "not UTF-8; save the file in this encoding", false},
    {"invalid Unicode character", "not UTF-8; save the file in this encoding", false},
};

static void report(const struct yaml_source *source, struct diag_place place, const char *sentence,
                   const char *hint, struct diag_list *diags)
{
    diag_error_at(diags, source->path, place, "not valid YAML: %s%s", sentence, hint);
}

static bool is_before(struct diag_place a, struct diag_place b)
{
    return a.line != b.line ? a.line < b.line : a.column < b.column;
}

/* Moves the place over one byte. */
static struct diag_place step(struct diag_place place, char byte)
{
    if (byte == '\n')
        return (struct diag_place){place.line + 1, 1};
    if (((unsigned char)byte & 0xc0) != 0x80) /* bytes inside of a UTF-8 sequence have no column */
        place.column++;
    return place;
}

static struct diag_place place_at(const struct yaml_source *source, size_t offset)
{
    struct diag_place place = {1, 1};
    for (size_t i = 0; i < offset && i < source->len; i++)
        place = step(place, source->bytes[i]);
    return place;
}

/* The byte at a place, NUL where there is none. */
static char byte_at(const struct yaml_source *source, struct diag_place place)
{
    struct diag_place here = {1, 1};
    for (size_t i = 0; i < source->len; i++) {
        if (here.line == place.line && here.column == place.column)
            return source->bytes[i];
        here = step(here, source->bytes[i]);
    }
    return '\0';
}

bool yaml_fault_check_bytes(const struct yaml_source *source, struct diag_list *diags)
{
    const char *bytes = source->bytes;
    if (source->len >= 2 &&
        (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0))
        return diag_error_at(diags, source->path, (struct diag_place){1, 1},
                             "is UTF-16; save the file as UTF-8");
    const char *nul = source->len > 0 ? memchr(bytes, '\0', source->len) : NULL;
    if (nul == NULL)
        return true;
    struct diag_place place = place_at(source, (size_t)(nul - bytes));
    return diag_error_at(diags, source->path, place, "a NUL byte; this is not a text file");
}

/* "found character that cannot start any token" is said of a tab, and of @, ` and %. */
static const char *explain_character(char c)
{
    return c == '\t' ? "a tab cannot indent; use spaces"
                     : "text cannot begin with this character; put it into quotation marks";
}

/* What in a flow collection, on the line of its fault or before, may have ended it too early: a
 * hint to go behind the sentence. */
static const char *hint_at(const struct yaml_source *source, struct diag_place begin,
                           struct diag_place end)
{
    struct diag_place here = {1, 1};
    for (size_t i = 0; i < source->len && here.line <= end.line; i++) {
        const char *c = &source->bytes[i];
        bool inside = !is_before(here, begin);
        if (inside && *c == '#')
            return "; a `#` begins a comment: put text with one into quotation marks";
        if (inside && *c == '$' && i + 1 < source->len && c[1] == '{')
            return "; put ${NAME} into quotation marks";
        here = step(here, *c);
    }
    return "";
}

/* The same for a fault and the construct that it is in. A value that is missed at the end of all
 * stands on the line before. */
static const char *hint(const struct yaml_source *source, const char *problem,
                        struct diag_place begin, struct diag_place fault)
{
    char opening = byte_at(source, begin);
    if (strcmp(problem, no_node) == 0)
        return hint_at(source, (struct diag_place){fault.line - 1, 1}, fault);
    return opening == '[' || opening == '{' ? hint_at(source, begin, fault) : "";
}

void yaml_fault_report(const yaml_parser_t *parser, const struct yaml_source *source,
                       struct diag_list *diags)
{
    const char *problem = parser->problem != NULL ? parser->problem : "out of memory";
    yaml_mark_t mark = parser->problem_mark;
    struct diag_place place = {(unsigned)mark.line + 1, (unsigned)mark.column + 1};
    if (parser->error == YAML_READER_ERROR)
        place = place_at(source, parser->problem_offset);
    if (strcmp(problem, "found character that cannot start any token") == 0) {
        report(source, place, explain_character(byte_at(source, place)), "", diags);
        return;
    }
    const struct diag_place fault = place;
    for (size_t i = 0; i < sizeof translations / sizeof translations[0]; i++) {
        const struct translation *translation = &translations[i];
        if (strcmp(problem, translation->problem) != 0)
            continue;
        if (translation->at_context && parser->context != NULL)
            place = (struct diag_place){(unsigned)parser->context_mark.line + 1,
                                        (unsigned)parser->context_mark.column + 1};
        report(source, place, translation->sentence, hint(source, problem, place, fault), diags);
        return;
    }
    report(source, place, problem, "", diags);
}
