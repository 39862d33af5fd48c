/* Which users of the machine may use a listener. */
#include "conf/peer_users.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "conf/diag.h"
#include "conf/values.h"

/* A group's entry has all its members in it. */
enum { ENTRY_BYTES = 1 << 20 };

static bool find_user(const char *name, const char *forms, uid_t *ret_uid, struct err *err)
{
    struct passwd entry, *found = NULL;
    char *buffer = xcalloc(1, ENTRY_BYTES);
    int error = getpwnam_r(name, &entry, buffer, ENTRY_BYTES, &found);
    if (found != NULL)
        *ret_uid = entry.pw_uid;
    free(buffer);
    if (found != NULL)
        return true;
    if (error != 0 && error != ENOENT && error != ESRCH)
        return err_set(err, EX_CONFIG, "the user %s cannot be looked up: %s", diag_quote(name).text,
                       strerror(error));
    return err_set(err, EX_CONFIG, "there is no user %s on this machine; write %s",
                   diag_quote(name).text, forms);
}

static bool find_group(const char *name, gid_t *ret_gid, struct err *err)
{
    struct group entry, *found = NULL;
    char *buffer = xcalloc(1, ENTRY_BYTES);
    int error = getgrnam_r(name, &entry, buffer, ENTRY_BYTES, &found);
    if (found != NULL)
        *ret_gid = entry.gr_gid;
    free(buffer);
    if (found != NULL)
        return true;
    if (error != 0 && error != ENOENT && error != ESRCH)
        return err_set(err, EX_CONFIG, "the group %s cannot be looked up: %s",
                       diag_quote(name).text, strerror(error));
    return err_set(err, EX_CONFIG, "there is no group %s on this machine", diag_quote(name).text);
}

static bool read_id(const char *text, uid_t *ret_uid, struct err *err)
{
    const struct value_range range = {0, UINT32_MAX - 1}; /* the last one means "none" */
    int64_t number;
    if (!value_integer(text, range, &number, err))
        return err_prefix(err, "a user id follows the #: ");
    *ret_uid = (uid_t)number;
    return true;
}

bool peer_user_parse(const char *text, const char *forms, struct peer_user *ret_user,
                     struct err *err)
{
    struct peer_user user = {.kind = PEER_USER_ID};
    bool ok = true;
    if (strcmp(text, "any") == 0) {
        user.kind = PEER_USER_ANY;
    } else if (strcmp(text, "self") == 0) {
        user.uid = geteuid();
    } else if (text[0] == '#') {
        ok = read_id(text + 1, &user.uid, err);
    } else if (text[0] == '@') {
        user.kind = PEER_USER_GROUP;
        ok = find_group(text + 1, &user.gid, err);
    } else {
        ok = find_user(text, forms, &user.uid, err);
    }
    if (!ok)
        return false;
    user.text = xstrdup(text);
    *ret_user = user;
    return true;
}

bool peer_users_add(struct peer_users *users, const char *text, struct err *err)
{
    static const char forms[] = "a user name, \"#UID\", \"@GROUP\", self or any";
    struct peer_user user;
    if (users->count == PEER_USERS_MAX)
        return err_set(err, EX_CONFIG, "is one too many, there may be %d; put them into a group",
                       PEER_USERS_MAX);
    if (!peer_user_parse(text, forms, &user, err))
        return false;
    users->items = xrealloc(users->items, (users->count + 1) * sizeof users->items[0]);
    users->items[users->count++] = user;
    return true;
}

bool peer_users_any(const struct peer_users *users)
{
    for (size_t i = 0; i < users->count; i++)
        if (users->items[i].kind == PEER_USER_ANY)
            return true;
    return false;
}

bool peer_users_have(const struct peer_users *users, uid_t uid)
{
    for (size_t i = 0; i < users->count; i++)
        if (users->items[i].kind == PEER_USER_ID && users->items[i].uid == uid)
            return true;
    return false;
}

bool peer_users_have_group(const struct peer_users *users, gid_t gid)
{
    for (size_t i = 0; i < users->count; i++)
        if (users->items[i].kind == PEER_USER_GROUP && users->items[i].gid == gid)
            return true;
    return false;
}

bool peer_users_name_groups(const struct peer_users *users)
{
    for (size_t i = 0; i < users->count; i++)
        if (users->items[i].kind == PEER_USER_GROUP)
            return true;
    return false;
}

void peer_users_describe(const struct peer_users *users, struct strbuf *out)
{
    for (size_t i = 0; i < users->count; i++) {
        const struct peer_user *user = &users->items[i];
        strbuf_append_text(out, i > 0 ? ", " : "");
        if (strcmp(user->text, "self") == 0)
            strbuf_append_format(out, "the user who runs it (uid %u)", (unsigned)user->uid);
        else
            strbuf_append_text(out, user->text);
    }
}

bool peer_users_equal(const struct peer_users *a, const struct peer_users *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->items[i].kind != b->items[i].kind || a->items[i].uid != b->items[i].uid ||
            a->items[i].gid != b->items[i].gid)
            return false;
    return true;
}

void peer_users_finish(struct peer_users *users)
{
    for (size_t i = 0; i < users->count; i++)
        free(users->items[i].text);
    free(users->items);
    *users = (struct peer_users){0};
}
