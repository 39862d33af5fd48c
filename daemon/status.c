/* The state of the running daemon as JSON. */
#include "daemon/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/secret_memory.h"
#include "conf/printable.h"
#include "conf/token_expiry.h"

static json_t *time_json(time_t at)
{
    char stamp[TOKEN_EXPIRY_TEXT_SIZE];
    if (at == 0)
        return json_null();
    token_expiry_text(at, stamp);
    return json_string(stamp);
}

/* What files, paths and variables say may be no UTF-8. */
static json_t *text_json(const char *text)
{
    return text != NULL ? printable_json(text) : json_null();
}

/* ---- what is served ------------------------------------------------------------------------- */

static json_t *binding_json(const struct binding *binding)
{
    char fingerprint[SECRET_FINGERPRINT_SIZE] = "";
    if (secret_is_set(&binding->token))
        secret_fingerprint(&binding->token, fingerprint);
    return json_pack(
        "{s:o, s:i, s:o, s:s?, s:s?, s:o, s:o, s:s, s:o, s:o}", "host", text_json(binding->host),
        "port", (int)binding->port, "host_source", text_json(binding->host_source), "auth_type",
        binding->auth_type, "token_sha256", fingerprint[0] != '\0' ? fingerprint : NULL,
        "token_source", text_json(binding->token_source), "token_expires",
        time_json(binding->token_expires), "compute", binding_compute_name(binding), "cluster_id",
        text_json(binding->cluster_id), "compute_source", text_json(binding->compute_source));
}

static void add_address(void *arg, const char *address)
{
    json_array_append_new(arg, text_json(address));
}

struct grants {
    json_t *array;
    const struct peer_policy *peers;
};

static void add_grant(void *arg, const struct grant *grant)
{
    const struct grants *grants = arg;
    const struct grant_key *key = &grant->key;
    size_t connections = 0, waiting = 0;
    if (grant->pool != NULL)
        pool_count(grant->pool, &connections, &waiting);
    const char *profile =
        key->profile != GRANT_OWN_PROFILE ? grants->peers->client_profiles[key->profile] : NULL;
    json_array_append_new(
        grants->array,
        json_pack("{s:o, s:o, s:o, s:o, s:{s:I, s:I}}", "uid",
                  key->of_user ? json_integer(key->uid) : json_null(), "client_profile",
                  text_json(profile), "binding",
                  grant->binding != NULL ? binding_json(grant->binding) : json_null(), "fault",
                  text_json(grant->fault), "upstream", "connections", (json_int_t)connections,
                  "calls_waiting", (json_int_t)waiting));
}

static void add_listener(void *arg, const char *name, const struct listener *listener,
                         const struct access *access, bool removed)
{
    size_t clients, calls;
    json_t *addresses = json_array();
    struct grants grants = {json_array(), access_peers(access)};
    listener_each_address(listener, add_address, addresses);
    listener_count(listener, &clients, &calls);
    access_each(access, add_grant, &grants);
    json_array_append_new(arg,
                          json_pack("{s:o, s:s, s:o, s:{s:I, s:I}, s:o}", "name", text_json(name),
                                    "state", removed ? "removed" : "serving", "addresses",
                                    addresses, "clients", "connections", (json_int_t)clients,
                                    "calls", (json_int_t)calls, "grants", grants.array));
}

struct tally {
    unsigned listeners, profiles;
    time_t next_expiry; /* of a token; 0: none says when */
};

static void tally_grant(void *arg, const struct grant *grant)
{
    struct tally *tally = arg;
    if (grant->binding == NULL)
        return;
    tally->profiles++;
    time_t expires = grant->binding->token_expires;
    if (expires != 0 && (tally->next_expiry == 0 || expires < tally->next_expiry))
        tally->next_expiry = expires;
}

static void tally_listener(void *arg, const char *name, const struct listener *listener,
                           const struct access *access, bool removed)
{
    struct tally *tally = arg;
    if (removed)
        return;
    tally->listeners++;
    access_each(access, tally_grant, tally);
}

char *status_line(const struct serving *serving)
{
    struct tally tally = {0};
    const struct serving_visitor visitor = {tally_listener, &tally};
    serving_each(serving, &visitor);
    char expires[sizeof ", next token expiry " + TOKEN_EXPIRY_TEXT_SIZE] = "";
    if (tally.next_expiry != 0) {
        char when[TOKEN_EXPIRY_TEXT_SIZE];
        token_expiry_text(tally.next_expiry, when);
        snprintf(expires, sizeof expires, ", next token expiry %s", when);
    }
    return xasprintf("%u listener%s, %u profile%s ready%s", tally.listeners,
                     tally.listeners == 1 ? "" : "s", tally.profiles,
                     tally.profiles == 1 ? "" : "s", expires);
}

/* ---- how guarded ---------------------------------------------------------------------------- */

/* The number behind "NAME:\t" in /proc/self/status, proc(5); -1 where there is none. */
static json_int_t own_status(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at != NULL ? strtoll(at + strlen(name) + 1, NULL, 10) : -1;
}

/* From the kernel, because systemd or a container may have added to our own. Without a descriptor
 * for the file the number of filters is not known: -1. */
static json_t *process_json(void)
{
    char text[4096] = "";
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    if (fd >= 0)
        close(fd);
    text[len > 0 ? len : 0] = '\0';
    struct rlimit core = {0};
    getrlimit(RLIMIT_CORE, &core);
    return json_pack(
        "{s:b, s:b, s:I, s:I}", "no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1,
        "dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0, "core_limit_bytes",
        (json_int_t)core.rlim_cur, "seccomp_filters", own_status(text, "\nSeccomp_filters:"));
}

static json_t *secrets_json(void)
{
    struct secret_memory_usage usage;
    secret_memory_usage(&usage);
    bool locked = usage.locked_bytes == usage.mapped_bytes;
    return json_pack("{s:b, s:I, s:I, s:s?}", "locked", locked, "mapped_bytes",
                     (json_int_t)usage.mapped_bytes, "locked_bytes", (json_int_t)usage.locked_bytes,
                     "reason", locked ? NULL : strerror(usage.lock_error));
}

static json_t *sandbox_json(const struct sandbox *sandbox)
{
    json_t *json = process_json();
    json_object_set_new(json, "landlock",
                        json_pack("{s:b, s:i, s:s?}", "on", sandbox->landlock_off == NULL, "abi",
                                  sandbox->landlock_abi, "reason", sandbox->landlock_off));
    json_object_set_new(json, "seccomp",
                        json_pack("{s:b, s:s?, s:s?}", "on", sandbox->seccomp_off == NULL, "mode",
                                  sandbox->seccomp_off == NULL ? "allow-list" : NULL, "reason",
                                  sandbox->seccomp_off));
    json_object_set_new(json, "secrets", secrets_json());
    return json;
}

json_t *status_json(const struct status_source *source)
{
    json_t *listeners = json_array();
    const struct serving_visitor visitor = {add_listener, listeners};
    serving_each(source->serving, &visitor);
    const char *config_path = source->serving->setup.config->config_path;
    return json_pack("{s:s, s:i, s:i, s:s, s:o, s:I, s:o, s:o, s:{s:o, s:o}, s:o}", "version",
                     SPARKBRIDGE_VERSION, "pid", (int)getpid(), "uid", (int)geteuid(), "state",
                     source->state, "started", time_json(source->started), "uptime_seconds",
                     (json_int_t)(time(NULL) - source->started), "config_file",
                     text_json(config_path), "listeners", listeners, "last_reload", "at",
                     time_json(source->reloaded), "result", text_json(source->reload_said),
                     "sandbox", sandbox_json(source->sandbox));
}
