/* The paths that the daemon needs after its start: its configuration, and what the C library, the
 * name services and OpenSSL open when they like. */
#include <libgen.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "conf/environment.h"
#include "conf/profile_file.h"
#include "daemon/sandbox.h"

/* Directories, because a file that another program replaces by a new one must stay readable. So
 * /etc as a whole: resolv.conf is replaced whenever the network changes, and the file modes still
 * protect what is in it. */
static const char *const system_paths[] = {
    "/etc",
    /* libraries: modules of the name services, and libcurl, are loaded late */
    "/lib",
    "/lib32",
    "/lib64",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/local/lib",
    /* certificates that /etc/ssl points to */
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/var/lib/ca-certificates",
    /* where resolv.conf points to, and the files of name services */
    "/run/systemd/resolve",
    "/run/systemd/userdb",
    "/run/resolvconf",
    "/run/NetworkManager",
    "/run/connman",
    "/run/nscd",
    "/var/cache/nscd",
    "/var/lib/sss",
    "/var/lib/extrausers",
    /* the program's own state for `status`, and the name of a peer's program; of processes outside
     * of the sandbox Landlock hides what ptrace(2) would show */
    "/proc",
    "/sys/devices/system/cpu",
    "/dev/urandom",
    "/dev/random",
};

static void add(struct sandbox_paths *all, char **paths, size_t *count, const char *path)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(paths[i], path) == 0)
            return;
    if (*count < SANDBOX_MAX_PATHS) {
        paths[(*count)++] = xstrdup(path);
        return;
    }
    if (all->left_out++ == 0)
        all->first_left_out = xstrdup(path);
}

static void add_read(struct sandbox_paths *paths, const char *path)
{
    add(paths, paths->read, &paths->read_count, path);
}

/* NULL is no path. */
static void add_read_directory(struct sandbox_paths *paths, const char *file)
{
    if (file == NULL)
        return;
    char *copy = xstrdup(file);
    add_read(paths, dirname(copy));
    free(copy);
}

/* Where the file is a link, the directory that it leads to as well: Landlock looks at that one.
 * That of the link is for a file that takes its place. */
static void add_file(struct sandbox_paths *paths, const char *file)
{
    add_read_directory(paths, file);
    char *real = file != NULL ? realpath(file, NULL) : NULL;
    add_read_directory(paths, real);
    free(real);
}

static void add_socket(struct sandbox_paths *paths, const char *path)
{
    if (path == NULL)
        return;
    char *copy = xstrdup(path);
    add(paths, paths->sockets, &paths->sockets_count, dirname(copy));
    free(copy);
}

/* As OpenSSL reads SSL_CERT_DIR: X509_LOOKUP_hash_dir(3). */
static void add_directories(struct sandbox_paths *paths, const char *separated)
{
    if (separated == NULL)
        return;
    char *copy = xstrdup(separated), *rest = copy;
    for (char *one; (one = strsep(&rest, ":")) != NULL;)
        if (one[0] != '\0')
            add_read(paths, one);
    free(copy);
}

/* The directory that the files of all of a row's users are below. Links are not followed to them:
 * conf/trusted_file.h. */
static void add_row(const struct peer_row *row, struct sandbox_paths *paths)
{
    size_t fixed = strcspn(row->config_file, "%");
    char *one = xasprintf("%.*s_", (int)fixed, row->config_file);
    add_read_directory(paths, one);
    free(one);
}

/* Of a preloaded library, and of systems that keep theirs elsewhere. */
static int on_library(struct dl_phdr_info *info, size_t size, void *user_data)
{
    struct sandbox_paths *paths = user_data;
    if (strchr(info->dlpi_name, '/') != NULL)
        add_file(paths, info->dlpi_name);
    return 0;
}

static void add_listener(const struct listener_config *listener, char *const *environment,
                         struct sandbox_paths *paths)
{
    struct profile_file profiles;
    profile_file_init(&profiles, listener->config_file, environment);
    add_file(paths, profiles.path);
    profile_file_finish(&profiles);
    add_file(paths, listener->token_file);
    add_file(paths, listener->client_secret_file);
    for (size_t i = 0; i < listener->peers->row_count; i++)
        add_row(&listener->peers->rows[i], paths);
    for (size_t i = 0; i < listener->address_count; i++)
        add_socket(paths, listener->addresses[i].path);
}

void sandbox_paths_collect(const struct setup *setup, const char *control_path,
                           char *const *environment, struct sandbox_paths *ret_paths)
{
    const struct config *config = setup->config;
    *ret_paths = (struct sandbox_paths){0};
    for (size_t i = 0; i < sizeof system_paths / sizeof system_paths[0]; i++)
        add_read(ret_paths, system_paths[i]);
    add_socket(ret_paths, control_path);
    for (size_t i = 0; i < config->sandbox_read.count; i++)
        add_read(ret_paths, config->sandbox_read.items[i]);
    add_file(ret_paths, config->config_path);
    add_file(ret_paths, config->ca_file);
    add_file(ret_paths, config->client_cert);
    add_file(ret_paths, config->client_key);
    add_file(ret_paths, environment_get(environment, "SSL_CERT_FILE"));
    add_directories(ret_paths, environment_get(environment, "SSL_CERT_DIR"));
    for (size_t i = 0; i < config->listener_count; i++)
        add_listener(&config->listeners[i], environment, ret_paths);
    dl_iterate_phdr(on_library, ret_paths);
}

void sandbox_paths_finish(struct sandbox_paths *paths)
{
    for (size_t i = 0; i < paths->read_count; i++)
        free(paths->read[i]);
    for (size_t i = 0; i < paths->sockets_count; i++)
        free(paths->sockets[i]);
    free(paths->first_left_out);
    *paths = (struct sandbox_paths){0};
}
