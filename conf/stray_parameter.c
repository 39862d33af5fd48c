/* Headers that were meant to be parameters. */
#include "conf/stray_parameter.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "conf/suggest.h"

static const char databricks[] = "x-databricks-";

/* With `databricks` in front a name has only the words that such a header ends in. */
static const struct {
    const char *word, *meant;
    bool is_header;
} words[] = {
    {"cluster-id", "x-databricks-cluster-id", true},
    {"cluster", "x-databricks-cluster-id", true},
    {"session-id", "x-databricks-session-id", true},
    {"org-id", "x-databricks-org-id", true},
    {"token", "token", false},
    {"use_ssl", "use_ssl", false},
    {"user_id", "user_id", false},
    {"user_agent", "user_agent", false},
    {"session_id", "session_id", false},
    {"grpc_max_message_size", "grpc_max_message_size", false},
};

/* A quarter of the letters may be wrong: fewer than elsewhere, since any name may be a header. */
const char *stray_parameter_meant(const char *name)
{
    bool has_prefix = strncmp(name, databricks, sizeof databricks - 1) == 0;
    const char *rest = has_prefix ? name + sizeof databricks - 1 : name;
    const char *meant = NULL;
    size_t best = SUGGEST_MAX_BYTES;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(name, words[i].meant) == 0)
            return NULL;
        if (has_prefix && !words[i].is_header)
            continue;
        /* Without the prefix it is the client's session_id. */
        if (!has_prefix && strcmp(words[i].word, "session-id") == 0)
            continue;
        size_t distance = suggest_distance(rest, words[i].word);
        if (distance <= strlen(words[i].word) / 4 && distance < best) {
            best = distance;
            meant = words[i].meant;
        }
    }
    return meant;
}
