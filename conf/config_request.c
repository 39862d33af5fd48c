/* From a listener's part of the configuration to the request that resolve() takes. */
#include <string.h>

#include "conf/config.h"
#include "conf/read_file.h"

/* The file holds the token and perhaps one newline; anything else in it is a mistake that would
 * end up in a header. The bytes are not quoted. */
static bool check_token(const char *path, struct secret *token, struct err *err)
{
    if (token->len > 0 && token->bytes[token->len - 1] == '\n')
        token->len--;
    if (token->len > 0 && token->bytes[token->len - 1] == '\r')
        token->len--;
    token->bytes[token->len] = '\0';
    if (token->len == 0)
        return err_set(err, EX_CONFIG, "%s: is empty; it has to hold the access token", path);
    for (size_t i = 0; i < token->len; i++) {
        unsigned char c = (unsigned char)token->bytes[i];
        if (c <= 0x20 || c >= 0x7f)
            return err_set(err, EX_CONFIG,
                           "%s: byte %zu is %s; the file has to hold the access token alone, on "
                           "one line",
                           path, i + 1,
                           c == '\n'   ? "a newline"
                           : c == ' '  ? "a space"
                           : c >= 0x7f ? "not ASCII"
                                       : "a control character");
    }
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
        struct secret content = {0};
        struct stat status;
        if (!read_file(listener->token_file, CONFIG_TOKEN_MAX_BYTES, &content, &status, err) ||
            !check_private(listener->token_file, &status, "the access token", err) ||
            !check_token(listener->token_file, &content, err)) {
            secret_finish(&content);
            return err_prefix(err, "token file ");
        }
        secret_move(token, &content);
        request.token = token;
        request.token_source = listener->token_source;
    }
    *ret_request = request;
    return true;
}
