/* What one source says, as text, with the place of each value. */
#include "conf/settings.h"

#include <stdlib.h>
#include <sysexits.h>

#include "common/alloc.h"

void settings_add(struct settings *settings, struct setting *setting)
{
    settings->items = xrealloc(settings->items, (settings->count + 1) * sizeof settings->items[0]);
    settings->items[settings->count++] = *setting;
    *setting = (struct setting){0};
}

const struct setting *settings_find(const struct settings *settings, enum option_id id)
{
    for (size_t i = settings->count; i > 0; i--) {
        if (settings->items[i - 1].id == id)
            return &settings->items[i - 1];
    }
    return NULL;
}

char *setting_place(const struct setting *setting)
{
    if (setting->source != SETTING_FILE)
        return xstrdup(setting->place);
    return xasprintf("%s:%u:%u", setting->place, setting->at.line, setting->at.column);
}

bool setting_fault(const struct setting *setting, const char *sentence, struct diag_list *diags)
{
    if (setting->source == SETTING_FILE)
        return diag_error_at(diags, setting->place, setting->at, "%s: %s", setting->key, sentence);
    int exit_code = setting->source == SETTING_FLAG ? EX_USAGE : EX_CONFIG;
    return diag_error(diags, exit_code, "%s: %s", setting->place, sentence);
}

void setting_warn(const struct setting *setting, const char *sentence, struct diag_list *diags)
{
    char *place = setting_place(setting);
    bool in_file = setting->source == SETTING_FILE;
    diag_warning(diags, "%s: %s%s%s", place, in_file ? setting->key : "", in_file ? ": " : "",
                 sentence);
    free(place);
}

void setting_finish(struct setting *setting)
{
    secret_finish(&setting->value);
    free(setting->place);
    free(setting->key);
    *setting = (struct setting){0};
}

void settings_finish(struct settings *settings)
{
    for (size_t i = 0; i < settings->count; i++)
        setting_finish(&settings->items[i]);
    free(settings->items);
    *settings = (struct settings){0};
}
