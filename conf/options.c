/* The option table: every flag, environment variable and YAML key of the program, once.
 * size: it is one table. */
#include "conf/options.h"

#include "conf/config.h"

enum {
    SERVES = COMMAND_RUN | COMMAND_CHECK,
    CONNECTS = SERVES | COMMAND_EXPLAIN,
    EVERY_COMMAND = CONNECTS | COMMAND_PROFILES | COMMAND_VERSION | COMMAND_SCHEMA |
                    COMMAND_SAMPLE_CONFIG | COMMAND_STATUS,
};

/* The index is the value of enum resolution, enum sandbox_mode, enum log_level and enum
 * log_lines. */
static const char *const resolutions[] = {"documented", "sdk", NULL};
static const char *const sandboxes[] = {"auto", "off", NULL};
static const char *const log_levels[] = {"error", "warn", "info", "debug", NULL};
static const char *const log_lines[] = {"auto", "logfmt", "json", NULL};

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
            .repeats = CONFIG_MAX_ITEMS,
            .help = "HOST:PORT, unix:PATH or systemd:NAME; repeatable",
            .doc = "Where clients connect: localhost:PORT (IPv4 and IPv6), 127.x.y.z:PORT, "
                   "[::1]:PORT, unix:/absolute/path, or systemd:NAME for the sockets of that "
                   "FileDescriptorName= which systemd opened. Port 0 lets the system choose. Other "
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
    [OPTION_AUTHORITY] =
        {
            .type = OPTION_TEXT,
            .yaml_path = "listeners[].authorities",
            .example = "host.docker.internal",
            .repeats = CONFIG_MAX_ITEMS,
            .no_environment = true,
            .doc = "Further names, without a port, under which clients may reach TCP addresses. "
                   "localhost and the loopback addresses are known. A call to any other name is "
                   "refused, because a web page may have made up that name for this machine.",
        },
    [OPTION_CLIENT_SECRET_FILE] =
        {
            .type = OPTION_PATH,
            .group = OPTION_GROUP_SECURITY,
            .flag = "client-secret-file",
            .commands = SERVES,
            .yaml_path = "listeners[].client_secret_file",
            .metavar = "FILE",
            .example = "~/.config/sparkbridge/client-secret",
            .help = "a secret that clients have to send",
            .doc = "A regular file with at least 16 printable characters and nothing else; one "
                   "newline at its end is left out. Clients have to send them as "
                   "`authorization: Bearer SECRET`, which `;use_ssl=false;token=SECRET` in a "
                   "Spark connection string does. They never leave this machine.",
        },
    [OPTION_FORWARD_HEADER] =
        {
            .type = OPTION_TEXT,
            .group = OPTION_GROUP_SECURITY,
            .flag = "forward-header",
            .commands = SERVES,
            .yaml_path = "listeners[].forward_headers",
            .metavar = "NAME",
            .example = "x-team",
            .repeats = CONFIG_MAX_ITEMS,
            .help = "let this header pass, or x-NAME-*; repeatable",
            .doc = "Headers that clients may send to the workspace and get from it, beside those "
                   "of gRPC, Spark Connect and tracing, which always pass. A `*` at the end "
                   "stands for any rest, but x-databricks-, x-forwarded- and the like have to be "
                   "named in full. What sparkbridge sets itself is never taken from a client.",
        },
    [OPTION_PEER_USERS] =
        {
            .type = OPTION_TEXT,
            .group = OPTION_GROUP_SECURITY,
            .flag = "peer-users",
            .commands = SERVES,
            .yaml_path = "listeners[].peer_users",
            .metavar = "USER",
            .default_text = "self",
            .repeats = PEER_USERS_MAX,
            .help = "who may connect: self, NAME, #UID, @GROUP, any",
            .doc = "The local users that may connect, by TCP too: a user name, \"#UID\" or "
                   "\"@GROUP\" (a user's primary or supplementary group), in quotation marks; "
                   "`self` is the user who runs the daemon. Whoever is not among them, or cannot "
                   "be told, is refused. Where there is a profile_by_peer and this is "
                   "missing, whoever has a row may connect. `any` admits everybody, also processes "
                   "of containers and "
                   "whoever comes by a forwarded port. In SPARKBRIDGE_PEER_USERS several are "
                   "separated by commas.",
        },
    [OPTION_PEER_ROW] =
        {
            .type = OPTION_TEXT,
            .yaml_path = "listeners[].profile_by_peer{}",
            .example = "default",
            .no_environment = true,
            .doc = "Whose row it is: a user name, \"#UID\", self, or `default` for everybody else.",
        },
    [OPTION_ROW_CONFIG_FILE] =
        {
            .type = OPTION_PATH,
            .yaml_path = "listeners[].profile_by_peer{}.config_file",
            .example = "/etc/sparkbridge/users/%u.databrickscfg",
            .required = true,
            .no_environment = true,
            .doc = "The user's profile file; %u stands for the user's name, %U for the user id. It "
                   "and every directory on its way have to belong to root or the daemon's user, "
                   "so it is never in another user's home.",
        },
    [OPTION_ROW_PROFILE] =
        {
            .type = OPTION_TEXT,
            .yaml_path = "listeners[].profile_by_peer{}.profile",
            .example = "DEFAULT",
            .no_environment = true,
            .doc = "The profile of that file; without it the file's default profile.",
        },
    [OPTION_CLIENT_HEADER] =
        {
            .type = OPTION_TEXT,
            .yaml_path = "listeners[].profile_from_client.header",
            .default_text = "x-sparkbridge-profile",
            .no_environment = true,
            .doc = "The header in which a client names the profile; it is not forwarded. The "
                   "client's connection string carries it: "
                   "sc://localhost:15002/;x-sparkbridge-profile=dev",
        },
    [OPTION_CLIENT_PROFILES] =
        {
            .type = OPTION_TEXT,
            .yaml_path = "listeners[].profile_from_client.allow",
            .example = "dev",
            .repeats = CLIENT_PROFILES_MAX,
            .required = true,
            .no_environment = true,
            .doc = "The profiles that a client may choose. A client that names none gets the "
                   "listener's own.",
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
            .example = "sc://${HOST}:443/;token=${TOKEN};x-databricks-cluster-id=${ID}",
            .connection = true,
            .secret = true,
            .help = "a Spark connection string, sc://HOST:PORT/;...",
            .doc =
                "Host, credential and compute as one Spark connection string; a workspace's port "
                "is 443. One that holds a "
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
                   "then systemd's credential databrickscfg, then ~/.databrickscfg.",
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
    [OPTION_IDLE_EXIT] =
        {
            .type = OPTION_DURATION,
            .group = OPTION_GROUP_SERVICE,
            .flag = "idle-exit",
            .commands = SERVES,
            .yaml_path = "timeouts.idle_exit",
            .metavar = "TIME",
            .default_text = "0s",
            .advanced = true,
            .min = 0,
            .max = INT64_C(24) * 60 * 60 * 1000,
            .help = "end when unused for so long; systemd: only (0s)",
            .doc = "How long after its last connection the daemon ends, to be started again by the "
                   "next one; 0s: never, at most 24h. It counts only where all addresses are "
                   "systemd: ones, because nothing else would start it.",
        },
    [OPTION_PREFACE_TIMEOUT] =
        {
            .type = OPTION_DURATION,
            .yaml_path = "timeouts.preface",
            .default_text = "5s",
            .min = 100,
            .max = INT64_C(10) * 60 * 1000,
            .no_environment = true,
            .doc = "How long a client may take from connecting to its first HTTP/2 "
                   "frame, 100ms to 10m. Afterwards it may be silent for as long as it "
                   "likes.",
        },
    [OPTION_HEADERS_TIMEOUT] =
        {
            .type = OPTION_DURATION,
            .yaml_path = "timeouts.headers",
            .default_text = "10s",
            .min = 100,
            .max = INT64_C(10) * 60 * 1000,
            .no_environment = true,
            .doc = "How long the headers of one call may take to arrive, 100ms to 10m.",
        },
    [OPTION_CONNECTIONS] =
        {
            .type = OPTION_INTEGER,
            .yaml_path = "limits.connections",
            .default_text = "1024",
            .min = 1,
            .max = 65536,
            .no_environment = true,
            .doc = "Connections of all clients together.",
        },
    [OPTION_CONNECTIONS_PER_USER] =
        {
            .type = OPTION_INTEGER,
            .yaml_path = "limits.connections_per_user",
            .default_text = "256",
            .min = 1,
            .max = 65536,
            .no_environment = true,
            .doc = "Connections of the programs of one user of this machine.",
        },
    [OPTION_CALLS] =
        {
            .type = OPTION_INTEGER,
            .yaml_path = "limits.calls",
            .default_text = "4096",
            .min = 1,
            .max = 1 << 20,
            .no_environment = true,
            .doc = "Calls that run at the same time, of all clients together. One more "
                   "is refused with RESOURCE_EXHAUSTED.",
        },
    [OPTION_CALLS_PER_USER] =
        {
            .type = OPTION_INTEGER,
            .yaml_path = "limits.calls_per_user",
            .default_text = "1024",
            .min = 1,
            .max = 1 << 20,
            .no_environment = true,
            .doc = "The same for the programs of one user.",
        },
    [OPTION_CALLS_PER_CONNECTION] =
        {
            .type = OPTION_INTEGER,
            .yaml_path = "limits.calls_per_connection",
            .default_text = "256",
            .min = 1,
            .max = 4096,
            .no_environment = true,
            .doc = "The same for one connection, whose client is told and waits. It "
                   "counts for connections that begin.",
        },
    [OPTION_HEADER_BYTES] =
        {
            .type = OPTION_SIZE,
            .yaml_path = "limits.header_bytes",
            .default_text = "128KiB",
            .min = 4096,
            .max = 128 << 10,
            .no_environment = true,
            .doc = "The headers of a call: names, values and 32 bytes for each, 4KiB "
                   "to 128KiB.",
        },
    [OPTION_BUFFER_BYTES] =
        {
            .type = OPTION_SIZE,
            .yaml_path = "limits.buffer_bytes",
            .default_text = "256MiB",
            .min = 1 << 20,
            .max = INT64_C(1) << 40,
            .no_environment = true,
            .doc = "Requests and results that have arrived and not left, of all calls "
                   "together. Beyond it new calls are refused, and those that hold "
                   "more than their share end when more comes.",
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
    [OPTION_CLIENT_CERT] =
        {
            .type = OPTION_PATH,
            .group = OPTION_GROUP_SECURITY,
            .flag = "client-cert",
            .commands = SERVES,
            .yaml_path = "upstream.client_cert",
            .metavar = "FILE",
            .example = "client.pem",
            .advanced = true,
            .help = "PEM file of a certificate of ours",
            .doc =
                "The certificate, followed by those that vouch for it, to show to a gateway that "
                "wants one. Workspaces themselves want a token and no certificate.",
        },
    [OPTION_CLIENT_KEY] =
        {
            .type = OPTION_PATH,
            .group = OPTION_GROUP_SECURITY,
            .flag = "client-key",
            .commands = SERVES,
            .yaml_path = "upstream.client_key",
            .metavar = "FILE",
            .example = "client.key",
            .advanced = true,
            .help = "PEM file of the key of --client-cert",
            .doc = "The private key of the client certificate, without a password; it goes with "
                   "client_cert and is nothing alone. Where it is missing the key stands in the "
                   "certificate's own file. Nobody but its owner should be able to read it.",
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
                   "does; `none` ignores them; else http://HOST:PORT or socks5h://HOST:PORT. Where "
                   "a variable leaves out the port it is 1080, as in curl. A password belongs into "
                   "the variable or the YAML file.",
        },
    [OPTION_VIA] =
        {
            .type = OPTION_ADDRESS,
            .group = OPTION_GROUP_CONNECTION,
            .flag = "via",
            .commands = SERVES,
            .yaml_path = "listeners[].via",
            .yaml_default_path = "upstream.via",
            .metavar = "unix:PATH",
            .example = "unix:/run/sparkbridge/egress.sock",
            .advanced = true,
            .help = "a socket whose other end is the workspace",
            .doc = "Connects to this Unix socket instead of the workspace's address, for a daemon "
                   "without network: whoever listens there passes the bytes on, encrypted and "
                   "verified as ever. A proxy is not used then.",
        },
    [OPTION_STREAM_WINDOW] =
        {
            .type = OPTION_SIZE,
            .group = OPTION_GROUP_SERVICE,
            .flag = "stream-window",
            .commands = SERVES,
            .yaml_path = "upstream.stream_window",
            .metavar = "SIZE",
            .default_text = "4MiB",
            .advanced = true,
            .min = INT64_C(64) * 1024,
            .max = INT64_C(16) * 1024 * 1024,
            .help = "most that is under way of one result",
            .doc = "How many bytes of one result may be on their way from the workspace, 64KiB to "
                   "16MiB. More is faster over a long distance. Above 4MiB a client whose "
                   "connection breaks may not be able to go on with its result, because Spark "
                   "keeps only the last 10 MB of what it has sent.",
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
    [OPTION_LOG_FORMAT] =
        {
            .type = OPTION_CHOICE,
            .group = OPTION_GROUP_LOGGING,
            .flag = "log-format",
            .commands = SERVES,
            .yaml_path = "log.format",
            .metavar = "FORMAT",
            .default_text = "auto",
            .choices = log_lines,
            .help = "auto, logfmt or json",
            .doc = "What a line of the log looks like. `auto` is logfmt on a terminal and JSON "
                   "elsewhere. The journal gets fields in any case.",
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
            .repeats = CONFIG_MAX_ITEMS,
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
    {"listeners[]", "One listener. It has a profile, a connection or both, or a remote, or none of "
                    "them."},
    {"listeners[].socket", "The files of unix: addresses."},
    {"listeners[].profile_by_peer", "Which profile each user gets, in place of one for all. A user "
                                    "without a row is refused."},
    {"listeners[].profile_by_peer{}", "One user's, or that of everybody else."},
    {"listeners[].profile_from_client", "Lets the client choose one of several profiles."},
    {"listeners[].connection",
     "Parameters one by one. They come before those of a profile, and stand in place "
     "of a remote."},
    {"defaults", "For listeners that do not say it themselves."},
    {"timeouts", "Durations have a unit: ms, s, m or h."},
    {"limits", "What clients may use at the same time. Sizes have a unit: B, KiB or MiB."},
    {"upstream", "The side of the workspace."},
    {"security", "What the daemon gives up once it serves."},
    {"control", "Where the daemon answers `sparkbridge status`."},
    {"log", "What the daemon writes to standard error."},
};

static const struct option_exclusion exclusions[] = {
    {"listeners[]", {"profile", "remote", "profile_by_peer", NULL}},
    {"listeners[]", {"connection", "remote", NULL}},
    {"listeners[]", {"connection", "profile_by_peer", NULL}},
    {"listeners[]", {"remote", "profile_from_client", NULL}},
    {"listeners[]", {"connection", "profile_from_client", NULL}},
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

const char *option_group_title(enum option_group group)
{
    return group_titles[group];
}

const struct option_exclusion *option_exclusion_at(size_t index)
{
    return index < sizeof exclusions / sizeof exclusions[0] ? &exclusions[index] : NULL;
}

const struct option_section *option_section_at(size_t index)
{
    return index < sizeof sections / sizeof sections[0] ? &sections[index] : NULL;
}
