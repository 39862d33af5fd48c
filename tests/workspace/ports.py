"""Ports for programs that cannot choose a free one themselves."""

import contextlib
import socket


def free_ports(count):
    """So many different ports of 127.0.0.1 that were free a moment ago."""
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [server.getsockname()[1] for server in servers]
