/*
 * How many files the process has open, for the check at its end that it has closed its own.
 */
#ifndef SPARKBRIDGE_DAEMON_OPEN_FILES_H
#define SPARKBRIDGE_DAEMON_OPEN_FILES_H

#include <stddef.h>

/* The number of file descriptors now, without those of files whose paths begin with `except`, which
 * may be NULL; 0 where /proc is not there to be asked. */
size_t open_files(const char *except);

#endif
