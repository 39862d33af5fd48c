/* From a listener's part of the configuration to the request that resolve() takes. */
#include <string.h>
#include <strings.h>

#include "conf/config.h"
#include "conf/read_file.h"

/* The file holds the secret, `what`, and perhaps one newline; anything else in it is a mistake that
 * would end up in a header. The bytes are not quoted. */
static bool check_secret(const char *path, const char *what, struct secret *token, struct err *err)
{
    if (token->len > 0 && token->bytes[token->len - 1] == '\n')
        token->len--;
    if (token->len > 0 && token->bytes[token->len - 1] == '\r')
        token->len--;
    token->bytes[token->len] = '\0';
    if (token->len == 0)
        return err_set(err, EX_CONFIG, "%s: is empty; it has to hold %s", path, what);
    for (size_t i = 0; i < token->len; i++) {
        unsigned char c = (unsigned char)token->bytes[i];
        if (c <= 0x20 || c >= 0x7f)
            return err_set(err, EX_CONFIG,
                           "%s: byte %zu is %s; the file has to hold %s alone, on one line", path,
                           i + 1,
                           c == '\n'   ? "a newline"
                           : c == ' '  ? "a space"
                           : c >= 0x7f ? "not ASCII"
                                       : "a control character",
                           what);
    }
    return true;
}

/* A line of another file's, as of a shell's or of ~/.databrickscfg, in place of the token alone. */
static bool check_token(const char *source, const struct secret *token, struct err *err)
{
    static const char *const names[] = {"token", "databricks_token", "access_token", NULL};
    const char *text = token->bytes;
    if (text[0] == '"' || text[0] == '\'' || text[token->len - 1] == '"' ||
        text[token->len - 1] == '\'')
        return err_set(err, EX_CONFIG,
                       "%s: has quotation marks around the token; leave them out, the file has to "
                       "hold the access token alone",
                       source);
    for (size_t i = 0; names[i] != NULL; i++) {
        size_t len = strlen(names[i]);
        if (strncasecmp(text, names[i], len) == 0 && (text[len] == '=' || text[len] == ':'))
            return err_set(err, EX_CONFIG,
                           "%s: has a name in front of the token; leave it out, the file has to "
                           "hold the access token alone",
                           source);
    }
    return true;
}

/* Reads and checks a file that holds one secret. What is said of the path is said of the option
 * that names it, `source`. */
static bool read_secret(const char *path, const char *source, const char *what,
                        struct secret *ret_secret, struct err *err)
{
    struct secret content = {0};
    struct stat status;
    struct err fault;
    if (read_file(path, CONFIG_TOKEN_MAX_BYTES, &content, &status, &fault) &&
        check_private(path, &status, what, &fault) && check_secret(path, what, &content, &fault)) {
        secret_move(ret_secret, &content);
        return true;
    }
    secret_finish(&content);
    return err_set(err, fault.exit_code, "%s%s", source, fault.message + strlen(path));
}

bool listener_config_client_secret(const struct listener_config *listener,
                                   struct secret *ret_secret, struct err *err)
{
    const char *source = listener->client_secret_source;
    struct secret secret = {0};
    if (listener->client_secret_file == NULL)
        return true;
    if (!read_secret(listener->client_secret_file, source, "the secret of the clients", &secret,
                     err))
        return false;
    if (secret.len < CONFIG_CLIENT_SECRET_MIN_BYTES) {
        secret_finish(&secret);
        return err_set(err, EX_CONFIG,
                       "%s: is too easy to guess with less than %d characters; "
                       "`openssl rand -hex 32` makes a good one",
                       source, CONFIG_CLIENT_SECRET_MIN_BYTES);
    }
    secret_move(ret_secret, &secret);
    return true;
}

bool listener_config_request(const struct listener_config *listener, char *const *environment,
                             struct secret *token, struct resolve_request *ret_request,
                             struct err *err)
{
    struct resolve_request request = {
        .remote = listener->remote.bytes,
        .host = listener->host,
        .cluster_id = listener->cluster_id,
        .serverless = listener->serverless,
        .no_compute = listener->no_compute,
        .profile = listener->profile,
        .config_file = listener->config_file,
        .resolution = listener->resolution,
        .environment = environment,
        .remote_source = listener->remote_source,
        .host_source = listener->host_source,
        .cluster_id_source = listener->cluster_id_source,
        .serverless_source = listener->serverless_source,
        .no_compute_source = listener->no_compute_source,
        .profile_source = listener->profile_source,
    };
    if (listener->token_file != NULL) {
        if (!read_secret(listener->token_file, listener->token_source, "the access token", token,
                         err))
            return false;
        if (!check_token(listener->token_source, token, err)) {
            secret_finish(token);
            return false;
        }
        request.token = token;
        request.token_source = listener->token_source;
    }
    *ret_request = request;
    return true;
}
