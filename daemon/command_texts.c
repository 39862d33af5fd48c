/* Subcommands whose text comes from the option table. */
#include <stdlib.h>
#include <sysexits.h>

#include "common/alloc.h"
#include "common/strbuf.h"
#include "conf/config.h"
#include "conf/schema.h"
#include "daemon/command.h"

/* Checks that there are no arguments a text command does not know, then prints `text`. */
static int print_text(int argc, char **argv, char **environment, char *text)
{
    struct config *config = NULL;
    int status = argc > 1 ? command_load_config(argc, argv, environment, &config) : EX_OK;
    config_destroy(config);
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
