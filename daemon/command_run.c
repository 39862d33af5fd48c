/* `sparkbridge run`: the daemon. */
#include <assert.h>

#include "common/log.h"
#include "common/secret_memory.h"
#include "conf/environment.h"
#include "daemon/bridge.h"
#include "daemon/command.h"
#include "daemon/sandbox.h"
#include "daemon/setup.h"

/* The sanitizers see no leak in the secrets' own memory. */
static void check_secrets_are_gone(void)
{
    struct secret_memory_usage usage;
    secret_memory_usage(&usage);
    assert(usage.blocks == 0);
}

int command_run(int argc, char **argv, char **environment)
{
    log_open(environment_get(environment, "JOURNAL_STREAM"));
    enum log_lines lines; /* the environment's counts from the first fault of a configuration */
    if (log_lines_from_text(environment_get(environment, "SPARKBRIDGE_LOG_FORMAT"), &lines))
        log_set_lines(lines);
    sandbox_hide_memory(); /* before the first secret is read */
    struct remembered_environment remembered;
    environment_remember(environment, &remembered);
    const struct setup_source source = {
        .argc = argc, .argv = argv, .environment = remembered.variables};
    struct setup setup = {0};
    struct diag_list diags = {0};
    struct err err = {0};

    bool loaded = setup_load(&source, &setup, &diags);
    if (loaded) {
        log_set_level(setup.config->log_level);
        log_set_lines(setup.config->log_lines);
    }
    setup_log_diags(&diags);
    int status = diag_list_exit_code(&diags);
    diag_list_finish(&diags);
    environment_wipe_secrets(environment);
    if (loaded)
        status = bridge_run(&setup, &source, &err);
    if (loaded && status != EX_OK && err.message[0] != '\0')
        log_error("%s", err.message);
    remembered_environment_finish(&remembered);
    check_secrets_are_gone();
    return status;
}
