/* "Did you mean": the known word nearest to a mistyped one. */
#include "conf/suggest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static char fold(char c)
{
    return c == '_' ? '-' : (char)tolower((unsigned char)c);
}

static size_t min2(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The restricted distance (no letter is edited twice), with three rows of the usual table. */
size_t suggest_distance(const char *a, const char *b)
{
    size_t a_len = strnlen(a, SUGGEST_MAX_BYTES + 1);
    size_t b_len = strnlen(b, SUGGEST_MAX_BYTES + 1);
    if (a_len > SUGGEST_MAX_BYTES || b_len > SUGGEST_MAX_BYTES)
        return SUGGEST_MAX_BYTES;
    size_t rows[3][SUGGEST_MAX_BYTES + 1] = {{0}};
    size_t *before = rows[0];
    size_t *last = rows[1];
    size_t *row = rows[2];
    for (size_t j = 0; j <= b_len; j++)
        last[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t replace = last[j - 1] + (fold(a[i - 1]) != fold(b[j - 1]));
            row[j] = min2(replace, min2(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
                fold(a[i - 2]) == fold(b[j - 1]))
                row[j] = min2(row[j], before[j - 2] + 1);
        }
        size_t *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[b_len];
}

/* `token` for "token_file": the beginning of a word is near to it, however long the rest. */
static bool is_beginning(const char *word, const char *candidate)
{
    size_t len = strlen(word);
    if (len < 3)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (fold(word[i]) != fold(candidate[i]))
            return false;
    }
    return true;
}

void suggest_offer(struct suggest *suggest, const char *candidate)
{
    size_t distance = suggest_distance(suggest->word, candidate);
    /* A third of the letters may be wrong: more is another word, not a typing error. */
    if (distance > strlen(candidate) / 3 && !is_beginning(suggest->word, candidate) &&
        !is_beginning(candidate, suggest->word))
        return;
    if (suggest->best == NULL || distance < suggest->best_distance) {
        suggest->best = candidate;
        suggest->best_distance = distance;
    }
}

struct suggestion suggest_text(const struct suggest *suggest)
{
    struct suggestion suggestion = {.text = ""};
    if (suggest->best != NULL)
        snprintf(suggestion.text, sizeof suggestion.text, " (did you mean \"%s\"?)", suggest->best);
    return suggestion;
}

struct suggestion suggest_from(const char *word, const char *const *candidates)
{
    struct suggest suggest = {.word = word};
    for (size_t i = 0; candidates[i] != NULL; i++)
        suggest_offer(&suggest, candidates[i]);
    return suggest_text(&suggest);
}
