/*
 * The subcommands of the program: each takes its arguments (argv[0] is its own name) and the
 * environment, writes to standard output and error, and returns the exit status.
 */
#ifndef SPARKBRIDGE_DAEMON_COMMAND_H
#define SPARKBRIDGE_DAEMON_COMMAND_H

#include "conf/diag.h"

int command_run(int argc, char **argv, char **environment);
int command_check(int argc, char **argv, char **environment);
int command_explain(int argc, char **argv, char **environment);
int command_profiles(int argc, char **argv, char **environment);
int command_status(int argc, char **argv, char **environment);

/* Those whose text comes from the tables. */
int command_version(int argc, char **argv, char **environment);
int command_schema(int argc, char **argv, char **environment);
int command_sample_config(int argc, char **argv, char **environment);

struct config;

/* Reads the configuration and prints what is to be said of it; the exit status, EX_OK for one that
 * can be used. *ret_config is the caller's to destroy, or NULL. */
int command_load_config(int argc, char **argv, char **environment, struct config **ret_config);

/* Writes each diagnostic to standard error, a line each. */
void command_print_diags(const struct diag_list *diags);

/* Writes `text` to standard output, all of it or EX_IOERR; frees it. Returns `status` otherwise. */
int command_print(char *text, int status);

#endif
