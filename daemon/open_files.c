/* How many files the process has open. */
#include "daemon/open_files.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static bool begins_with(DIR *directory, const char *name, const char *path)
{
    char target[PATH_MAX];
    ssize_t len = readlinkat(dirfd(directory), name, target, sizeof target - 1);
    if (len < 0)
        return false;
    target[len] = '\0';
    return strncmp(target, path, strlen(path)) == 0;
}

size_t open_files(const char *except)
{
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL)
        return 0;
    size_t count = 0;
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL)
        if (entry->d_name[0] != '.' &&
            (except == NULL || !begins_with(directory, entry->d_name, except)))
            count++;
    closedir(directory);
    return count - 1; /* without the directory's own */
}
