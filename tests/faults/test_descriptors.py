"""File descriptors that run out: who can be served is, who cannot waits, and nothing is busy."""

import contextlib
import json
import os
import resource
import select
import signal
import socket
import subprocess

import pytest
from frames import Upstream
from measures import processor_s
from raw_client import RawClient
from scene import SOON_S

STATUS = b'{"command":"status"}\n'
WATCHED_S = 1


def lowest_free(pid):
    """The number that the process's next descriptor would get."""
    used = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}
    return min(set(range(len(used) + 1)) - used)


class Short:
    """A scene with a control socket, whose bridge can be left without descriptors."""

    def __init__(self, scene, control, build):
        self._build = build
        self.scene = scene
        self.child = scene.bridge.child
        self.pid = self.child.pid
        self.control = control
        self._before = resource.prlimit(self.pid, resource.RLIMIT_NOFILE)

    def limit(self, count):
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (count, self._before[1]))

    def take_all(self):
        """It may open nothing more; what it has open it may close and open again."""
        self.limit(lowest_free(self.pid))

    def take_the_spare_too(self):
        self.limit(3)

    def give_back(self):
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, self._before)

    @contextlib.contextmanager
    def asker(self, question=b""):
        """A connection to the control socket."""
        with socket.socket(socket.AF_UNIX) as made:
            made.settimeout(SOON_S)
            made.connect(str(self.control))
            made.sendall(question)
            yield made

    def table(self):
        """What `sparkbridge status` prints: the first word of a line, and the rest."""
        done = subprocess.run(
            [self._build, "status", "--control", f"unix:{self.control}"],
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 0, done.stderr
        return dict(line.split(None, 1) for line in done.stdout.splitlines() if " " in line)

    def check_waits_idly(self, *sockets):
        """None of them hears anything, and the bridge has next to nothing to do."""
        before = processor_s(self.pid)
        assert select.select(sockets, [], [], WATCHED_S)[0] == []
        assert processor_s(self.pid) - before < WATCHED_S / 10


def check_status(asker):
    [line] = asker.makefile("rb").readlines()
    assert json.loads(line)["status"]["state"] == "serving"


def check_closed(link):
    """Its end comes at once, in one way or another."""
    with contextlib.suppress(ConnectionResetError):
        assert link.recv(1) == b""


@pytest.fixture(params=["sanitized", "release"])
def short(request, bridges, place, scenes, tmp_path):
    control = tmp_path / "control.sock"
    build = request.getfixturevalue("binary" if request.param == "sanitized" else "release_binary")
    upstream = Upstream(place.certificate.server_context())
    scene = scenes(upstream, binary=build, arguments=("--control", f"unix:{control}"))
    scene.check_nothing_is_left()
    made = Short(scene, control, build)
    yield made
    if made.child.exit_code is None:
        made.give_back()


def test_status_with_the_last_descriptor(short):
    """Clients are closed at once, those there are go on, and the bridge says how it is."""
    with short.scene.client() as client:
        short.scene.check_works(client)
        before = short.table()
        short.take_all()
        for _ in range(3):
            with short.scene.dial() as refused:
                check_closed(refused)
            short.scene.check_works(client)
        assert short.table()["privileges"] == before["privileges"]
        short.scene.check_works(client)
    said = short.scene.bridge.wait_for_log(lambda fields: "is closed at once" in fields["msg"])
    assert "no file descriptor is left" in said["msg"] and "LimitNOFILE=" in said["msg"]
    short.give_back()
    with short.scene.client() as client:
        short.scene.check_works(client)


def test_the_last_descriptor_is_taken(short):
    """By somebody who does not ask: who asks after him waits for him to go."""
    short.take_all()
    with short.asker() as silent, short.asker(STATUS) as waiting:
        short.check_waits_idly(silent, waiting)
        silent.close()
        check_status(waiting)
    with short.asker(STATUS) as asker:
        check_status(asker)


def test_no_spare_descriptor(short):
    """Whoever comes is served when there are descriptors again."""
    short.take_the_spare_too()
    with short.asker(STATUS) as waiting, short.scene.dial() as link:
        short.check_waits_idly(waiting, link)
        for name in ("control socket", "127.0.0.1"):
            said = short.scene.bridge.wait_for_log(
                lambda fields: fields["msg"].startswith(name) and "none could be" in fields["msg"]
            )
            assert "too many open files" in said["msg"] and "LimitNOFILE=" in said["msg"]
        short.give_back()
        check_status(waiting)
        with RawClient(link) as client:
            short.scene.check_works(client)
    short.scene.check_nothing_is_left()


# LeakSanitizer needs descriptors for its own check at the end.
@pytest.mark.parametrize("short", ["release"], indirect=True)
def test_the_end_without_descriptors(short):
    short.take_the_spare_too()
    with short.asker(STATUS) as waiting, short.scene.dial() as link:
        short.check_waits_idly(waiting, link)
        short.child.send_signal(signal.SIGTERM)
        assert short.child.wait(10) == 0
