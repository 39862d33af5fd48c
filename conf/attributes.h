/*
 * The attributes of Databricks' SDK configuration: how each is called in the profile file and in
 * the environment, which authentication family it belongs to, and whether it is a secret.
 *
 * Source: the table of Config in databricks-sdk for Python, version 0.156.0. The file key is the
 * attribute's name; keys that are not in the table are ignored, as the SDK ignores them.
 */
#ifndef SPARKBRIDGE_CONF_ATTRIBUTES_H
#define SPARKBRIDGE_CONF_ATTRIBUTES_H

#include <stdbool.h>

/* In the SDK's order, which its error messages keep. */
enum attribute {
    ATTR_HOST,
    ATTR_ACCOUNT_ID,
    ATTR_WORKSPACE_ID,
    ATTR_GROUP_ID,
    ATTR_CLOUD,
    ATTR_DISCOVERY_URL,
    ATTR_TOKEN,
    ATTR_TOKEN_AUDIENCE,
    ATTR_OIDC_TOKEN_ENV,
    ATTR_OIDC_TOKEN_FILEPATH,
    ATTR_USERNAME,
    ATTR_PASSWORD,
    ATTR_CLIENT_ID,
    ATTR_CLIENT_SECRET,
    ATTR_PROFILE,
    ATTR_CONFIG_FILE,
    ATTR_GOOGLE_SERVICE_ACCOUNT,
    ATTR_GOOGLE_CREDENTIALS,
    ATTR_AZURE_WORKSPACE_RESOURCE_ID,
    ATTR_AZURE_USE_MSI,
    ATTR_AZURE_CLIENT_SECRET,
    ATTR_AZURE_CLIENT_ID,
    ATTR_AZURE_TENANT_ID,
    ATTR_AZURE_ENVIRONMENT,
    ATTR_DATABRICKS_CLI_PATH,
    ATTR_AUTH_TYPE,
    ATTR_CLUSTER_ID,
    ATTR_WAREHOUSE_ID,
    ATTR_SERVERLESS_COMPUTE_ID,
    ATTR_SKIP_VERIFY,
    ATTR_HTTP_TIMEOUT_SECONDS,
    ATTR_DEBUG_TRUNCATE_BYTES,
    ATTR_DEBUG_HEADERS,
    ATTR_RATE_LIMIT,
    ATTR_RETRY_TIMEOUT_SECONDS,
    ATTR_METADATA_SERVICE_URL,
    ATTR_MAX_CONNECTION_POOLS,
    ATTR_MAX_CONNECTIONS_PER_POOL,
    ATTR_DISABLE_ASYNC_TOKEN_REFRESH,
    ATTR_DISABLE_EXPERIMENTAL_FILES_API_CLIENT,
    ATTR_SCOPES,
    ATTR_AUTHORIZATION_DETAILS,
    ATTR_DISABLE_OAUTH_REFRESH_TOKEN,
    ATTRIBUTE_COUNT,
};

/* What the SDK makes of the text. Only the numbers can be wrong. */
enum attribute_type {
    ATTRIBUTE_TEXT,
    ATTRIBUTE_BOOL, /* any text but the empty one is true, "false" too */
    ATTRIBUTE_INTEGER,
    ATTRIBUTE_NUMBER,
    ATTRIBUTE_CLOUD,
    ATTRIBUTE_LIST,
};

struct attribute_info {
    const char *name;      /* also the key in the profile file */
    const char *env;       /* NULL where no variable sets it */
    const char *env_alias; /* an older name of the variable, asked second; or NULL */
    const char *family;    /* the authentication family, NULL where it belongs to none */
    bool sensitive;        /* never shown */
    enum attribute_type type;
};

/* Static, never NULL for a value below ATTRIBUTE_COUNT. */
const struct attribute_info *attribute_info(enum attribute attribute);

/* Finds an attribute by its lower-case name; false where the SDK has none of that name. */
bool attribute_from_name(const char *name, enum attribute *ret_attribute);

#endif
