/* The table of the SDK's attributes. */
#include "conf/attributes.h"

#include <stddef.h>
#include <string.h>

static const struct attribute_info table[ATTRIBUTE_COUNT] = {
    [ATTR_HOST] = {.name = "host", .env = "DATABRICKS_HOST"},
    [ATTR_ACCOUNT_ID] = {.name = "account_id", .env = "DATABRICKS_ACCOUNT_ID"},
    [ATTR_WORKSPACE_ID] = {.name = "workspace_id", .env = "DATABRICKS_WORKSPACE_ID"},
    [ATTR_GROUP_ID] = {.name = "group_id", .env = "DATABRICKS_GROUP_ID"},
    [ATTR_CLOUD] = {.name = "cloud", .env = "DATABRICKS_CLOUD", .type = ATTRIBUTE_CLOUD},
    [ATTR_DISCOVERY_URL] = {.name = "discovery_url", .env = "DATABRICKS_DISCOVERY_URL"},
    [ATTR_TOKEN] = {.name = "token", .env = "DATABRICKS_TOKEN", .family = "pat", .sensitive = true},
    [ATTR_TOKEN_AUDIENCE] = {.name = "token_audience", .env = "DATABRICKS_TOKEN_AUDIENCE"},
    [ATTR_OIDC_TOKEN_ENV] = {.name = "oidc_token_env",
                             .env = "DATABRICKS_OIDC_TOKEN_ENV",
                             .family = "env-oidc"},
    [ATTR_OIDC_TOKEN_FILEPATH] = {.name = "oidc_token_filepath",
                                  .env = "DATABRICKS_OIDC_TOKEN_FILEPATH",
                                  .env_alias = "DATABRICKS_OIDC_TOKEN_FILE",
                                  .family = "file-oidc"},
    [ATTR_USERNAME] = {.name = "username", .env = "DATABRICKS_USERNAME", .family = "basic"},
    [ATTR_PASSWORD] = {.name = "password",
                       .env = "DATABRICKS_PASSWORD",
                       .family = "basic",
                       .sensitive = true},
    [ATTR_CLIENT_ID] = {.name = "client_id", .env = "DATABRICKS_CLIENT_ID", .family = "oauth"},
    [ATTR_CLIENT_SECRET] = {.name = "client_secret",
                            .env = "DATABRICKS_CLIENT_SECRET",
                            .family = "oauth",
                            .sensitive = true},
    [ATTR_PROFILE] = {.name = "profile", .env = "DATABRICKS_CONFIG_PROFILE"},
    [ATTR_CONFIG_FILE] = {.name = "config_file", .env = "DATABRICKS_CONFIG_FILE"},
    [ATTR_GOOGLE_SERVICE_ACCOUNT] = {.name = "google_service_account",
                                     .env = "DATABRICKS_GOOGLE_SERVICE_ACCOUNT",
                                     .family = "google"},
    [ATTR_GOOGLE_CREDENTIALS] = {.name = "google_credentials",
                                 .env = "GOOGLE_CREDENTIALS",
                                 .family = "google",
                                 .sensitive = true},
    [ATTR_AZURE_WORKSPACE_RESOURCE_ID] = {.name = "azure_workspace_resource_id",
                                          .env = "DATABRICKS_AZURE_RESOURCE_ID",
                                          .family = "azure"},
    [ATTR_AZURE_USE_MSI] = {.name = "azure_use_msi",
                            .env = "ARM_USE_MSI",
                            .family = "azure",
                            .type = ATTRIBUTE_BOOL},
    [ATTR_AZURE_CLIENT_SECRET] = {.name = "azure_client_secret",
                                  .env = "ARM_CLIENT_SECRET",
                                  .family = "azure",
                                  .sensitive = true},
    [ATTR_AZURE_CLIENT_ID] = {.name = "azure_client_id", .env = "ARM_CLIENT_ID", .family = "azure"},
    [ATTR_AZURE_TENANT_ID] = {.name = "azure_tenant_id", .env = "ARM_TENANT_ID", .family = "azure"},
    [ATTR_AZURE_ENVIRONMENT] = {.name = "azure_environment", .env = "ARM_ENVIRONMENT"},
    [ATTR_DATABRICKS_CLI_PATH] = {.name = "databricks_cli_path", .env = "DATABRICKS_CLI_PATH"},
    [ATTR_AUTH_TYPE] = {.name = "auth_type", .env = "DATABRICKS_AUTH_TYPE"},
    [ATTR_CLUSTER_ID] = {.name = "cluster_id", .env = "DATABRICKS_CLUSTER_ID"},
    [ATTR_WAREHOUSE_ID] = {.name = "warehouse_id", .env = "DATABRICKS_WAREHOUSE_ID"},
    [ATTR_SERVERLESS_COMPUTE_ID] = {.name = "serverless_compute_id",
                                    .env = "DATABRICKS_SERVERLESS_COMPUTE_ID"},
    [ATTR_SKIP_VERIFY] = {.name = "skip_verify", .type = ATTRIBUTE_BOOL},
    [ATTR_HTTP_TIMEOUT_SECONDS] = {.name = "http_timeout_seconds", .type = ATTRIBUTE_NUMBER},
    [ATTR_DEBUG_TRUNCATE_BYTES] = {.name = "debug_truncate_bytes",
                                   .env = "DATABRICKS_DEBUG_TRUNCATE_BYTES",
                                   .type = ATTRIBUTE_INTEGER},
    [ATTR_DEBUG_HEADERS] = {.name = "debug_headers",
                            .env = "DATABRICKS_DEBUG_HEADERS",
                            .type = ATTRIBUTE_BOOL},
    [ATTR_RATE_LIMIT] = {.name = "rate_limit",
                         .env = "DATABRICKS_RATE_LIMIT",
                         .type = ATTRIBUTE_INTEGER},
    [ATTR_RETRY_TIMEOUT_SECONDS] = {.name = "retry_timeout_seconds", .type = ATTRIBUTE_INTEGER},
    [ATTR_METADATA_SERVICE_URL] = {.name = "metadata_service_url",
                                   .env = "DATABRICKS_METADATA_SERVICE_URL",
                                   .family = "metadata-service",
                                   .sensitive = true},
    [ATTR_MAX_CONNECTION_POOLS] = {.name = "max_connection_pools", .type = ATTRIBUTE_INTEGER},
    [ATTR_MAX_CONNECTIONS_PER_POOL] = {.name = "max_connections_per_pool",
                                       .type = ATTRIBUTE_INTEGER},
    [ATTR_DISABLE_ASYNC_TOKEN_REFRESH] = {.name = "disable_async_token_refresh",
                                          .env = "DATABRICKS_DISABLE_ASYNC_TOKEN_REFRESH",
                                          .type = ATTRIBUTE_BOOL},
    [ATTR_DISABLE_EXPERIMENTAL_FILES_API_CLIENT] =
        {.name = "disable_experimental_files_api_client",
         .env = "DATABRICKS_DISABLE_EXPERIMENTAL_FILES_API_CLIENT",
         .type = ATTRIBUTE_BOOL},
    [ATTR_SCOPES] = {.name = "scopes", .type = ATTRIBUTE_LIST},
    [ATTR_AUTHORIZATION_DETAILS] = {.name = "authorization_details"},
    [ATTR_DISABLE_OAUTH_REFRESH_TOKEN] = {.name = "disable_oauth_refresh_token",
                                          .env = "DATABRICKS_DISABLE_OAUTH_REFRESH_TOKEN",
                                          .type = ATTRIBUTE_BOOL},
};

const struct attribute_info *attribute_info(enum attribute attribute)
{
    return &table[attribute];
}

bool attribute_from_name(const char *name, enum attribute *ret_attribute)
{
    for (size_t i = 0; i < ATTRIBUTE_COUNT; i++) {
        if (strcmp(table[i].name, name) == 0) {
            *ret_attribute = (enum attribute)i;
            return true;
        }
    }
    return false;
}
