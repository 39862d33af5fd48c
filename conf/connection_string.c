/* Spark's client connection string, taken apart. */
#include "conf/connection_string.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/ascii.h"
#include "common/utf8.h"
#include "conf/authority.h"

static const char scheme[] = "sc://";

enum {
    USER_AGENT_MAX_BYTES = 2048, /* once percent-encoded; PySpark's limit */
    UUID_BYTES = 36,
};

struct parser {
    const char *text;
    struct connection_string *out;
    unsigned seen; /* one bit for each row of known_params */
    struct err *err;
};

struct param {
    char *key;           /* owned, lower case */
    struct secret value; /* percent-decoded; whoever keeps it moves it out */
    const char *key_at, *value_at;
};

typedef bool (*param_setter)(const struct parser *parser, struct param *param);

/* Reports a fault at the byte `at` of the text. */
static bool __attribute__((format(printf, 3, 4)))
fail(const struct parser *parser, const char *at, const char *format, ...)
{
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return err_set(parser->err, EX_CONFIG, "connection string, column %zu: %s",
                   (size_t)(at - parser->text) + 1, message);
}

static bool parse_authority(const struct parser *parser, const char *begin, size_t len)
{
    struct authority authority;
    struct authority_fault fault;
    if (!authority_parse(begin, len, &authority, &fault))
        return fail(parser, fault.at, "%s", fault.text);
    parser->out->host = authority.host;
    parser->out->port_given = authority.port != 0;
    if (parser->out->port_given)
        parser->out->port = authority.port;
    return true;
}

/* --- values ------------------------------------------------------------------------------ */

/* Percent-decodes into the value; only what a gRPC header or a protobuf string could not hold
 * anyway is refused here. */
static bool decode_value(const struct parser *parser, struct param *param, const char *end)
{
    struct secret *value = &param->value;
    secret_reserve(value, (size_t)(end - param->value_at));
    for (const char *c = param->value_at; c < end; c++) {
        const char *at = c;
        unsigned byte = (unsigned char)*c;
        if (*c == '%') {
            int high = end - c > 2 ? ascii_hex_digit(c[1]) : -1;
            int low = end - c > 2 ? ascii_hex_digit(c[2]) : -1;
            if (high < 0 || low < 0)
                return fail(parser, at,
                            "in the value of %.64s two hex digits must follow '%%': "
                            "write a '%%' itself as %%25",
                            param->key);
            byte = (unsigned)(high << 4 | low);
            c += 2;
        }
        if (byte < 0x20 || byte == 0x7f)
            return fail(parser, at, "the value of %.64s has a control character: remove it",
                        param->key);
        value->bytes[value->len++] = (char)byte;
    }
    return true;
}

/* gRPC's ASCII-Value, without the white space around it that HTTP/2 forbids (RFC 9113, 8.2.1). */
static bool check_header_value(const struct parser *parser, const struct param *param)
{
    const struct secret *value = &param->value;
    for (size_t i = 0; i < value->len; i++)
        if ((unsigned char)value->bytes[i] >= 0x80)
            return fail(parser, param->value_at, "the value of %.64s is not ASCII", param->key);
    if (value->bytes[0] == ' ' || value->bytes[value->len - 1] == ' ')
        return fail(parser, param->value_at,
                    "the value of %.64s begins or ends with a space: remove it", param->key);
    return true;
}

static bool read_bool(const struct parser *parser, const struct param *param, bool *ret_value)
{
    bool is_true = strcasecmp(param->value.bytes, "true") == 0;
    if (!is_true && strcasecmp(param->value.bytes, "false") != 0)
        return fail(parser, param->value_at, "%s must be true or false", param->key);
    *ret_value = is_true;
    return true;
}

/* A number from 1 to that of the largest Java int, which is what Spark's clients hold it in. */
static bool read_number(const struct parser *parser, const struct param *param, uint32_t *ret_value)
{
    uint64_t number = 0;
    for (const char *c = param->value.bytes; *c != '\0' && number <= INT32_MAX; c++)
        number = ascii_is_digit(*c) ? number * 10 + (uint64_t)(*c - '0') : UINT64_MAX;
    if (number == 0 || number > INT32_MAX)
        return fail(parser, param->value_at, "%s must be a number from 1 to %d", param->key,
                    INT32_MAX);
    *ret_value = (uint32_t)number;
    return true;
}

/* --- the parameters that are not headers ------------------------------------------------- */

static bool set_use_ssl(const struct parser *parser, struct param *param)
{
    parser->out->use_ssl_given = true;
    return read_bool(parser, param, &parser->out->use_ssl);
}

static bool set_token(const struct parser *parser, struct param *param)
{
    if (!check_header_value(parser, param))
        return false;
    secret_move(&parser->out->token, &param->value);
    return true;
}

/* What a client says for itself, in the requests that it makes: the bridge has no use for it. */
static void note_client_param(const struct parser *parser, const char *key)
{
    parser->out->client_params[parser->out->client_param_count++] = key;
}

static bool check_string(const struct parser *parser, const struct param *param)
{
    return utf8_is_valid(param->value.bytes, param->value.len) ||
           fail(parser, param->value_at, "the value of %s is not UTF-8", param->key);
}

static bool check_user_id(const struct parser *parser, struct param *param)
{
    note_client_param(parser, "user_id");
    return check_string(parser, param);
}

static bool check_user_agent(const struct parser *parser, struct param *param)
{
    size_t encoded = 0;
    for (const char *c = param->value.bytes; *c != '\0'; c++)
        encoded += ascii_is_alnum(*c) || strchr("_.-~/", *c) != NULL ? 1 : 3;
    if (encoded > USER_AGENT_MAX_BYTES)
        return fail(parser, param->value_at,
                    "user_agent is longer than %d characters when percent-encoded",
                    USER_AGENT_MAX_BYTES);
    note_client_param(parser, "user_agent");
    return check_string(parser, param);
}

static bool check_session_id(const struct parser *parser, struct param *param)
{
    bool ok = param->value.len == UUID_BYTES;
    for (size_t i = 0; ok && i < UUID_BYTES; i++) {
        char c = param->value.bytes[i];
        ok = i == 8 || i == 13 || i == 18 || i == 23 ? c == '-' : ascii_hex_digit(c) >= 0;
    }
    if (!ok)
        return fail(parser, param->value_at,
                    "session_id must be a UUID, as in 01234567-89ab-cdef-0123-456789abcdef");
    note_client_param(parser, "session_id");
    return check_string(parser, param);
}

static bool check_max_message_size(const struct parser *parser, struct param *param)
{
    uint32_t ignored;
    note_client_param(parser, "grpc_max_message_size");
    return read_number(parser, param, &ignored);
}

/* Spark 4.3's clients know the keep-alive parameters; the bridge keeps its connections alive by
 * its own rules, so these are only checked. */
static bool ignore_bool(const struct parser *parser, struct param *param)
{
    bool ignored;
    return read_bool(parser, param, &ignored);
}

static bool ignore_number(const struct parser *parser, struct param *param)
{
    uint32_t ignored;
    return read_number(parser, param, &ignored);
}

static const struct {
    const char *key;
    param_setter set;
} known_params[] = {
    {"use_ssl", set_use_ssl},
    {"token", set_token},
    {"user_id", check_user_id},
    {"user_agent", check_user_agent},
    {"session_id", check_session_id},
    {"grpc_max_message_size", check_max_message_size},
    {"grpc_keepalive_enabled", ignore_bool},
    {"grpc_keepalive_time_ms", ignore_number},
    {"grpc_keepalive_timeout_ms", ignore_number},
    {"grpc_keepalive_without_calls", ignore_bool},
};

/* --- headers ----------------------------------------------------------------------------- */

static const char not_yours[] = "it belongs to the connection, not to a call; remove it";

static const struct {
    const char *name, *remedy;
} reserved_headers[] = {
    {"authorization", "it is made from the token, use token=..."},
    {"user-agent", "use user_agent=..."},
    {"connection", not_yours},
    {"content-length", not_yours},
    {"content-type", not_yours},
    {"expect", not_yours},
    {"host", not_yours},
    {"http2-settings", not_yours},
    {"keep-alive", not_yours},
    {"proxy-authenticate", not_yours},
    {"proxy-authorization", not_yours},
    {"proxy-connection", not_yours},
    {"te", not_yours},
    {"trailer", not_yours},
    {"transfer-encoding", not_yours},
    {"upgrade", not_yours},
};

static bool check_header_name(const struct parser *parser, const struct param *param)
{
    const char *key = param->key;
    size_t len = strlen(key);
    if (strncmp(key, "grpc-", 5) == 0)
        return fail(parser, param->key_at,
                    "%.64s: gRPC keeps names with grpc- to itself: remove it", key);
    if (len >= 4 && strcmp(key + len - 4, "-bin") == 0)
        return fail(parser, param->key_at,
                    "%.64s: a binary header cannot come from a connection string: remove it", key);
    for (size_t i = 0; i < sizeof reserved_headers / sizeof reserved_headers[0]; i++)
        if (strcmp(key, reserved_headers[i].name) == 0)
            return fail(parser, param->key_at, "%s cannot be set here: %s", key,
                        reserved_headers[i].remedy);
    return true;
}

static bool set_header(const struct parser *parser, struct param *param)
{
    if (!check_header_name(parser, param) || !check_header_value(parser, param))
        return false;
    struct metadata *headers = &parser->out->headers;
    if (metadata_find(headers, param->key) != NULL)
        return fail(parser, param->key_at, "%.64s is given twice: remove one", param->key);
    if (!metadata_append(headers, param->key, param->value.bytes, param->value.len))
        return fail(parser, param->key_at, "more than %d headers", METADATA_MAX_ENTRIES);
    return true;
}

/* --- parameters -------------------------------------------------------------------------- */

static bool set_param(struct parser *parser, struct param *param)
{
    for (size_t i = 0; i < sizeof known_params / sizeof known_params[0]; i++) {
        if (strcmp(param->key, known_params[i].key) != 0)
            continue;
        if ((parser->seen & 1u << i) != 0)
            return fail(parser, param->key_at, "%s is given twice: remove one", param->key);
        parser->seen |= 1u << i;
        return known_params[i].set(parser, param);
    }
    return set_header(parser, param);
}

/* Finds the '=' behind the key. Where there is none, no text is quoted: it may be a token whose key
 * was forgotten. */
static bool split_param(const struct parser *parser, const char *begin, const char *end,
                        const char **ret_equals)
{
    const char *equals = memchr(begin, '=', (size_t)(end - begin));
    if (begin == end)
        return fail(parser, begin - 1, "no parameter follows this ';': remove it");
    const char *stray = begin + strcspn(begin, "/?#");
    if (stray < end)
        return fail(parser, stray, "in a parameter '%c' must be written as %%%02X", *stray,
                    (unsigned)*stray);
    if (equals == NULL)
        return fail(parser, begin, "this parameter has no '=': write key=value");
    if (equals == begin)
        return fail(parser, begin, "the key in front of '=' is missing: write key=value");
    for (const char *c = begin; c < equals; c++)
        if (!ascii_is_alnum(*c) && strchr("_-.", *c) == NULL)
            return fail(parser, c, "a key may only have letters, digits, '_', '-' and '.'");
    int key_len = equals - begin > 64 ? 64 : (int)(equals - begin);
    if (equals + 1 == end)
        return fail(parser, end, "%.*s has no value: write one or remove the parameter", key_len,
                    begin);
    const char *second = memchr(equals + 1, '=', (size_t)(end - equals - 1));
    if (second != NULL)
        return fail(parser, second, "in the value of %.*s '=' must be written as %%3D", key_len,
                    begin);
    *ret_equals = equals;
    return true;
}

static bool parse_param(struct parser *parser, const char *begin, const char *end)
{
    const char *equals = begin;
    if (!split_param(parser, begin, end, &equals))
        return false;
    struct param param = {
        .key = xstrndup(begin, (size_t)(equals - begin)),
        .key_at = begin,
        .value_at = equals + 1,
    };
    ascii_lower_text(param.key);
    bool ok = decode_value(parser, &param, end) && set_param(parser, &param);
    free(param.key);
    secret_finish(&param.value);
    return ok;
}

/* What follows the authority: nothing, "/", or "/;" and parameters. */
static bool parse_path(struct parser *parser, const char *at)
{
    if (*at == ';')
        return fail(parser, at,
                    "a '/' must stand between the host and the parameters: "
                    "sc://HOST:PORT/;key=value");
    if (*at == '/')
        at++;
    if (*at == '?' || *at == '#')
        return fail(parser, at,
                    "'%c' is not part of a connection string: "
                    "parameters follow as /;key=value",
                    *at);
    if (*at != '\0' && *at != ';')
        return fail(parser, at, "the path must be empty: parameters follow as /;key=value");
    while (*at == ';' && (at[1] != '\0' || at[-1] != '/')) {
        const char *begin = at + 1;
        at = begin + strcspn(begin, ";");
        if (!parse_param(parser, begin, at))
            return false;
    }
    return true;
}

static bool parse(struct parser *parser)
{
    const char *text = parser->text;
    if (strnlen(text, CONNECTION_STRING_MAX_BYTES + 1) > CONNECTION_STRING_MAX_BYTES)
        return fail(parser, text + CONNECTION_STRING_MAX_BYTES, "longer than %d bytes",
                    CONNECTION_STRING_MAX_BYTES);
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return fail(parser, c, "a control character (0x%02x): remove it", (unsigned)*c);
    size_t scheme_len = sizeof scheme - 1;
    if (strncmp(text, scheme, scheme_len) != 0)
        return fail(parser, text, "it must begin with sc://, in lower case: sc://HOST:PORT");
    const char *authority = text + scheme_len;
    size_t authority_len = strcspn(authority, "/;?#");
    if (!parse_authority(parser, authority, authority_len) ||
        !parse_path(parser, authority + authority_len))
        return false;
    if (secret_is_set(&parser->out->token) && !parser->out->use_ssl_given)
        parser->out->use_ssl = true;
    return true;
}

bool connection_string_parse(const char *text, struct connection_string *ret, struct err *err)
{
    *ret = (struct connection_string){.port = CONNECTION_STRING_DEFAULT_PORT};
    struct parser parser = {.text = text, .out = ret, .err = err};
    if (parse(&parser))
        return true;
    connection_string_finish(ret);
    return false;
}

void connection_string_finish(struct connection_string *string)
{
    if (string == NULL)
        return;
    free(string->host);
    secret_finish(&string->token);
    metadata_finish(&string->headers);
    *string = (struct connection_string){0};
}
