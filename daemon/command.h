/*
 * The subcommands of the program: each takes its arguments (argv[0] is its own name) and the
 * environment, writes to standard output and error, and returns the exit status.
 */
#ifndef SPARKBRIDGE_DAEMON_COMMAND_H
#define SPARKBRIDGE_DAEMON_COMMAND_H

int command_run(int argc, char **argv, char **environment);

#endif
