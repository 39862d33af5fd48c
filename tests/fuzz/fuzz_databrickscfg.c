/* Any bytes as a profile file: what is accepted keeps the promises of its header. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/utf8.h"
#include "conf/databrickscfg.h"

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_entry(const struct cfg_profile *profile, const struct cfg_entry *entry)
{
    check(entry->key[0] != '\0' && cfg_profile_get(profile, entry->key) == entry);
    check(strpbrk(entry->key, "=:\r\n ABCDEFGHIJKLMNOPQRSTUVWXYZ") != entry->key);
    check(secret_is_set(&entry->value) && strlen(entry->value.bytes) == entry->value.len);
    check(utf8_is_valid(entry->value.bytes, entry->value.len));
    check(strpbrk(entry->value.bytes, "\r\n") == NULL);
    check(profile->doubt != NULL || strstr(entry->value.bytes, " #") == NULL);
    check(entry->line > profile->line);
}

static void check_accepted(const struct databrickscfg *cfg)
{
    for (size_t i = 0; i < cfg->count; i++) {
        const struct cfg_profile *profile = &cfg->profiles[i];
        check(profile->name[0] != '\0' && strcmp(profile->name, "__settings__") != 0);
        check(databrickscfg_profile(cfg, profile->name) == profile);
        check(profile->doubt == NULL || strncmp(profile->doubt, "cfg:", 4) == 0);
        check(i == 0 || profile->line > profile[-1].line);
        for (size_t k = 0; k < profile->count; k++)
            check_entry(profile, &profile->entries[k]);
    }
    check(cfg->default_profile == NULL || cfg->default_profile[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A copy of exactly that size: reading past its end is seen. */
    char *bytes = xcalloc(1, size > 0 ? size : 1);
    if (size > 0)
        memcpy(bytes, data, size);
    struct databrickscfg *cfg = NULL;
    struct err err = {0};
    if (databrickscfg_parse("cfg", bytes, size, &cfg, &err)) {
        check_accepted(cfg);
    } else {
        check(cfg == NULL && err.exit_code == EX_CONFIG);
        check(size > DATABRICKSCFG_MAX_BYTES || strncmp(err.message, "cfg:", 4) == 0);
        unsigned long line = strtoul(err.message + 4, NULL, 10);
        check(size > DATABRICKSCFG_MAX_BYTES || (line >= 1 && line <= size + 1));
    }
    databrickscfg_destroy(cfg);
    free(bytes);
    return 0;
}
