/* Any bytes as the daemon's YAML file: read, checked, and every message has its place. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "conf/config_sources.h"
#include "conf/yaml_tree.h"

static const char path[] = "f.yaml";

static void check(bool holds)
{
    if (!holds)
        abort();
}

static size_t count_lines(const uint8_t *data, size_t size)
{
    size_t lines = 1;
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n' || data[i] == '\r' || data[i] == 0x85 || data[i] == 0xa8 ||
                 data[i] == 0xa9; /* YAML 1.1 also ends lines at NEL, LS and PS */
    return lines;
}

/* One printable line that begins with a place in the file. */
static void check_diag(const struct diag *diag, size_t lines)
{
    check(diag->severity == DIAG_ERROR && diag->exit_code == EX_CONFIG);
    check(strncmp(diag->message, "f.yaml:", 7) == 0);
    check(diag->place.line >= 1 && diag->place.line <= lines + 1 && diag->place.column >= 1);
    for (const char *c = diag->message; *c != '\0'; c++)
        check(*c >= 0x20 && *c < 0x7f);
}

static void check_setting(const struct setting *setting)
{
    const struct option_def *def = option_get(setting->id);
    check(def->yaml_path != NULL && setting->source == SETTING_FILE);
    check(strcmp(setting->place, path) == 0 && setting->at.line >= 1 && setting->at.column >= 1);
    check(setting->key != NULL && secret_is_set(&setting->value));
    check(setting->value.len <= YAML_TREE_MAX_BYTES);
}

static void apply(const struct config_target *target, struct settings *settings,
                  struct diag_list *diags)
{
    for (size_t i = 0; i < settings->count; i++) {
        check_setting(&settings->items[i]);
        config_apply(target, &settings->items[i], diags);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char home[] = "HOME=/home/a";
    static char host[] = "HOST=two words";
    static char empty[] = "EMPTY=";
    char *const environment[] = {home, host, empty, NULL};
    struct config_file file = {0};
    struct diag_list diags = {0};
    struct secret content = {0};
    secret_set(&content, (const char *)data, size);
    config_file_parse(path, &content, environment, &file, &diags);
    check(file.listener_count <= CONFIG_MAX_LISTENERS);

    struct config *config = xcalloc(1, sizeof *config);
    config->listeners = xcalloc(CONFIG_MAX_LISTENERS, sizeof config->listeners[0]);
    struct config_target target = {.config = config, .environment = environment};
    apply(&target, &file.settings, &diags);
    for (size_t i = 0; i < file.listener_count; i++) {
        target.listener = &config->listeners[config->listener_count++];
        target.listener->name = xstrdup("");
        apply(&target, &file.listeners[i], &diags);
    }
    diag_list_sort(&diags);
    size_t lines = count_lines(data, size);
    for (size_t i = 0; i < diags.count; i++)
        check_diag(&diags.items[i], lines);
    check(diags.errors == diags.count + diags.dropped);

    config_destroy(config);
    config_file_finish(&file);
    secret_finish(&content);
    diag_list_finish(&diags);
    return 0;
}
