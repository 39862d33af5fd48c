/* `sparkbridge explain`: each connection value and where it comes from. */
#include <jansson.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/strbuf.h"
#include "conf/config.h"
#include "conf/explain.h"
#include "conf/printable.h"
#include "conf/resolve.h"
#include "daemon/command.h"
#include "daemon/grant_request.h"

enum { TEXT_MAX_BYTES = 64 * 1024 * 1024 }; /* more than all rows with all profiles take */

/* What is said of one listener, as JSON or as a table. */
struct page {
    const struct config *config;
    const struct listener_config *listener;
    char *const *environment;
    struct strbuf text;
    json_t *grants; /* owned */
    bool complete;
};

/* The answer to one request. An incomplete one is an answer, too: shown, and told by the exit
 * status. */
struct answer {
    struct resolve_result result, sdk; /* `sdk` where both resolutions are compared */
    bool compare, complete;
};

/* Whose block of a page it is. */
struct block {
    const struct peer_row *row; /* NULL: the listener's, for all of its users */
    const char *path;           /* the row's file */
    int profile;                /* that the client chooses, or GRANT_OWN_PROFILE */
};

/* ---- answers -------------------------------------------------------------------------------- */

static void ask(struct resolve_request *request, bool compare, struct answer *ret_answer)
{
    *ret_answer = (struct answer){.compare = compare};
    if (compare)
        request->resolution = RESOLUTION_DOCUMENTED;
    ret_answer->complete = resolve(request, &ret_answer->result);
    if (!compare)
        return;
    request->resolution = RESOLUTION_SDK;
    ret_answer->complete = resolve(request, &ret_answer->sdk) && ret_answer->complete;
}

/* There is nothing to ask with, as where a token file cannot be read: an answer as well. */
static void fail(const char *kind, const struct err *err, struct answer *ret_answer)
{
    *ret_answer = (struct answer){
        .result = {.error_kind = kind, .err = *err, .found = binding_create()},
    };
}

static void answer_finish(struct answer *answer)
{
    resolve_result_finish(&answer->result);
    if (answer->compare)
        resolve_result_finish(&answer->sdk);
}

static json_t *answer_json(const struct answer *answer)
{
    return answer->compare ? explain_compare_json(&answer->result, &answer->sdk)
                           : explain_json(&answer->result);
}

static void append_answer(struct strbuf *out, const struct answer *answer)
{
    char *table = answer->compare ? explain_compare_table(&answer->result, &answer->sdk)
                                  : explain_table(&answer->result);
    strbuf_append_text(out, table);
    free(table);
}

static void answer_plain(const struct page *page, int profile, struct answer *ret_answer)
{
    struct grant_request request;
    struct err err = {0};
    if (!grant_request_plain(page->listener, page->environment, &request, &err)) {
        fail("credential", &err, ret_answer);
        return;
    }
    grant_request_choose(&request, page->listener->peers, profile);
    ask(&request.request, page->config->compare, ret_answer);
    grant_request_finish(&request);
}

/* ---- blocks --------------------------------------------------------------------------------- */

static const char *chosen(const struct page *page, const struct block *block)
{
    const struct peer_policy *peers = page->listener->peers;
    return block->profile == GRANT_OWN_PROFILE ? NULL : peers->client_profiles[block->profile];
}

static void append_title(struct page *page, const struct block *block)
{
    const struct peer_row *row = block->row;
    const char *choice = chosen(page, block);
    const char *profile = choice != NULL || row == NULL ? choice : row->profile;
    struct strbuf title = {0};
    if (row == NULL && choice == NULL)
        strbuf_append_format(&title, "clients without %s", page->listener->peers->client_header);
    else if (row == NULL)
        strbuf_append_format(&title, "clients that choose profile %s by %s", choice,
                             page->listener->peers->client_header);
    else
        strbuf_append_format(&title, "%s%s%s%s: %s%s of %s (%s)",
                             row->is_default ? "every other user" : "user ",
                             row->is_default ? "" : row->user, choice != NULL ? ", by " : "",
                             choice != NULL ? page->listener->peers->client_header : "",
                             profile != NULL ? "profile " : "the default profile",
                             profile != NULL ? profile : "", block->path, row->place);
    char *clean = printable_text(strbuf_text(&title));
    strbuf_append_format(&page->text, "%s%s\n", page->text.len > 0 ? "\n" : "", clean);
    free(clean);
    strbuf_finish(&title);
}

static json_t *text_or_null(const char *text)
{
    return text != NULL ? printable_json(text) : json_null();
}

/* `answer` is NULL where each user's is found when he connects. */
static void add_block(struct page *page, const struct block *block, const struct answer *answer)
{
    const struct peer_row *row = block->row;
    append_title(page, block);
    if (answer != NULL)
        append_answer(&page->text, answer);
    else
        strbuf_append_text(&page->text, "looked for when a user connects: %u is the user's name, "
                                        "%U the user id\n");
    json_t *grant = json_object();
    json_object_set_new(grant, "user", text_or_null(row != NULL ? row->user : NULL));
    json_object_set_new(grant, "uid",
                        row != NULL && !row->is_default ? json_integer(row->uid) : json_null());
    json_object_set_new(grant, "config_file", text_or_null(block->path));
    json_object_set_new(grant, "client_profile", text_or_null(chosen(page, block)));
    json_object_set_new(grant, "binding", answer != NULL ? answer_json(answer) : json_null());
    json_array_append_new(page->grants, grant);
    if (answer != NULL && !answer->complete)
        page->complete = false;
}

static void add_row_block(struct page *page, const struct peer_row *row, int profile)
{
    const struct passwd *entry = row->is_default ? NULL : getpwuid(row->uid);
    const struct grant_user user = {row->uid, entry != NULL ? entry->pw_name : NULL};
    struct block block = {row, row->config_file, profile};
    struct grant_request request = {0};
    struct answer answer;
    struct err err = {0};
    if (row->is_default && peer_row_names_user(row)) {
        add_block(page, &block, NULL);
        return;
    }
    if (grant_request_row(row, &user, &request, &err)) {
        block.path = request.path;
        grant_request_choose(&request, page->listener->peers, profile);
        ask(&request.request, page->config->compare, &answer);
    } else {
        fail("profile", &err, &answer);
    }
    add_block(page, &block, &answer);
    answer_finish(&answer);
    grant_request_finish(&request);
}

/* ---- pages ---------------------------------------------------------------------------------- */

/* All users have the same; returns the object for JSON. */
static json_t *explain_plain(struct page *page)
{
    struct answer answer;
    const size_t choices = page->listener->peers->client_profile_count;
    answer_plain(page, GRANT_OWN_PROFILE, &answer);
    json_t *object = answer_json(&answer);
    if (choices > 0)
        append_title(page, &(struct block){.profile = GRANT_OWN_PROFILE});
    else
        page->complete = answer.complete; /* else clients may have to choose: no fault */
    append_answer(&page->text, &answer);
    answer_finish(&answer);
    for (int profile = 0; profile < (int)choices; profile++) {
        answer_plain(page, profile, &answer);
        add_block(page, &(struct block){.profile = profile}, &answer);
        answer_finish(&answer);
    }
    if (choices > 0)
        json_object_set(object, "grants", page->grants);
    return object;
}

static json_t *explain_rows(struct page *page)
{
    const struct peer_policy *peers = page->listener->peers;
    for (size_t i = 0; i < peers->row_count; i++)
        for (int profile = GRANT_OWN_PROFILE; profile < (int)peers->client_profile_count; profile++)
            add_row_block(page, &peers->rows[i], profile);
    return json_pack("{s:b, s:O}", "complete", page->complete, "grants", page->grants);
}

static int explain_listener(const struct config *config, const struct listener_config *listener,
                            char **environment)
{
    struct page page = {
        .config = config,
        .listener = listener,
        .environment = environment,
        .text = {.limit = TEXT_MAX_BYTES},
        .grants = json_array(),
        .complete = true,
    };
    json_t *object = listener->peers->row_count > 0 ? explain_rows(&page) : explain_plain(&page);
    char *text = strbuf_take(&page.text);
    if (config->json) {
        char *dumped = json_dumps(object, JSON_INDENT(2));
        free(text);
        text = xasprintf("%s\n", dumped);
        free(dumped);
    }
    json_decref(object);
    json_decref(page.grants);
    return command_print(text, page.complete ? EX_OK : EX_CONFIG);
}

static int explain_all(const struct config *config, char **environment)
{
    int status = EX_OK;
    if (config->json && config->listener_count > 1) {
        fprintf(stderr, "%s has %zu listeners: name one by --listener for --json\n",
                config->config_path, config->listener_count);
        return EX_USAGE;
    }
    for (size_t i = 0; i < config->listener_count; i++) {
        if (config->listener_count > 1) {
            char *title =
                xasprintf("%slistener %s\n\n", i > 0 ? "\n" : "", config->listeners[i].name);
            if (command_print(title, EX_OK) != EX_OK)
                return EX_IOERR;
        }
        int one = explain_listener(config, &config->listeners[i], environment);
        status = status == EX_OK ? one : status;
    }
    return status;
}

int command_explain(int argc, char **argv, char **environment)
{
    struct config *config = NULL;
    int status = command_load_config(argc, argv, environment, &config);
    if (config != NULL)
        status = explain_all(config, environment);
    config_destroy(config);
    return status;
}
