/* What the system's user database says of a user, asked in the thread pool. */
#include "daemon/user.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/alloc.h"

enum { ENTRY_BYTES = 64 * 1024 };

struct user_lookup {
    uv_work_t work;
    uid_t uid;
    struct user *answer; /* owned until it is handed over */
    void (*on_found)(void *owner, struct user *user);
    void *owner; /* weak */
    bool forgotten;
};

void user_destroy(struct user *user)
{
    if (user == NULL)
        return;
    free(user->name);
    free(user->groups);
    free(user);
}

static void read_groups(struct user *user, gid_t primary)
{
    int count = USER_MAX_GROUPS;
    user->groups = xcalloc(USER_MAX_GROUPS, sizeof user->groups[0]);
    /* Where there are more it says how many, and has filled what there is room for. */
    if (getgrouplist(user->name, primary, user->groups, &count) < 0)
        count = USER_MAX_GROUPS;
    user->group_count = (size_t)count;
}

/* In a thread of the pool. */
static void on_work(uv_work_t *work)
{
    struct user_lookup *lookup = work->data;
    struct passwd entry, *found = NULL;
    char *buffer = xcalloc(1, ENTRY_BYTES);
    if (getpwuid_r(lookup->uid, &entry, buffer, ENTRY_BYTES, &found) == 0 && found != NULL) {
        lookup->answer->name = xstrdup(entry.pw_name);
        read_groups(lookup->answer, entry.pw_gid);
    }
    free(buffer);
}

static void on_worked(uv_work_t *work, int status)
{
    struct user_lookup *lookup = work->data;
    if (lookup->forgotten)
        user_destroy(lookup->answer);
    else
        lookup->on_found(lookup->owner, lookup->answer);
    free(lookup);
}

struct user_lookup *user_lookup_start(uv_loop_t *loop, uid_t uid,
                                      void (*on_found)(void *owner, struct user *user), void *owner)
{
    struct user_lookup *lookup = xcalloc(1, sizeof *lookup);
    lookup->work.data = lookup;
    lookup->uid = uid;
    lookup->answer = xcalloc(1, sizeof *lookup->answer);
    lookup->on_found = on_found;
    lookup->owner = owner;
    uv_queue_work(loop, &lookup->work, on_work, on_worked);
    return lookup;
}

void user_lookup_forget(struct user_lookup *lookup)
{
    lookup->forgotten = true;
    uv_cancel((uv_req_t *)&lookup->work); /* where it has not begun; on_worked comes either way */
}
