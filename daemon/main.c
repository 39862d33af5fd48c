/* sparkbridge: the program and its subcommands. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/command.h"

struct command {
    const char *name;
    int (*run)(int argc, char **argv, char **environment);
    const char *help;
};

static const struct command commands[] = {
    {"run", command_run, "serve clients until asked to stop"},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1, environ);
    fprintf(stderr, "usage: sparkbridge COMMAND [OPTION...]\n");
    return EX_USAGE;
}
