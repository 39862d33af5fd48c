/* The values of options, from text. */
#include "conf/values.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/strbuf.h"
#include "conf/diag.h"
#include "conf/suggest.h"

struct unit {
    const char *name;
    int64_t factor;
};

struct units {
    struct unit units[5]; /* from small to large; ends with a NULL name */
    const char *names;    /* for messages */
    const char *of_zero;  /* every unit divides it: the one that people write */
    const char *example;
};

static const struct units durations = {
    {{"ms", 1}, {"s", 1000}, {"m", INT64_C(60) * 1000}, {"h", INT64_C(60) * 60 * 1000}},
    "ms, s, m or h",
    "s",
    "10s"};
static const struct units sizes = {
    {{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}}, "B, KiB or MiB", "B", "64KiB"};

enum {
    MAX_DIGITS = 15, /* times the largest factor still fits into 64 bits for sensible ranges */
    SHOWN_SIZE = 32,
};

/* Reads up to MAX_DIGITS digits; the rest of the text is left at *ret_rest. */
static bool parse_digits(const char *text, unsigned base, int64_t *ret_number,
                         const char **ret_rest)
{
    int64_t number = 0;
    const char *c = text;
    for (; *c >= '0' && *c < (char)('0' + base); c++) {
        if (c - text == MAX_DIGITS)
            return false;
        number = number * base + (*c - '0');
    }
    *ret_number = number;
    *ret_rest = c;
    return c != text;
}

/* The number in the largest unit that divides it: "10m" for 600000 ms. */
static void show(int64_t number, const struct units *units, char ret_text[SHOWN_SIZE])
{
    const struct unit *best = units->units;
    for (const struct unit *unit = best; unit->name != NULL; unit++) {
        if (number == 0 ? strcmp(unit->name, units->of_zero) == 0 : number % unit->factor == 0)
            best = unit;
    }
    snprintf(ret_text, SHOWN_SIZE, "%" PRId64 "%s", number / best->factor, best->name);
}

static bool in_range(int64_t number, struct value_range range)
{
    return number >= range.min && number <= range.max;
}

static bool parse_with_unit(const char *text, const struct units *units, struct value_range range,
                            int64_t *ret_number, struct err *err)
{
    struct diag_quote quote = diag_quote(text);
    int64_t number = 0;
    const char *rest = "";
    bool digits = parse_digits(text, 10, &number, &rest);
    const struct unit *unit = units->units;
    while (unit->name != NULL && strcmp(rest, unit->name) != 0)
        unit++;
    if (!digits || unit->name == NULL)
        return err_set(err, EX_USAGE, "%s has to be a whole number with a unit (%s), as in %s",
                       quote.text, units->names, units->example);
    if (number > INT64_MAX / unit->factor || !in_range(number * unit->factor, range)) {
        char low[SHOWN_SIZE];
        char high[SHOWN_SIZE];
        show(range.min, units, low);
        show(range.max, units, high);
        return err_set(err, EX_USAGE, "%s is out of range: from %s to %s", quote.text, low, high);
    }
    *ret_number = number * unit->factor;
    return true;
}

bool value_duration(const char *text, struct value_range range, int64_t *ret_ms, struct err *err)
{
    return parse_with_unit(text, &durations, range, ret_ms, err);
}

bool value_size(const char *text, struct value_range range, int64_t *ret_bytes, struct err *err)
{
    return parse_with_unit(text, &sizes, range, ret_bytes, err);
}

bool value_mode(const char *text, struct value_range range, int64_t *ret_mode, struct err *err)
{
    int64_t mode = 0;
    const char *rest = NULL;
    if (!parse_digits(text, 8, &mode, &rest) || *rest != '\0' || !in_range(mode, range))
        return err_set(err, EX_USAGE,
                       "%s has to be an octal file mode up to %04" PRIo64 ", as in 0600",
                       diag_quote(text).text, (uint64_t)range.max);
    *ret_mode = mode;
    return true;
}

bool value_integer(const char *text, struct value_range range, int64_t *ret_number, struct err *err)
{
    int64_t number = 0;
    const char *rest = NULL;
    if (!parse_digits(text, 10, &number, &rest) || *rest != '\0' || !in_range(number, range)) {
        if (range.min == range.max)
            return err_set(err, EX_USAGE, "%s has to be %" PRId64, diag_quote(text).text,
                           range.min);
        return err_set(err, EX_USAGE, "%s has to be a number from %" PRId64 " to %" PRId64,
                       diag_quote(text).text, range.min, range.max);
    }
    *ret_number = number;
    return true;
}

bool value_switch(const char *text, int64_t *ret_on, struct err *err)
{
    static const char *const words[] = {"0", "false", "no", "off", "1", "true", "yes", "on"};
    enum { FIRST_ON = 4, WORDS = 8 };
    for (size_t i = 0; i < WORDS; i++) {
        if (strcasecmp(text, words[i]) == 0) {
            *ret_on = i >= FIRST_ON;
            return true;
        }
    }
    return err_set(err, EX_USAGE, "%s has to be true or false", diag_quote(text).text);
}

bool value_choice(const char *text, const char *const *choices, int64_t *ret_index, struct err *err)
{
    struct strbuf list = {0};
    for (int i = 0; choices[i] != NULL; i++) {
        if (strcmp(text, choices[i]) == 0) {
            *ret_index = i;
            strbuf_finish(&list);
            return true;
        }
        const char *separator = i == 0 ? "" : choices[i + 1] == NULL ? " or " : ", ";
        strbuf_append_format(&list, "%s%s", separator, choices[i]);
    }
    struct suggestion hint = suggest_from(text, choices);
    err_set(err, EX_USAGE, "%s has to be %s%s", diag_quote(text).text, strbuf_text(&list),
            hint.text);
    strbuf_finish(&list);
    return false;
}

bool value_text(const char *text, size_t max_bytes, struct err *err)
{
    size_t len = strlen(text);
    if (len == 0)
        return err_set(err, EX_USAGE, "is empty; leave it out or give it a value");
    if (len > max_bytes)
        return err_set(err, EX_USAGE, "has %zu bytes, at most %zu are allowed", len, max_bytes);
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return err_set(err, EX_USAGE, "has a control character (a newline or tab?) in it");
    }
    return true;
}
