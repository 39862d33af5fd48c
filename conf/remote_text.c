/* A look at a connection string's text for secrets, also where the string is malformed. */
#include "conf/remote_text.h"

#include <string.h>
#include <strings.h>

/* strcasestr() within `len` bytes. */
static bool contains(const char *text, size_t len, const char *word)
{
    size_t word_len = strlen(word);
    for (size_t i = 0; i + word_len <= len; i++) {
        if (strncasecmp(text + i, word, word_len) == 0)
            return true;
    }
    return false;
}

static bool is_credential_key(const char *key, size_t len)
{
    static const char *const words[] = {"token", "secret", "password", "authorization", NULL};
    for (size_t i = 0; words[i] != NULL; i++) {
        if (contains(key, len, words[i]))
            return true;
    }
    return false;
}

/* A value that the YAML file takes from the environment, `${NAME}`, is not a secret itself. */
static bool is_reference(const char *value, size_t len)
{
    return len > 3 && value[0] == '$' && value[1] == '{' && value[len - 1] == '}' &&
           memchr(value, '}', len) == value + len - 1 && !contains(value, len, ":-");
}

bool remote_text_holds_secret(const char *text)
{
    /* More separators than the grammar has: `sc://host/token=...` is wrong, but holds a token. */
    static const char separators[] = ";/?&";
    for (const char *part = text; *part != '\0';) {
        size_t len = strcspn(part, separators);
        size_t key_len = strcspn(part, "=;/?&");
        bool has_value = key_len + 1 < len;
        if (has_value && is_credential_key(part, key_len) &&
            !is_reference(part + key_len + 1, len - key_len - 1))
            return true;
        /* user:password@host stands in front of every parameter */
        if (part[key_len] != '=' && memchr(part, '@', len) != NULL)
            return true;
        part += len;
        part += strspn(part, separators);
    }
    return false;
}
