/* What a listener grants to whom. */
#include "conf/peer_policy.h"

#include <ctype.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "conf/diag.h"

/* Below are the system's own users, whose "homes" are directories such as /bin. */
enum { FIRST_PERSON_UID = 1000 };

struct peer_policy *peer_policy_create(void)
{
    struct peer_policy *policy = xcalloc(1, sizeof *policy);
    policy->refs = 1;
    return policy;
}

struct peer_policy *peer_policy_ref(struct peer_policy *policy)
{
    policy->refs++;
    return policy;
}

void peer_policy_unref(struct peer_policy *policy)
{
    if (policy == NULL || --policy->refs > 0)
        return;
    peer_users_finish(&policy->users);
    for (size_t i = 0; i < policy->row_count; i++) {
        free(policy->rows[i].user);
        free(policy->rows[i].place);
        free(policy->rows[i].config_file);
        free(policy->rows[i].profile);
        free(policy->rows[i].profile_source);
    }
    free(policy->rows);
    for (size_t i = 0; i < policy->client_profile_count; i++)
        free(policy->client_profiles[i]);
    free(policy->client_profiles);
    free(policy->client_header);
    free(policy);
}

static bool text_equal(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool row_equal(const struct peer_row *a, const struct peer_row *b)
{
    return a->is_default == b->is_default && a->uid == b->uid &&
           text_equal(a->config_file, b->config_file) && text_equal(a->profile, b->profile);
}

bool peer_policy_equal(const struct peer_policy *a, const struct peer_policy *b)
{
    if (!peer_users_equal(&a->users, &b->users) || a->row_count != b->row_count ||
        a->client_profile_count != b->client_profile_count ||
        !text_equal(a->client_header, b->client_header))
        return false;
    for (size_t i = 0; i < a->row_count; i++)
        if (!row_equal(&a->rows[i], &b->rows[i]))
            return false;
    for (size_t i = 0; i < a->client_profile_count; i++)
        if (strcmp(a->client_profiles[i], b->client_profiles[i]) != 0)
            return false;
    return true;
}

static bool read_row_user(const char *text, struct peer_row *row, struct err *err)
{
    static const char forms[] = "a user name, \"#UID\", self or default";
    struct peer_user user = {0};
    row->is_default = strcmp(text, "default") == 0;
    if (row->is_default)
        return true;
    if (!peer_user_parse(text, forms, &user, err))
        return false;
    free(user.text);
    row->uid = user.uid;
    if (user.kind != PEER_USER_ID)
        return err_set(err, EX_CONFIG, "%s is no single user; write %s", diag_quote(text).text,
                       forms);
    return true;
}

bool peer_policy_add_row(struct peer_policy *policy, const char *user, const char *place,
                         struct err *err)
{
    struct peer_row row = {.user = xstrdup(user), .place = xstrdup(place)};
    bool ok = read_row_user(user, &row, err);
    for (size_t i = 0; ok && i < policy->row_count; i++)
        if (policy->rows[i].is_default == row.is_default && policy->rows[i].uid == row.uid)
            ok = err_set(err, EX_CONFIG, "the user of %s has a row already, %s",
                         diag_quote(user).text, diag_quote(policy->rows[i].user).text);
    policy->rows = xrealloc(policy->rows, (policy->row_count + 1) * sizeof policy->rows[0]);
    policy->rows[policy->row_count++] = row;
    return ok;
}

bool peer_policy_add_client_profile(struct peer_policy *policy, const char *name, struct err *err)
{
    if (policy->client_profile_count == CLIENT_PROFILES_MAX)
        return err_set(err, EX_CONFIG, "is one profile too many, there may be %d",
                       CLIENT_PROFILES_MAX);
    if (peer_policy_client_profile(policy, name) >= 0)
        return err_set(err, EX_CONFIG, "%s stands there twice", diag_quote(name).text);
    policy->client_profiles =
        /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers it is */
        xrealloc(policy->client_profiles,
                 (policy->client_profile_count + 1) * sizeof policy->client_profiles[0]);
    policy->client_profiles[policy->client_profile_count++] = xstrdup(name);
    return true;
}

/* A name that nothing else means: HTTP/2 has lower case only, gRPC's -bin is encoded. */
bool peer_policy_set_client_header(struct peer_policy *policy, const char *name, struct err *err)
{
    size_t len = strlen(name);
    if (len < 3 || len > CLIENT_HEADER_MAX_BYTES || strncmp(name, "x-", 2) != 0 ||
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != len ||
        strncmp(name, "x-databricks-", strlen("x-databricks-")) == 0 ||
        (len >= 4 && strcmp(name + len - 4, "-bin") == 0))
        return err_set(err, EX_CONFIG,
                       "%s has to begin with x- and to go on with at most %d small letters, digits "
                       "and hyphens, and not to be x-databricks-... or ...-bin",
                       diag_quote(name).text, CLIENT_HEADER_MAX_BYTES - 2);
    free(policy->client_header);
    policy->client_header = xstrdup(name);
    return true;
}

const struct peer_row *peer_policy_row(const struct peer_policy *policy, uid_t uid)
{
    const struct peer_row *fallback = NULL;
    for (size_t i = 0; i < policy->row_count; i++) {
        if (policy->rows[i].is_default)
            fallback = &policy->rows[i];
        else if (policy->rows[i].uid == uid)
            return &policy->rows[i];
    }
    return fallback;
}

bool peer_policy_needs_lookup(const struct peer_policy *policy, uid_t uid)
{
    const struct peer_users *users = &policy->users;
    const struct peer_row *row = peer_policy_row(policy, uid);
    if (!peer_users_any(users) && !peer_users_have(users, uid) && peer_users_name_groups(users))
        return true;
    return row != NULL && row->config_file != NULL && strstr(row->config_file, "%u") != NULL;
}

int peer_policy_client_profile(const struct peer_policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->client_profile_count; i++)
        if (strcmp(policy->client_profiles[i], name) == 0)
            return (int)i;
    return -1;
}

/* A name is one component of a path and nothing else. */
static bool is_plain_name(const char *name)
{
    if (name[0] == '\0' || name[0] == '.' || name[0] == '-')
        return false;
    for (const char *c = name; *c != '\0'; c++)
        if (!isascii((unsigned char)*c) ||
            (!isalnum((unsigned char)*c) && strchr("-_.@", *c) == NULL))
            return false;
    return true;
}

char *peer_row_path(const struct peer_row *row, uid_t uid, const char *name, struct err *err)
{
    struct strbuf path = {.limit = 4096};
    for (const char *c = row->config_file; *c != '\0'; c++) {
        if (*c != '%') {
            strbuf_append_char(&path, *c);
            continue;
        }
        c++;
        if (*c == 'u' && (name == NULL || !is_plain_name(name))) {
            strbuf_finish(&path);
            err_set(err, EX_CONFIG, "the user with uid %u has no name that can stand for %%u in %s",
                    (unsigned)uid, row->config_file);
            return NULL;
        }
        if (*c == 'u')
            strbuf_append_text(&path, name);
        else if (*c == 'U')
            strbuf_append_format(&path, "%u", (unsigned)uid);
        else if (*c == '%')
            strbuf_append_char(&path, '%');
        else {
            strbuf_finish(&path);
            err_set(err, EX_CONFIG, "only %%u, %%U and %%%% are understood behind a %% in %s",
                    row->config_file);
            return NULL;
        }
    }
    return strbuf_take(&path);
}

bool peer_row_names_user(const struct peer_row *row)
{
    const char *c = row->config_file;
    while ((c = strchr(c, '%')) != NULL && c[1] == '%')
        c += 2;
    return c != NULL;
}

/* Is the path below the directory? The path need not exist, so its longest part that does counts.
 */
static bool is_inside(const char *path, const char *directory)
{
    char *real_directory = realpath(directory, NULL);
    char *part = xstrdup(path), *real_part = NULL;
    while (real_directory != NULL && (real_part = realpath(part, NULL)) == NULL) {
        char *slash = strrchr(part, '/');
        if (slash == NULL || slash == part)
            break;
        *slash = '\0';
    }
    bool inside = false;
    if (real_directory != NULL && real_part != NULL && real_directory[1] != '\0') {
        size_t len = strlen(real_directory);
        inside = strncmp(real_part, real_directory, len) == 0 &&
                 (real_part[len] == '/' || real_part[len] == '\0');
    }
    free(real_directory);
    free(real_part);
    free(part);
    return inside;
}

bool peer_row_check_homes(const struct peer_row *row, struct err *err)
{
    const struct passwd *entry;
    bool ok = true;
    setpwent();
    while (ok && (entry = getpwent()) != NULL) {
        if (entry->pw_uid < FIRST_PERSON_UID || entry->pw_uid == geteuid())
            continue;
        char *path =
            peer_row_path(row, row->is_default ? entry->pw_uid : row->uid, entry->pw_name, NULL);
        if (path != NULL && is_inside(path, entry->pw_dir))
            ok =
                err_set(err, EX_CONFIG,
                        "%s is inside the home of %s, who could make it lead anywhere; put it into "
                        "a directory of root's or of the daemon's user",
                        diag_quote(path).text, entry->pw_name);
        free(path);
    }
    endpwent();
    return ok;
}
