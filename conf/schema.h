/* The JSON schema of the YAML file, and a commented sample of it, made from the option table. */
#ifndef SPARKBRIDGE_CONF_SCHEMA_H
#define SPARKBRIDGE_CONF_SCHEMA_H

#include "common/strbuf.h"

/* Appends the schema (JSON Schema, draft 2020-12), as indented JSON with a newline at its end. */
void schema_write(struct strbuf *out);

/* Appends a YAML file that is valid as it stands: one listener, and all other keys as comments with
 * their documentation, defaults or examples. */
void sample_write(struct strbuf *out);

#endif
