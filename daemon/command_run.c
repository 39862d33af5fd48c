/* `sparkbridge run`: the daemon. */
#include "common/log.h"
#include "daemon/bridge.h"
#include "daemon/command.h"
#include "daemon/setup.h"

int command_run(int argc, char **argv, char **environment)
{
    const struct setup_source source = {.argc = argc, .argv = argv, .environment = environment};
    struct setup setup = {0};
    struct diag_list diags = {0};
    struct err err = {0};

    bool loaded = setup_load(&source, &setup, &diags);
    if (loaded)
        log_set_level(setup.config->log_level);
    setup_log_diags(&diags);
    int status = diag_list_exit_code(&diags);
    diag_list_finish(&diags);
    if (!loaded)
        return status;
    status = bridge_run(&setup, &source, &err);
    if (err.message[0] != '\0')
        log_error("%s", err.message);
    return status;
}
