"""Becomes another user, in other namespaces if need be, and opens connections for the test that
started it: `python dialer.py OPTIONS`, OPTIONS being JSON.

Socket 0 leads to the test, which sends an address and gets back the connected socket, or a word
why there is none. It is this process's: the kernel knows its user as the socket's.
"""

import ctypes
import json
import os
import socket
import sys

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PR_SET_DUMPABLE = 4
NETLINK_SOCK_DIAG = 4

libc = ctypes.CDLL(None, use_errno=True)


def check(result):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def enter_network_of(pid):
    with open(f"/proc/{pid}/ns/net") as namespace:
        check(libc.setns(namespace.fileno(), CLONE_NEWNET))


def become(uid, gid, groups):
    os.setgroups(groups)
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def enter_user_namespace(*, as_root):
    uid = os.getuid()
    check(libc.unshare(CLONE_NEWUSER))
    if as_root:
        check(libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))  # else the map is not ours to write
        with open("/proc/self/uid_map", "w") as ids:
            ids.write(f"0 {uid} 1")


def dial(address):
    """`address` is a path, [host, port], or "sock_diag", which asks the kernel for sockets."""
    if address == "sock_diag":
        return socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_SOCK_DIAG)
    family = socket.AF_UNIX
    if isinstance(address, list):
        address = tuple(address)
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    connection = socket.socket(family)
    connection.settimeout(10)
    if family != socket.AF_UNIX:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


def main(options):
    if options.get("network") == "new":
        check(libc.unshare(CLONE_NEWNET))
    elif options.get("network"):
        enter_network_of(options["network"])
    become(options["uid"], options["gid"], options["groups"])
    if options.get("user_namespace"):
        enter_user_namespace(as_root=options["user_namespace"] == "root")
    tester = socket.socket(fileno=0)
    tester.send(b"ready")
    while question := tester.recv(4096):
        try:
            with dial(json.loads(question)) as connection:
                socket.send_fds(tester, [b"connected"], [connection.fileno()])
        except OSError as error:
            tester.send(str(error).encode())


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
