/* Any text as a connection string: what is accepted keeps the promises of its header. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "conf/connection_string.h"
#include "conf/stray_parameter.h"

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_header_text(const struct secret *value)
{
    check(value->len > 0 && strlen(value->bytes) == value->len);
    for (size_t i = 0; i < value->len; i++)
        check(value->bytes[i] >= 0x20 && value->bytes[i] < 0x7f);
}

static void check_accepted(const struct connection_string *string)
{
    check(string->host != NULL && string->host[0] != '\0' && string->port != 0);
    check(strpbrk(string->host, "[]@/;?#% ABCDEFGHIJKLMNOPQRSTUVWXYZ") == NULL);
    check(string->port_given || string->port == CONNECTION_STRING_DEFAULT_PORT);
    check(string->client_param_count <= CONNECTION_STRING_CLIENT_PARAMS);
    if (secret_is_set(&string->token))
        check_header_text(&string->token);
    for (size_t i = 0; i < string->headers.count; i++) {
        const struct metadata_entry *entry = &string->headers.entries[i];
        check(strspn(entry->name, "abcdefghijklmnopqrstuvwxyz0123456789_-.") ==
              strlen(entry->name));
        check(strncmp(entry->name, "grpc-", 5) != 0 && strcmp(entry->name, "token") != 0);
        check(metadata_find(&string->headers, entry->name) == entry);
        check_header_text(&entry->value);
        check(stray_parameter_meant(entry->name) == NULL ||
              strcmp(stray_parameter_meant(entry->name), entry->name) != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = xcalloc(1, size + 1);
    if (size > 0)
        memcpy(text, data, size);
    struct connection_string string = {0};
    struct err err = {0};
    static const char prefix[] = "connection string, column ";
    if (connection_string_parse(text, &string, &err)) {
        check_accepted(&string);
    } else {
        check(string.host == NULL && err.exit_code == EX_CONFIG);
        check(strncmp(err.message, prefix, sizeof prefix - 1) == 0);
        unsigned long column = strtoul(err.message + sizeof prefix - 1, NULL, 10);
        check(column >= 1 && column <= strlen(text) + 1);
    }
    connection_string_finish(&string);
    free(text);
    return 0;
}
