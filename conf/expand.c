/* `${NAME}` in a value of the YAML file. */
#include "conf/expand.h"

#include <stdio.h>
#include <string.h>

#include "conf/environment.h"

enum { NAME_SIZE = 128 };

/* What stands between `${` and `}`. */
struct reference {
    char name[NAME_SIZE];
    const char *fallback; /* behind `:-`, borrowed, not NUL-terminated; NULL where there is none */
    size_t fallback_len;
};

/* `output` has room for EXPAND_MAX_BYTES and a NUL. */
static bool append(struct secret *output, const char *bytes, size_t len, struct err *err)
{
    if (len > EXPAND_MAX_BYTES - output->len)
        return err_set(err, EX_CONFIG, "has more than %d bytes", EXPAND_MAX_BYTES);
    memcpy(output->bytes + output->len, bytes, len);
    output->len += len;
    return true;
}

/* The text is not quoted in errors: it may be a secret with a `$` in it. */
static bool parse_reference(const char *inside, size_t len, struct reference *ret, struct err *err)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    size_t name_len = 0;
    while (name_len < len && strchr(letters, inside[name_len]) != NULL && inside[name_len] != '\0')
        name_len++;
    bool is_name = name_len > 0 && name_len < NAME_SIZE && (inside[0] < '0' || inside[0] > '9');
    bool has_fallback = len - name_len >= 2 && memcmp(inside + name_len, ":-", 2) == 0;
    if (!is_name || (name_len != len && !has_fallback))
        return err_set(err, EX_CONFIG,
                       "`${...}` has to hold the name of a variable, as in ${NAME} or "
                       "${NAME:-text}; a dollar sign is written $$");
    *ret = (struct reference){.fallback = has_fallback ? inside + name_len + 2 : NULL};
    memcpy(ret->name, inside, name_len);
    ret->fallback_len = has_fallback ? len - name_len - 2 : 0;
    if (has_fallback && memchr(ret->fallback, '$', ret->fallback_len) != NULL)
        return err_set(err, EX_CONFIG, "a `$` inside of `${...}` is not supported");
    return true;
}

static bool append_reference(struct secret *output, const struct reference *reference,
                             char *const *environment, struct err *err)
{
    const char *value = environment_get(environment, reference->name);
    if (value != NULL)
        return append(output, value, strlen(value), err);
    if (reference->fallback != NULL)
        return append(output, reference->fallback, reference->fallback_len, err);
    if (environment_has(environment, reference->name))
        return true;
    return err_set(err, EX_CONFIG,
                   "the environment variable %s is not set; set it, or give a text for this case: "
                   "${%s:-text}",
                   reference->name, reference->name);
}

static bool expand_all(struct secret *output, const char *text, size_t len,
                       char *const *environment, struct err *err)
{
    const char *end = text + len;
    while (text != end) {
        const char *dollar = memchr(text, '$', (size_t)(end - text));
        if (!append(output, text, (size_t)((dollar != NULL ? dollar : end) - text), err))
            return false;
        if (dollar == NULL)
            return true;
        char next = dollar + 1 != end ? dollar[1] : '\0';
        if (next != '$' && next != '{')
            return err_set(err, EX_CONFIG,
                           "a `$` alone; write ${NAME} for a variable, $$ for a dollar sign");
        if (next == '$') {
            if (!append(output, "$", 1, err))
                return false;
            text = dollar + 2;
            continue;
        }
        const char *inside = dollar + 2;
        const char *brace = memchr(inside, '}', (size_t)(end - inside));
        struct reference reference = {0};
        if (brace == NULL)
            return err_set(err, EX_CONFIG, "a `${` without its `}`");
        if (!parse_reference(inside, (size_t)(brace - inside), &reference, err) ||
            !append_reference(output, &reference, environment, err))
            return false;
        text = brace + 1;
    }
    return true;
}

bool expand_variables(const char *text, size_t len, char *const *environment,
                      struct secret *ret_value, struct err *err)
{
    struct secret output = {0};
    secret_reserve(&output, EXPAND_MAX_BYTES);
    bool ok = expand_all(&output, text, len, environment, err);
    if (ok)
        secret_set(ret_value, output.bytes, output.len);
    secret_finish(&output);
    return ok;
}
