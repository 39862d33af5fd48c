/* The SPARKBRIDGE_* variables, read into settings. */
#include <stdio.h>
#include <string.h>

#include "common/alloc.h"
#include "conf/config_sources.h"
#include "conf/environment.h"
#include "conf/suggest.h"
#include "conf/values.h"

enum { NAME_SIZE = 64 };

static const char prefix[] = "SPARKBRIDGE_";

static void add(enum option_id id, const char *name, const char *value, size_t len,
                struct settings *settings)
{
    struct setting setting = {.id = id, .source = SETTING_VARIABLE};
    secret_set(&setting.value, value, len);
    setting.place = xstrdup(name);
    settings_add(settings, &setting);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* "a, b": one setting each. */
static void add_list(enum option_id id, const char *name, const char *value,
                     struct settings *settings)
{
    for (const char *item = value;; item++) {
        while (is_blank(*item))
            item++;
        size_t len = strcspn(item, ","), trimmed = len;
        while (trimmed > 0 && is_blank(item[trimmed - 1]))
            trimmed--;
        add(id, name, item, trimmed, settings);
        item += len;
        if (*item == '\0')
            return;
    }
}

/* A switch that is off says the same as none; another one is checked with the rest. */
static bool is_off(const struct option_def *def, const char *value)
{
    int64_t on = 1;
    return def->type == OPTION_SWITCH && value_switch(value, &on, NULL) && on == 0;
}

/* Typing errors are worth a warning, but other programs may have variables of this prefix too. */
static void warn_of_unknown(const char *variable, struct diag_list *diags)
{
    char name[NAME_SIZE];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(variable, "="), variable);
    struct suggest suggest = {.word = name + strlen(prefix)};
    for (int id = 0; id < OPTION_COUNT; id++) {
        char known[OPTION_VARIABLE_SIZE];
        const struct option_def *def = option_get((enum option_id)id);
        if (!option_variable(def, known)) {
            if (def->flag != NULL && suggest_distance(def->flag, suggest.word) == 0) {
                diag_warning(diags, "%s: not read: --%s can only be said on the command line",
                             diag_quote(name).text, def->flag);
                return;
            }
            continue;
        }
        if (strcmp(known, name) == 0)
            return;
        suggest_offer(&suggest, def->flag);
    }
    char known[OPTION_VARIABLE_SIZE];
    if (suggest.best != NULL && option_variable(option_by_flag(suggest.best), known))
        diag_warning(diags, "%s: unknown variable, not read (did you mean %s?)",
                     diag_quote(name).text, known);
}

void config_environment_read(char *const *environment, enum command_id command,
                             struct settings *settings, struct diag_list *diags)
{
    for (int id = 0; id < OPTION_COUNT; id++) {
        const struct option_def *def = option_get((enum option_id)id);
        char name[OPTION_VARIABLE_SIZE];
        if ((def->commands & command) == 0 || !option_variable(def, name))
            continue;
        const char *value = environment_get(environment, name);
        if (value == NULL || is_off(def, value))
            continue;
        if (def->repeats)
            add_list((enum option_id)id, name, value, settings);
        else
            add((enum option_id)id, name, value, strlen(value), settings);
    }
    for (char *const *variable = environment; variable != NULL && *variable != NULL; variable++) {
        if (strncmp(*variable, prefix, strlen(prefix)) == 0)
            warn_of_unknown(*variable, diags);
    }
}
