/*
 * What `sparkbridge status` is told: what is served, with whom, and how guarded. Secrets are shown
 * as fingerprints.
 */
#ifndef SPARKBRIDGE_DAEMON_STATUS_H
#define SPARKBRIDGE_DAEMON_STATUS_H

#include <jansson.h>
#include <time.h>

#include "daemon/sandbox.h"
#include "daemon/serving.h"

struct status_source {
    const struct serving *serving;
    const struct sandbox *sandbox;
    const char *state; /* "serving", "draining" */
    time_t started;
    time_t reloaded;         /* 0: never */
    const char *reload_said; /* "ok", or why it failed */
};

/* Never NULL but for want of memory. */
json_t *status_json(const struct status_source *source);

/* "2 listeners, 3 profiles ready", for the service manager; the caller frees it. */
char *status_line(const struct serving *serving);

#endif
