/* The profiles of a file, summed up. */
#include "conf/profiles.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/strbuf.h"
#include "conf/auth_method.h"
#include "conf/environment.h"
#include "conf/host.h"
#include "conf/layer.h"
#include "conf/printable.h"
#include "conf/profile_file.h"

/* The first problem is the one that is told. */
static void set_problem(struct profile_summary *summary, char *problem)
{
    if (summary->problem == NULL)
        summary->problem = problem;
    else
        free(problem);
}

static void sum_up_host(struct profile_summary *summary, const struct layer *layer)
{
    const char *text = layer_text(layer, ATTR_HOST);
    struct host host;
    struct err err;
    if (text == NULL)
        return;
    if (!host_parse(text, &host, &err)) {
        set_problem(summary, xasprintf("host: %s", err.message));
        return;
    }
    summary->host = host_text(&host);
    host_finish(&host);
}

static void sum_up_method(struct profile_summary *summary, const struct layer *layer)
{
    struct auth_choice choice;
    auth_choose(layer, NULL, &choice);
    switch (choice.outcome) {
    case AUTH_NONE: break;
    case AUTH_CHOSEN: summary->auth_type = xstrdup(choice.method); break;
    case AUTH_CONFLICT:
        set_problem(summary, xasprintf("more than one method: %s", choice.families));
        break;
    case AUTH_NO_GROUP:
        set_problem(summary, xasprintf("%s cannot act as a group", choice.method));
        break;
    }
    auth_choice_finish(&choice);
}

static void sum_up_compute(struct profile_summary *summary, const struct layer *layer)
{
    const char *cluster = layer_text(layer, ATTR_CLUSTER_ID);
    const char *serverless = layer_text(layer, ATTR_SERVERLESS_COMPUTE_ID);
    summary->cluster_id = cluster != NULL ? xstrdup(cluster) : NULL;
    summary->serverless = serverless != NULL;
    if (serverless != NULL && strcmp(serverless, "auto") != 0)
        set_problem(summary, xstrdup("serverless_compute_id is not 'auto'"));
    if (serverless != NULL && cluster != NULL)
        set_problem(summary, xstrdup("both a cluster id and serverless"));
}

static struct profile_summary sum_up(const struct cfg_profile *profile, const char *default_name)
{
    struct profile_summary summary = {
        .name = xstrdup(profile->name),
        .line = profile->line,
        .is_default = default_name != NULL && strcmp(profile->name, default_name) == 0,
    };
    if (profile->doubt != NULL)
        set_problem(&summary, xstrdup(profile->doubt));
    struct layer layer = {0};
    layer_add_profile(&layer, profile, "");
    sum_up_host(&summary, &layer);
    sum_up_method(&summary, &layer);
    sum_up_compute(&summary, &layer);
    layer_finish(&layer);
    return summary;
}

bool profile_list_load(const char *config_file, char *const *environment,
                       struct profile_list *ret_list, struct err *err)
{
    struct profile_file file;
    profile_file_init(&file, config_file, environment);
    if (profile_file_read(&file) != CFG_LOADED) {
        *err = file.err;
        profile_file_finish(&file);
        return false;
    }
    const char *default_name = environment_get(environment, "DATABRICKS_CONFIG_PROFILE");
    if (default_name == NULL)
        default_name = profile_file_default(&file);
    *ret_list = (struct profile_list){
        .path = xstrdup(file.shown),
        .readable_by_others = file.cfg->readable_by_others,
        .items = xcalloc(file.cfg->count + 1, sizeof ret_list->items[0]),
        .count = file.cfg->count,
    };
    for (size_t i = 0; i < file.cfg->count; i++)
        ret_list->items[i] = sum_up(&file.cfg->profiles[i], default_name);
    profile_file_finish(&file);
    return true;
}

static json_t *text_or_null(const char *text)
{
    return text != NULL ? printable_json(text) : json_null();
}

static json_t *summary_json(const struct profile_summary *summary)
{
    json_t *object = json_object();
    json_object_set_new(object, "name", printable_json(summary->name));
    json_object_set_new(object, "line", json_integer(summary->line));
    json_object_set_new(object, "default", json_boolean(summary->is_default));
    json_object_set_new(object, "host", text_or_null(summary->host));
    json_object_set_new(object, "auth_type", text_or_null(summary->auth_type));
    json_object_set_new(object, "cluster_id", text_or_null(summary->cluster_id));
    json_object_set_new(object, "serverless", json_boolean(summary->serverless));
    json_object_set_new(object, "problem", text_or_null(summary->problem));
    return object;
}

char *profile_list_json(const struct profile_list *list)
{
    json_t *object = json_object(), *profiles = json_array();
    json_object_set_new(object, "file", printable_json(list->path));
    json_object_set_new(object, "readable_by_others", json_boolean(list->readable_by_others));
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(profiles, summary_json(&list->items[i]));
    json_object_set_new(object, "profiles", profiles);
    char *text = json_dumps(object, JSON_INDENT(2));
    json_decref(object);
    char *line = xasprintf("%s\n", text != NULL ? text : "null");
    free(text);
    return line;
}

enum { COLUMNS = 5 };

/* The cells of a row, each the caller's to free. */
static void fill_row(const struct profile_summary *summary, char *cells[COLUMNS])
{
    char *compute = summary->cluster_id != NULL ? xasprintf("cluster %s", summary->cluster_id)
                    : summary->serverless       ? xstrdup("serverless")
                                                : xstrdup("-");
    char *name = xasprintf("%s%s", summary->name, summary->is_default ? " *" : "");
    cells[0] = printable_text(name);
    cells[1] = printable_text(summary->host != NULL ? summary->host : "-");
    cells[2] = printable_text(summary->auth_type != NULL ? summary->auth_type : "-");
    cells[3] = printable_text(compute);
    cells[4] = printable_text(summary->problem != NULL ? summary->problem : "");
    free(compute);
    free(name);
}

static void append_row(struct strbuf *table, char *const cells[COLUMNS], const int widths[COLUMNS])
{
    for (int i = 0; i < COLUMNS; i++) {
        bool last = i == COLUMNS - 1 || (i == COLUMNS - 2 && cells[COLUMNS - 1][0] == '\0');
        strbuf_append_format(table, "%-*s", last ? 0 : widths[i] + 2, cells[i]);
        if (last)
            break;
    }
    strbuf_append_char(table, '\n');
}

char *profile_list_table(const struct profile_list *list)
{
    static const char *const titles[COLUMNS] = {"profile", "host", "credential", "compute",
                                                "problem"};
    char *(*rows)[COLUMNS] = xcalloc(list->count + 1, sizeof rows[0]);
    int widths[COLUMNS] = {0};
    bool any_problem = false;
    for (int j = 0; j < COLUMNS; j++)
        rows[0][j] = xstrdup(titles[j]);
    for (size_t i = 0; i < list->count; i++) {
        fill_row(&list->items[i], rows[i + 1]);
        any_problem = any_problem || list->items[i].problem != NULL;
    }
    for (size_t i = 0; i <= list->count; i++)
        for (int j = 0; j < COLUMNS; j++)
            if ((int)strlen(rows[i][j]) > widths[j])
                widths[j] = (int)strlen(rows[i][j]);
    if (!any_problem)
        rows[0][COLUMNS - 1][0] = '\0';
    struct strbuf table = {.limit = 16 << 20};
    for (size_t i = 0; i <= list->count; i++) {
        append_row(&table, rows[i], widths);
        for (int j = 0; j < COLUMNS; j++)
            free(rows[i][j]);
    }
    free(rows);
    strbuf_append_text(&table, "\n* the profile that is taken where none is named\n");
    return strbuf_take(&table);
}

static void summary_finish(struct profile_summary *summary)
{
    free(summary->name);
    free(summary->host);
    free(summary->auth_type);
    free(summary->cluster_id);
    free(summary->problem);
}

void profile_list_finish(struct profile_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        summary_finish(&list->items[i]);
    free(list->items);
    free(list->path);
    *list = (struct profile_list){0};
}
