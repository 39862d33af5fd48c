/* What the system's user database says of a user, asked in a thread. */
#include "daemon/user.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/alloc.h"

enum { ENTRY_BYTES = 64 * 1024 };

struct user_lookup {
    struct worker_task task;
    uid_t uid;
    struct user *answer; /* owned until it is handed over */
    void (*on_found)(void *owner, struct user *user);
    void *owner; /* weak */
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

static void on_work(struct worker_task *task)
{
    struct user_lookup *lookup = container_of(task, struct user_lookup, task);
    struct passwd entry, *found = NULL;
    char *buffer = xcalloc(1, ENTRY_BYTES);
    if (getpwuid_r(lookup->uid, &entry, buffer, ENTRY_BYTES, &found) == 0 && found != NULL) {
        lookup->answer->name = xstrdup(entry.pw_name);
        read_groups(lookup->answer, entry.pw_gid);
    }
    free(buffer);
}

static void on_done(struct worker_task *task)
{
    struct user_lookup *lookup = container_of(task, struct user_lookup, task);
    struct user *answer = lookup->answer;
    lookup->answer = NULL;
    lookup->on_found(lookup->owner, answer);
}

static void on_drop(struct worker_task *task)
{
    struct user_lookup *lookup = container_of(task, struct user_lookup, task);
    user_destroy(lookup->answer);
    free(lookup);
}

struct user_lookup *user_lookup_start(struct workers *workers, uid_t uid,
                                      void (*on_found)(void *owner, struct user *user), void *owner)
{
    struct user_lookup *lookup = xcalloc(1, sizeof *lookup);
    lookup->task = (struct worker_task){.work = on_work, .done = on_done, .drop = on_drop};
    lookup->uid = uid;
    lookup->answer = xcalloc(1, sizeof *lookup->answer);
    lookup->on_found = on_found;
    lookup->owner = owner;
    if (workers_start(workers, &lookup->task) < 0) {
        user_destroy(lookup->answer);
        lookup->answer = NULL;
        workers_report(workers, &lookup->task);
    }
    return lookup;
}

void user_lookup_forget(struct user_lookup *lookup)
{
    worker_task_abandon(&lookup->task);
}
