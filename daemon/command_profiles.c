/* `sparkbridge profiles`: the profiles of the SDK's file. */
#include <stdio.h>

#include "conf/config.h"
#include "conf/profiles.h"
#include "daemon/command.h"

int command_profiles(int argc, char **argv, char **environment)
{
    struct config *config = NULL;
    struct profile_list list = {0};
    struct err err = {0};

    int status = command_load_config(argc, argv, environment, &config);
    if (config == NULL)
        return status;
    if (profile_list_load(config->listeners[0].config_file, environment, &list, &err)) {
        status = command_print(config->json ? profile_list_json(&list) : profile_list_table(&list),
                               EX_OK);
    } else {
        fprintf(stderr, "%s\n", err.message);
        status = err.exit_code;
    }
    profile_list_finish(&list);
    config_destroy(config);
    return status;
}
