/*
 * What a resolution found, where each value came from and what it hid: as one JSON object for
 * programs, as a table for people. Secrets show as their fingerprint.
 *
 * Objects and texts are the caller's to free; a text ends with a newline. The JSON object:
 *
 *   complete    true or false
 *   host        {"value", "port", "source"}
 *   auth_type   "pat"
 *   token       {"fingerprint", "source"}: the first 12 hex digits of its SHA-256
 *   cluster_id  {"value", "source"}, or null
 *   serverless  true or false
 *   compute     {"kind": "cluster", "serverless" or "none", "source"}
 *   headers     names of what is added to each call
 *   passed_over, shadowed, warnings   sentences
 *
 * An incomplete one has `complete`, `error` {"kind", "message", "passed_over"}, `shadowed` and
 * `warnings`; `found` has those of host, auth_type, token and compute that are known.
 */
#ifndef SPARKBRIDGE_CONF_EXPLAIN_H
#define SPARKBRIDGE_CONF_EXPLAIN_H

#include <jansson.h>
#include <stdbool.h>

#include "conf/resolve.h"

json_t *explain_json(const struct resolve_result *result);
char *explain_table(const struct resolve_result *result);

/* Both resolutions of the same request. The JSON object has `documented`, `sdk` (as above) and
 * `differences`, the names of what differs: "host", "port", "auth_type", "token", "compute",
 * "headers"; "complete" alone where only one of them is, "error" alone where neither is and the
 * kinds differ. */
json_t *explain_compare_json(const struct resolve_result *documented,
                             const struct resolve_result *sdk);
char *explain_compare_table(const struct resolve_result *documented,
                            const struct resolve_result *sdk);

#endif
