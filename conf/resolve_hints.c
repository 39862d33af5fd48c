/* What the profile file has to do with a value that is missing, for the end of the error's
 * sentence. */
#include "conf/resolution.h"
#include "conf/suggest.h"

enum { MAX_NAMES = 5 }; /* of profiles in one sentence */

static void append_profiles(const struct resolving *r, struct strbuf *text)
{
    const struct databrickscfg *cfg = r->file.cfg;
    if (cfg->count == 0) {
        strbuf_append_format(text, "; %s has no profiles", r->file.shown);
        return;
    }
    if (databrickscfg_profile(cfg, "DEFAULT") == NULL)
        strbuf_append_format(text, "; %s has no DEFAULT, only", r->file.shown);
    else
        strbuf_append_format(text, "; %s has", r->file.shown);
    for (size_t i = 0; i < cfg->count && i < MAX_NAMES; i++)
        strbuf_append_format(text, "%s %.64s", i > 0 ? "," : "", cfg->profiles[i].name);
    if (cfg->count > MAX_NAMES)
        strbuf_append_format(text, " and %zu more", cfg->count - MAX_NAMES);
    strbuf_append_format(text, ": --profile %.64s", cfg->profiles[0].name);
}

void resolving_hint_at_file(const struct resolving *r, struct strbuf *text)
{
    const struct profile_file *file = &r->file;
    if (!file->is_read || (r->request->environment == NULL && !file->is_named))
        return;
    if (file->path == NULL)
        strbuf_append_format(text,
                             "; %s is not read, since HOME is not set: set HOME or give "
                             "--config-file",
                             file->shown);
    else if (file->cfg == NULL)
        strbuf_append_format(text, "; there is no %s", file->shown);
    else if (r->profile != NULL)
        strbuf_append_format(text, "; profile %.64s, %s:%u, names no host", r->profile->name,
                             file->shown, r->profile->line);
    else
        append_profiles(r, text);
}

void resolving_hint_at_key(const struct resolving *r, enum attribute wanted, struct strbuf *text)
{
    const char *name = attribute_info(wanted)->name;
    for (size_t i = 0; r->profile != NULL && i < r->profile->count; i++) {
        const struct cfg_entry *entry = &r->profile->entries[i];
        enum attribute known;
        struct suggest suggest = {.word = entry->key};
        if (!attribute_from_name(entry->key, &known))
            suggest_offer(&suggest, name);
        if (suggest.best != NULL)
            strbuf_append_format(text, "; %s:%u has the key %.64s (did you mean \"%s\"?)",
                                 r->file.shown, entry->line, entry->key, name);
    }
}
