"""A real systemd, as PID 1 of namespaces of its own, with the host's programs and nothing of its
state: boots in half a second, writes nothing outside of its own memory.

Needs root, and cgroup v2 somewhere.
"""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Enters the machine as a user, with the bus of that user's own systemd.
AS_USER = """u=$1; shift; i=$(id -u "$u")
exec setpriv --reuid "$u" --regid "$(id -g "$u")" --init-groups \
    env HOME="$(getent passwd "$u" | cut -d: -f6)" USER="$u" XDG_RUNTIME_DIR=/run/user/$i \
    DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/$i/bus "$@"
"""


def wait_for(condition, what, seconds=30):
    """The first true value of `condition`, or a failure that names what was waited for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        threading.Event().wait(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


def _cgroup_root():
    for line in Path("/proc/mounts").read_text().splitlines():
        if line.split()[2] == "cgroup2":
            return Path(line.split()[1])
    raise RuntimeError("there is no cgroup2 mount")


class Machine:
    """`state` is a directory; `hook` a shell script that changes the root $R before the boot, which
    is a copy of the tree at `root`."""

    def __init__(self, state, hook, root="/"):
        self.state = Path(state)
        self.shared = self.state / "shared"
        (self.state / "mnt").mkdir(parents=True)
        self.shared.mkdir()
        self.shared.chmod(0o755)
        self._cgroup = _cgroup_root() / f"sparkbridge-tests-{os.getpid()}-{self.state.name}"
        self._cgroup.mkdir()
        hook_file = self.state / "hook.sh"
        hook_file.write_text(hook)
        self._log = (self.state / "log").open("wb")
        self._outer = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "--uts", "--ipc", "--net", "--pid"]
            + ["--cgroup", "--fork", "--kill-child", "bash", HERE / "stage1.sh", self.state, hook_file, root],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
            preexec_fn=lambda: (self._cgroup / "cgroup.procs").write_text(str(os.getpid())),
        )
        self._leader = None
        try:
            self._leader = wait_for(self._find_leader, "systemd runs")
            private = Path(f"/proc/{self._leader}/root/run/systemd/private")
            wait_for(private.exists, "systemd answers")
            self.run("systemctl", "is-system-running", "--wait", check=False)
        except BaseException:
            self._kill()
            self._clean_up()
            raise

    def _find_leader(self):
        if self._outer.poll() is not None:
            raise RuntimeError((self.state / "log").read_text())
        children = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children").read_text()
        for pid in children.split():
            if Path(f"/proc/{pid}/comm").read_text() == "systemd\n":
                return int(pid)
        return None

    def _enter(self):
        entrance = self._cgroup / "enter"
        entrance.mkdir(exist_ok=True)
        (entrance / "cgroup.procs").write_text(str(os.getpid()))

    def _words(self, words, user):
        inside = ["nsenter", "-t", str(self._leader)]
        inside += ["-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "env", "-i", "LANG=C.UTF-8"]
        inside += ["HOME=/root", "container=machine", f"PATH={PATH}"]
        if user is not None:
            inside += ["/bin/sh", "-c", AS_USER, "_", user]
        return inside + [str(word) for word in words]

    def start(self, *words, user=None, **keywords):
        """A Popen of a program that runs inside."""
        return subprocess.Popen(self._words(words, user), preexec_fn=self._enter, **keywords)

    def run(self, *words, user=None, check=True):
        """Runs a program inside to its end; returns what it wrote to standard output."""
        process = self.start(
            *words, user=user, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            output, errors = process.communicate(timeout=120)
        except BaseException:
            process.kill()
            process.communicate()
            raise
        if check and process.returncode != 0:
            raise AssertionError(f"{words}: {process.returncode}\n{output}{errors}")
        return output if check else output + errors

    def shell(self, script, user=None, check=True):
        return self.run("sh", "-ec", script, user=user, check=check)

    def property(self, unit, name, *more):
        return self.run("systemctl", *more, "show", "-P", name, unit).strip()

    def listen(self, port):
        """A socket of this process that listens on the machine's loopback."""
        made = []

        def make():
            # Only this thread goes there; a socket stays where it was made.
            with open(f"/proc/{self._leader}/ns/net") as namespace:
                if _libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            made.append(socket.create_server(("127.0.0.1", port), backlog=256))

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        return made[0]

    def stop(self):
        try:
            if self._outer.poll() is None:
                os.kill(self._leader, signal.SIGRTMIN + 4)  # poweroff.target
            self._outer.wait(15)
        except subprocess.TimeoutExpired:
            self._kill()
        finally:
            self._clean_up()

    def _kill(self):
        """With PID 1 everything inside goes; before it is found it goes with unshare
        (--kill-child)."""
        if self._leader is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._leader, signal.SIGKILL)
        self._outer.kill()
        self._outer.wait(15)

    def _clean_up(self):
        self._log.close()
        events = self._cgroup / "cgroup.events"
        wait_for(lambda: "populated 0" in events.read_text(), "the machine's processes are gone", 15)
        for directory in sorted(self._cgroup.rglob("*"), reverse=True):
            if directory.is_dir():
                directory.rmdir()
        self._cgroup.rmdir()
