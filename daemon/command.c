/* What the subcommands have in common: how they read the configuration, and how they print. */
#include "daemon/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "conf/config.h"

int command_load_config(int argc, char **argv, char **environment, struct config **ret_config)
{
    struct diag_list diags = {0};
    config_load(argc, argv, environment, ret_config, &diags);
    command_print_diags(&diags);
    int status = diag_list_exit_code(&diags);
    diag_list_finish(&diags);
    return status;
}

void command_print_diags(const struct diag_list *diags)
{
    for (size_t i = 0; i < diags->count; i++)
        fprintf(stderr, "%s%s\n", diags->items[i].severity == DIAG_WARNING ? "warning: " : "",
                diags->items[i].message);
    if (diags->dropped > 0)
        fprintf(stderr, "%zu more faults are not shown\n", diags->dropped);
}

int command_print(char *text, int status)
{
    bool written = fputs(text, stdout) >= 0 && fflush(stdout) == 0;
    free(text);
    if (written)
        return status;
    fprintf(stderr, "sparkbridge: cannot write to standard output: %s\n", strerror(errno));
    return EX_IOERR;
}
