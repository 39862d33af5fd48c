/* Subcommands whose text comes from the option table, and how all of them print. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/alloc.h"
#include "common/strbuf.h"
#include "conf/config.h"
#include "conf/schema.h"
#include "daemon/command.h"

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

/* Checks that there are no arguments a text command does not know, then prints `text`. */
static int print_text(int argc, char **argv, char **environment, char *text)
{
    struct config *config = NULL;
    struct diag_list diags = {0};
    int status = EX_OK;
    if (argc > 1) {
        config_load(argc, argv, environment, &config, &diags);
        status = diag_list_exit_code(&diags);
        command_print_diags(&diags);
        diag_list_finish(&diags);
        config_destroy(config);
    }
    if (status == EX_OK)
        return command_print(text, EX_OK);
    free(text);
    return status;
}

int command_version(int argc, char **argv, char **environment)
{
    return print_text(argc, argv, environment, xstrdup("sparkbridge " SPARKBRIDGE_VERSION "\n"));
}

int command_schema(int argc, char **argv, char **environment)
{
    struct strbuf text = {0};
    schema_write(&text);
    return print_text(argc, argv, environment, strbuf_take(&text));
}

int command_sample_config(int argc, char **argv, char **environment)
{
    struct strbuf text = {0};
    sample_write(&text);
    return print_text(argc, argv, environment, strbuf_take(&text));
}
