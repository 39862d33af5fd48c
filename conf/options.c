/* The option table: every flag, environment variable and YAML key of the program, once.
 * size: it is one table. */
#include "conf/options.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
    SERVES = COMMAND_RUN | COMMAND_CHECK,
    CONNECTS = SERVES | COMMAND_EXPLAIN,
    EVERY_COMMAND = CONNECTS | COMMAND_PROFILES | COMMAND_VERSION | COMMAND_SCHEMA |
                    COMMAND_SAMPLE_CONFIG | COMMAND_STATUS,
};

/* The index is the value of enum resolution, enum sandbox_mode and enum
 * log_level. */
static const char *const resolutions[] = {"documented", "sdk", NULL};
static const char *const sandboxes[] = {"auto", "off", NULL};
static const char *const log_levels[] = {"error", "warn", "info", "debug", NULL};

static const struct option_def options[OPTION_COUNT] = {
    [OPTION_CONFIG] =
        {
            .type = OPTION_PATH,
            .group = OPTION_GROUP_SERVICE,
            .flag = "config",
            .short_flag = 'c',
            .commands = CONNECTS | COMMAND_STATUS,
            .metavar = "FILE",
            .help = "the daemon's YAML file",
            .doc = "Without it the first of $XDG_CONFIG_HOME/sparkbridge/sparkbridge.yaml (where "
                   "XDG_CONFIG_HOME is not set: ~/.config/sparkbridge/sparkbridge.yaml) and "
                   "/etc/sparkbridge/sparkbridge.yaml that exists is read. A file named here has "
                   "to exist. --help-all says how it goes together with other options.",
        },
    [OPTION_VERSION] =
        {
            .type = OPTION_INTEGER,
            .yaml_path = "version",
            .example = "1",
            .min = 1,
            .max = 1,
            .required = true,
            .no_environment = true,
            .doc = "The version of this file's format.",
        },
    [OPTION_NAME] =
        {
            .type = OPTION_TEXT,
            .yaml_path = "listeners[].name",
            .example = "prod",
            .required = true,
            .no_environment = true,
            .doc = "Names the listener in messages and logs: letters, digits, `-`, `_` and `.`, "
                   "at most 63.",
        },
    [OPTION_LISTEN] =
        {
            .type = OPTION_ADDRESS,
            .group = OPTION_GROUP_LISTENERS,
            .flag = "listen",
            .short_flag = 'l',
            .commands = SERVES,
            .yaml_path = "listeners[].listen",
            .metavar = "ADDR",
            .default_text = "localhost:15002",
            .repeats = true,
            .help = "HOST:PORT, [::1]:PORT or unix:PATH; repeatable",
            .doc = "Where clients connect: localhost:PORT (IPv4 and IPv6), 127.x.y.z:PORT, "
                   "[::1]:PORT or unix:/absolute/path. Port 0 lets the system choose. Other "
                   "addresses are refused, because whoever reaches the port uses its owner's "
                   "credential. In SPARKBRIDGE_LISTEN several are separated by commas.",
        },
    [OPTION_SOCKET_MODE] =
        {
            .type = OPTION_MODE,
            .yaml_path = "listeners[].socket.mode",
            .default_text = "0600",
            .min = 0,
            .max = 0777,
            .no_environment = true,
            .doc = "The file mode of unix: addresses, in quotation marks. Whoever may write to "
                   "the socket uses this listener's credential.",
        },
    [OPTION_PROFILE] =
        {
            .type = OPTION_TEXT,
            .group = OPTION_GROUP_CONNECTION,
            .flag = "profile",
            .short_flag = 'p',
            .commands = CONNECTS,
            .yaml_path = "listeners[].profile",
            .metavar = "NAME",
            .example = "prod",
            .connection = true,
            .help = "a profile of the SDK's profile file",
            .doc = "Host, credential and compute come from this section of ~/.databrickscfg. "
                   "Where profile, remote and connection are all missing, SPARK_REMOTE and the "
                   "Databricks SDK's own variables and default profile decide.",
        },
    [OPTION_REMOTE] =
        {
            .type = OPTION_TEXT,
            .group = OPTION_GROUP_CONNECTION,
            .flag = "remote",
            .commands = CONNECTS,
            .yaml_path = "listeners[].remote",
            .metavar = "STRING",
            .example = "sc://dbc-1234.cloud.databricks.com/;token=${DATABRICKS_TOKEN}",
            .connection = true,
            .secret = true,
            .help = "a Spark connection string, sc://HOST:PORT/;...",
            .doc = "Host, credential and compute as one Spark connection string. One that holds a "
                   "token does not belong on a command line, which every user of the machine can "
                   "read: put it into SPARK_REMOTE or the YAML file, or use a token file.",
        },
    [OPTION_HOST] =
        {
            .type = OPTION_TEXT,
            .group = OPTION_GROUP_CONNECTION,
            .flag = "host",
            .commands = CONNECTS,
            .yaml_path = "listeners[].connection.host",
            .metavar = "HOST",
            .example = "https://dbc-1234.cloud.databricks.com",
            .connection = true,
            .help = "the workspace, as a name or https:// address",
            .doc = "The workspace to connect to. A credential is only used with the host that its "
                   "own source means.",
        },
    [OPTION_TOKEN_FILE] =
        {
            .type = OPTION_PATH,
            .group = OPTION_GROUP_CONNECTION,
            .flag = "token-file",
            .commands = CONNECTS,
            .yaml_path = "listeners[].connection.token_file",
            .metavar = "FILE",
            .example = "~/.config/sparkbridge/token",
            .connection = true,
            .help = "a file that holds the access token",
            .doc = "A regular file with the token and nothing else; one newline at its end is "
                   "left out. Nobody but its owner should be able to read it.",
        },
    [OPTION_CLUSTER_ID] =
        {
            .type = OPTION_TEXT,
            .group = OPTION_GROUP_CONNECTION,
            .flag = "cluster-id",
            .commands = CONNECTS,
            .yaml_path = "listeners[].connection.cluster_id",
            .metavar = "ID",
            .example = "0123-456789-abcdefgh",
            .connection = true,
            .help = "the cluster that runs the queries",
            .doc = "The id of a Databricks cluster. Excludes serverless and no compute.",
        },
    [OPTION_SERVERLESS] =
        {
            .type = OPTION_SWITCH,
            .group = OPTION_GROUP_CONNECTION,
            .flag = "serverless",
            .commands = CONNECTS,
            .yaml_path = "listeners[].connection.serverless",
            .default_text = "false",
            .example = "true",
            .connection = true,
            .help = "run the queries on serverless compute",
            .doc = "Databricks serverless compute instead of a cluster.",
        },
    [OPTION_NO_COMPUTE] =
        {
            .type = OPTION_SWITCH,
            .group = OPTION_GROUP_CONNECTION,
            .flag = "no-compute",
            .commands = CONNECTS,
            .yaml_path = "listeners[].connection.compute",
            .yaml_word = "none",
            .example = "none",
            .connection = true,
            .help = "the server needs no cluster: not Databricks",
            .doc = "For a Spark Connect server that is not Databricks: no cluster id and no "
                   "serverless compute is looked for.",
        },
    [OPTION_CONFIG_FILE] =
        {
            .type = OPTION_PATH,
            .group = OPTION_GROUP_CONNECTION,
            .flag = "config-file",
            .commands = CONNECTS | COMMAND_PROFILES,
            .yaml_path = "listeners[].config_file",
            .yaml_default_path = "defaults.config_file",
            .metavar = "FILE",
            .example = "~/.databrickscfg",
            .help = "the SDK's profile file, ~/.databrickscfg",
            .doc = "The Databricks SDK's profile file. Without it DATABRICKS_CONFIG_FILE counts, "
                   "then ~/.databrickscfg.",
        },
    [OPTION_RESOLUTION] =
        {
            .type = OPTION_CHOICE,
            .group = OPTION_GROUP_CONNECTION,
            .flag = "resolution",
            .commands = CONNECTS,
            .yaml_path = "listeners[].resolution",
            .yaml_default_path = "defaults.resolution",
            .metavar = "RULES",
            .default_text = "documented",
            .choices = resolutions,
            .help = "documented, or sdk (as databricks-connect)",
            .doc = "How missing parameters are found. `documented` asks explicit values, the named "
                   "profile, SPARK_REMOTE and the SDK's defaults, in this order, and never takes a "
                   "credential to a host that its source did not mean. `sdk` does what "
                   "databricks-connect does today.",
        },
    [OPTION_CONNECT_TIMEOUT] =
        {
            .type = OPTION_DURATION,
            .group = OPTION_GROUP_SERVICE,
            .flag = "connect-timeout",
            .commands = SERVES,
            .yaml_path = "timeouts.upstream_connect",
            .metavar = "TIME",
            .default_text = "10s",
            .min = 100,
            .max = INT64_C(10) * 60 * 1000,
            .help = "for a connection to the workspace",
            .doc = "How long name resolution, connecting and the TLS handshake may take together, "
                   "100ms to 10m.",
        },
    [OPTION_DRAIN_TIMEOUT] =
        {
            .type = OPTION_DURATION,
            .group = OPTION_GROUP_SERVICE,
            .flag = "drain-timeout",
            .commands = SERVES,
            .yaml_path = "timeouts.drain",
            .metavar = "TIME",
            .default_text = "60s",
            .min = 0,
            .max = INT64_C(60) * 60 * 1000,
            .help = "for running calls to end after SIGTERM",
            .doc = "How long calls that run may go on after the daemon was asked to stop, 0s to "
                   "1h.",
        },
    [OPTION_CA_FILE] =
        {
            .type = OPTION_PATH,
            .group = OPTION_GROUP_SECURITY,
            .flag = "ca-file",
            .commands = SERVES,
            .yaml_path = "upstream.ca_file",
            .metavar = "FILE",
            .example = "/etc/ssl/certs/ca-certificates.crt",
            .help = "PEM file of the trusted authorities",
            .doc = "The certificate authorities that may vouch for a workspace. Without it the "
                   "system's store counts. Certificates are always verified.",
        },
    [OPTION_PROXY] =
        {
            .type = OPTION_TEXT,
            .group = OPTION_GROUP_CONNECTION,
            .flag = "proxy",
            .commands = SERVES,
            .yaml_path = "upstream.proxy",
            .metavar = "URL",
            .default_text = "env",
            .secret = true,
            .help = "on the way to the workspace; env, or none (env)",
            .doc = "`env` reads HTTPS_PROXY or ALL_PROXY and the exceptions in NO_PROXY, as curl "
                   "does; `none` ignores them; else http://HOST:PORT or socks5h://HOST:PORT. A "
                   "password belongs into the variable or the YAML file.",
        },
    [OPTION_LOG_LEVEL] =
        {
            .type = OPTION_CHOICE,
            .group = OPTION_GROUP_LOGGING,
            .flag = "log-level",
            .commands = SERVES,
            .yaml_path = "log.level",
            .metavar = "LEVEL",
            .default_text = "info",
            .choices = log_levels,
            .help = "error, warn, info or debug",
            .doc = "The least important events that are logged.",
        },
    [OPTION_SANDBOX] =
        {
            .type = OPTION_CHOICE,
            .group = OPTION_GROUP_SECURITY,
            .flag = "sandbox",
            .commands = SERVES,
            .yaml_path = "security.sandbox",
            .metavar = "MODE",
            .default_text = "auto",
            .choices = sandboxes,
            .help = "auto, or off",
            .doc = "`auto` gives up, once everything is open, what the daemon does not need any "
                   "more: most files (Landlock), most system calls (seccomp) and new privileges. "
                   "`status` says what of it the system can do. A change needs a restart.",
        },
    [OPTION_SANDBOX_READ] =
        {
            .type = OPTION_PATH,
            .group = OPTION_GROUP_SECURITY,
            .flag = "sandbox-read",
            .commands = SERVES,
            .yaml_path = "security.sandbox_read",
            .metavar = "PATH",
            .example = "/opt/site/lib",
            .repeats = true,
            .help = "what it may read besides; repeatable",
            .doc = "Further files and directories that may be read in the sandbox, next to those "
                   "that hold the configuration, its tokens and what the system's libraries need: "
                   "for a name service or a preloaded library that keeps its data elsewhere. In "
                   "SPARKBRIDGE_SANDBOX_READ several are separated by commas.",
        },
    [OPTION_CONTROL] =
        {
            .type = OPTION_TEXT,
            .group = OPTION_GROUP_SERVICE,
            .flag = "control",
            .commands = SERVES | COMMAND_STATUS,
            .yaml_path = "control.listen",
            .metavar = "ADDR",
            .example = "unix:/run/user/1000/sparkbridge/control.sock",
            .help = "unix:PATH for `status`, or none",
            .doc = "The Unix socket on which the daemon answers `status`, for its own user and "
                   "root alone. Without it that is control.sock in $RUNTIME_DIRECTORY, else in "
                   "$XDG_RUNTIME_DIR/sparkbridge, else there is none. A change needs a restart.",
        },
    [OPTION_LISTENER] =
        {
            .type = OPTION_TEXT,
            .group = OPTION_GROUP_OUTPUT,
            .flag = "listener",
            .commands = COMMAND_EXPLAIN,
            .metavar = "NAME",
            .no_environment = true,
            .help = "explain only this listener of the YAML file",
            .doc = "The name of one of the file's listeners.",
        },
    [OPTION_QUIET] =
        {
            .type = OPTION_SWITCH,
            .group = OPTION_GROUP_OUTPUT,
            .flag = "quiet",
            .short_flag = 'q',
            .commands = COMMAND_CHECK,
            .no_environment = true,
            .help = "say nothing where all is well",
            .doc = "Errors and warnings are written, the table of listeners is not.",
        },
    [OPTION_JSON] =
        {
            .type = OPTION_SWITCH,
            .group = OPTION_GROUP_OUTPUT,
            .flag = "json",
            .commands = COMMAND_CHECK | COMMAND_EXPLAIN | COMMAND_PROFILES | COMMAND_STATUS,
            .no_environment = true,
            .help = "answer in JSON",
            .doc = "The answer as one JSON document, for programs. Secrets are fingerprints.",
        },
    [OPTION_COMPARE] =
        {
            .type = OPTION_SWITCH,
            .group = OPTION_GROUP_OUTPUT,
            .flag = "compare",
            .commands = COMMAND_EXPLAIN,
            .no_environment = true,
            .help = "show where the two resolutions differ",
            .doc = "Resolves by both rules, documented and sdk, and prints both answers where "
                   "they differ.",
        },
    [OPTION_HELP] =
        {
            .type = OPTION_SWITCH,
            .group = OPTION_GROUP_OUTPUT,
            .flag = "help",
            .short_flag = 'h',
            .commands = EVERY_COMMAND,
            .no_environment = true,
            .help = "this text",
            .doc = "Usage, options and exit codes on one page.",
        },
    [OPTION_HELP_ALL] =
        {
            .type = OPTION_SWITCH,
            .group = OPTION_GROUP_OUTPUT,
            .flag = "help-all",
            .commands = EVERY_COMMAND,
            .no_environment = true,
            .help = "every option with variable, YAML key, default",
            .doc = "The long form of --help.",
        },
};

static const struct option_section sections[] = {
    {"listeners", "The addresses that clients connect to, each with its own workspace. Without any "
                  "there is one, named `default`, on localhost:15002."},
    {"listeners[]", "One listener. It has a profile, a remote or a connection, or none of them."},
    {"listeners[].socket", "The files of unix: addresses."},
    {"listeners[].connection", "Parameters one by one, in place of a profile or remote."},
    {"defaults", "For listeners that do not say it themselves."},
    {"timeouts", "Durations have a unit: ms, s, m or h."},
    {"upstream", "The side of the workspace."},
    {"security", "What the daemon gives up once it serves."},
    {"control", "Where the daemon answers `sparkbridge status`."},
    {"log", "What the daemon writes to standard error."},
};

static const struct option_exclusion exclusions[] = {
    {"listeners[]", {"profile", "remote", "connection", NULL}},
    {"listeners[].connection", {"cluster_id", "serverless", "compute", NULL}},
};

static const char *const group_titles[OPTION_GROUP_COUNT] = {
    [OPTION_GROUP_CONNECTION] = "Connection", [OPTION_GROUP_LISTENERS] = "Listeners",
    [OPTION_GROUP_SECURITY] = "Security",     [OPTION_GROUP_LOGGING] = "Logging",
    [OPTION_GROUP_SERVICE] = "Service",       [OPTION_GROUP_OUTPUT] = "Output",
};

const struct option_def *option_get(enum option_id id)
{
    return &options[id];
}

enum option_id option_id_of(const struct option_def *def)
{
    return (enum option_id)(def - options);
}

const struct option_def *option_by_flag(const char *flag)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (options[i].flag != NULL && strcmp(options[i].flag, flag) == 0)
            return &options[i];
    }
    return NULL;
}

const char *option_group_title(enum option_group group)
{
    return group_titles[group];
}

bool option_variable(const struct option_def *def, char ret_name[OPTION_VARIABLE_SIZE])
{
    if (def->no_environment)
        return false;
    int len = snprintf(ret_name, OPTION_VARIABLE_SIZE, "SPARKBRIDGE_%s", def->flag);
    for (int i = 0; i < len; i++)
        ret_name[i] = ret_name[i] == '-' ? '_' : (char)toupper((unsigned char)ret_name[i]);
    return true;
}

const struct option_exclusion *option_exclusion_at(size_t index)
{
    return index < sizeof exclusions / sizeof exclusions[0] ? &exclusions[index] : NULL;
}

const struct option_section *option_section_get(const char *yaml_path)
{
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        if (strcmp(sections[i].yaml_path, yaml_path) == 0)
            return &sections[i];
    }
    return NULL;
}

/* What follows the mapping in the path, NULL where the path is not of the mapping. */
static const char *path_below(const char *mapping, const char *path)
{
    size_t len = strlen(mapping);
    if (len == 0)
        return path;
    return strncmp(path, mapping, len) == 0 && path[len] == '.' ? path + len + 1 : NULL;
}

static const struct option_section *section_of(const char *path, size_t len)
{
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        const char *section = sections[i].yaml_path;
        if (strlen(section) == len && strncmp(section, path, len) == 0)
            return &sections[i];
    }
    return NULL;
}

/* Adds the key by which the path goes on from the mapping, unless it is there already. */
static size_t add_key(struct option_key *keys, size_t count, const char *mapping,
                      const struct option_def *def, const char *path)
{
    const char *below = path != NULL ? path_below(mapping, path) : NULL;
    if (below == NULL)
        return count;
    size_t len = strcspn(below, ".[");
    struct option_key key = {.name = below, .path = path, .option = def};
    if (below[len] != '\0') {
        key.section = section_of(path, (size_t)(below - path) + len);
        key.path = key.section->yaml_path;
        key.name = key.path + (below - path);
        key.option = NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(keys[i].path, key.path) == 0)
            return count;
    }
    keys[count] = key;
    return count + 1;
}

size_t option_keys(const char *mapping, struct option_key ret_keys[OPTION_KEYS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        count = add_key(ret_keys, count, mapping, &options[i], options[i].yaml_path);
        count = add_key(ret_keys, count, mapping, &options[i], options[i].yaml_default_path);
    }
    return count;
}
