/* The subcommands, with the texts of their help. */
#include "conf/commands.h"

#include <string.h>

static const struct command_def commands[] = {
    {COMMAND_RUN,
     "run",
     "accept clients and forward their calls (the daemon)",
     "Listens for Spark Connect clients and forwards their calls to the workspace with the "
     "credential and compute that the options or the YAML file say. It runs in the foreground "
     "until SIGTERM or SIGINT.",
     {"sparkbridge run --profile prod", "sparkbridge run --listen unix:/run/user/1000/spark.sock",
      "sparkbridge run --config /etc/sparkbridge/sparkbridge.yaml"}},
    {COMMAND_CHECK,
     "check",
     "read and resolve the configuration, without network",
     "Does all that `run` does before it listens, and reports every fault with its place. Nothing "
     "is connected to.",
     {"sparkbridge check", "sparkbridge check --config new.yaml --quiet && systemctl restart ...",
      "sparkbridge check --json | jq ."}},
    {COMMAND_EXPLAIN,
     "explain",
     "show each connection value and where it comes from",
     "Prints host, credential and compute with the source of each value and what that source "
     "shadows, for each row of profile_by_peer and each profile that clients may choose. Secrets "
     "are shown as fingerprints.",
     {"sparkbridge explain --profile prod", "sparkbridge explain --listener prod",
      "sparkbridge explain --compare"}},
    {COMMAND_PROFILES,
     "profiles",
     "list the profiles of the SDK's profile file",
     "Lists the sections of ~/.databrickscfg that can be named with --profile. Secrets are shown "
     "as fingerprints.",
     {"sparkbridge profiles", "sparkbridge profiles --config-file ./team.cfg",
      "sparkbridge profiles --json"}},
    {COMMAND_STATUS,
     "status",
     "show what the running daemon serves, and how guarded",
     "Asks the daemon at its control socket and prints its listeners, their workspaces and "
     "connections, and what of the sandbox is in force. Secrets are shown as fingerprints.",
     {"sparkbridge status", "sparkbridge status --json | jq .sandbox",
      "sparkbridge status --control unix:/run/sparkbridge/daemon/control.sock"}},
    {COMMAND_SAMPLE_CONFIG,
     "sample-config",
     "write a commented YAML file",
     "Writes a YAML file with every key, its meaning and its default. It is valid as it stands.",
     {"sparkbridge sample-config > sparkbridge.yaml"}},
    {COMMAND_SCHEMA,
     "schema",
     "write the JSON schema of the YAML file",
     "Writes the JSON schema that editors need to complete and check the YAML file.",
     {"sparkbridge schema > sparkbridge.schema.json"}},
    {COMMAND_VERSION,
     "version",
     "write the version",
     "Writes the version of sparkbridge.",
     {"sparkbridge version"}},
};

const struct command_def *command_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

const struct command_def *command_at(size_t index)
{
    return index < sizeof commands / sizeof commands[0] ? &commands[index] : NULL;
}
