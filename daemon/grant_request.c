/* What one grant is resolved from. */
#include "daemon/grant_request.h"

#include <stdlib.h>

bool grant_request_plain(const struct listener_config *listener, char *const *environment,
                         struct grant_request *ret_request, struct err *err)
{
    *ret_request = (struct grant_request){0};
    return listener_config_request(listener, environment, &ret_request->token,
                                   &ret_request->request, err);
}

bool grant_request_row(const struct peer_row *row, const struct grant_user *user,
                       struct grant_request *ret_request, struct err *err)
{
    *ret_request = (struct grant_request){.path = peer_row_path(row, user->uid, user->name, err)};
    if (ret_request->path == NULL)
        return false;
    ret_request->request = (struct resolve_request){
        .config_file = ret_request->path,
        .trusted_file = true,
        .profile = row->profile,
        .profile_source = row->profile_source,
        .environment = NULL,
    };
    return true;
}

void grant_request_choose(struct grant_request *request, const struct peer_policy *policy,
                          int profile)
{
    if (profile == GRANT_OWN_PROFILE)
        return;
    request->request.profile = policy->client_profiles[profile];
    request->request.profile_source = policy->client_header;
}

void grant_request_finish(struct grant_request *request)
{
    secret_finish(&request->token);
    free(request->path);
}
