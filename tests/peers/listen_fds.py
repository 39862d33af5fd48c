"""Runs a command with a descriptor as a service manager passes it, sd_listen_fds(3):
`python listen_fds.py FD NAME COMMAND...`."""

import os
import sys

FIRST = 3

fd, name, *command = sys.argv[1:]
os.dup2(int(fd), FIRST, inheritable=True)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": name}
os.execvp(command[0], command)
