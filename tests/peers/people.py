"""Users that exist for the tests alone, and processes that are theirs."""

import json
import os
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path

from raw_client import RawClient
from workspace.processes import Child

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class User:
    name: str
    uid: int
    gid: int
    groups: tuple = field(default=())  # supplementary


ROOT = User("root", 0, 0)
ALICE = User("alice", 21001, 21001)
BOB = User("bob", 21002, 22002)  # analysts is his primary group
CAROL = User("carol", 21003, 21003, (22002,))  # and one of hers
MALLORY = User("mallory", 21004, 21004)
NAMELESS = User(None, 21005, 21005)  # the user database does not know him
BRIDGE = User("bridge", 21000, 21000)  # an unprivileged daemon's
NAMED = (ROOT, ALICE, BOB, CAROL, MALLORY, BRIDGE)
PEOPLE = (*NAMED, NAMELESS)


def write_database(hosts_file):
    """The users as libnss_wrapper reads them, in files beside that of the hosts, and the FIFO at
    which user_database.c hangs; the variables that name them."""
    passwd, group = hosts_file.with_suffix(".passwd"), hosts_file.with_suffix(".group")
    passwd.write_text(
        "".join(f"{u.name}:x:{u.uid}:{u.gid}::/nonexistent:/bin/false\n" for u in NAMED)
    )
    members = ",".join(user.name for user in NAMED if 22002 in user.groups)
    groups = [f"{u.name}:x:{u.gid}:\n" for u in NAMED if u.uid == u.gid]
    group.write_text("".join(groups) + f"analysts:x:22002:{members}\n")
    gate = hosts_file.with_suffix(".gate")
    if not gate.exists():
        os.mkfifo(gate)
        gate.chmod(0o644)
    return {
        "USERS_GATE": str(gate),
        "NSS_WRAPPER_PASSWD": str(passwd),
        "NSS_WRAPPER_GROUP": str(group),
    }


class Dialer:
    """A process of that user, which opens connections. A context manager.

    `network` is "new" or the pid of a process whose network namespace it goes to,
    `user_namespace` "unmapped" or "root", which is what the user then is in it.
    """

    def __init__(self, user, *, network=None, user_namespace=None):
        self.user = user
        options = {
            "uid": user.uid,
            "gid": user.gid,
            "groups": user.groups,
            "network": network,
            "user_namespace": user_namespace,
        }
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(30)
        with theirs:
            self.child = Child(
                f"{user.name}'s dialer",
                [sys.executable, FOLDER / "dialer.py", json.dumps(options)],
                stdin=theirs,
            )
        if self._socket.recv(16) != b"ready":
            raise OSError(self.child.tail())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._socket.close()
        self.child.stop()

    @property
    def program(self):
        """The name of the program, as the kernel knows it."""
        return Path(f"/proc/{self.child.pid}/comm").read_text().strip()

    def dial(self, address):
        """A socket of the user's, connected to a path or (host, port)."""
        self._socket.send(json.dumps(address).encode())
        answer, descriptors, _, _ = socket.recv_fds(self._socket, 4096, 1)
        if not descriptors:
            raise OSError(answer.decode())
        return socket.socket(fileno=descriptors[0])

    def client(self, address):
        """An HTTP/2 client on such a connection."""
        return RawClient(self.dial(address))
