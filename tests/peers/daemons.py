"""Daemons that run as different users, each with a directory of its own."""

import json
import os
import signal
import socket
import subprocess
from contextlib import contextmanager

from people import ROOT, write_database
from workspace.bridge import bridge_environment


def addresses_of(bridge):
    """What a Dialer takes: the Unix socket first, then 127.0.0.1 and ::1."""
    unix = [a.removeprefix("unix:") for a in bridge.addresses if a.startswith("unix:")]
    tcp = [a.rsplit(":", 1) for a in bridge.addresses if not a.startswith("unix:")]
    return [*unix, *((host.strip("[]"), int(port)) for host, port in tcp)]


class Daemons:
    """Starts bridges of one listener, `people`, that leads to the workspace of `notes`. Into each
    the libraries `preload` are loaded."""

    def __init__(self, factory, place, notes, preload):
        self._factory = factory
        self._place = place
        self._notes = notes
        self._environment = write_database(place.hosts_file)
        read = [place.hosts_file, *self._environment.values()]
        self._environment["SPARKBRIDGE_SANDBOX_READ"] = ",".join(map(str, read))
        self._environment["LD_PRELOAD"] = preload

    def directory(self, owner):
        """The owner's own, into which everybody may look."""
        path = self._place.directory / f"of-{owner.name}"
        path.mkdir(exist_ok=True)
        os.chown(path, owner.uid, owner.gid)
        return path

    def write(self, path, text, owner):
        """A file that its owner alone may read, in place of the one there was."""
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        fresh.touch(0o600)
        fresh.write_text(text)
        os.chown(fresh, owner.uid, owner.gid)
        fresh.rename(path)
        return str(path)

    def profile(self, label, name="DEFAULT"):
        """A section of a profile file, with the token of that label."""
        tenant = self._place.tenants[0]
        return (
            f"[{name}]\nhost = https://{tenant.host}:{self._notes.port}\n"
            f"token = {self._notes.token(label)}\ncluster_id = {tenant.cluster_id}\n"
        )

    def profile_file(self, owner, name, *sections):
        """A profile file of the owner's; its path."""
        return self.write(self.directory(owner) / name, "\n".join(sections), owner)

    def write_config(self, owner, *, proxy="none", **listener):
        """The configuration file; its path. Without a profile the listener has the owner's."""
        directory = self.directory(owner)
        if "profile_by_peer" not in listener and "config_file" not in listener:
            listener["config_file"] = self.profile_file(owner, "own.cfg", self.profile("own"))
        config = {
            "version": 1,
            "upstream": {"ca_file": str(self._place.ca_file), "proxy": proxy},
            "log": {"level": "debug"},
            "control": {"listen": f"unix:{directory}/control.sock"},
            "listeners": [
                {
                    "name": "people",
                    "listen": ["localhost:0", f"unix:{directory}/people.sock"],
                    "socket": {"mode": "0666"},
                    **listener,
                }
            ],
        }
        return self.write(directory / "sparkbridge.yaml", json.dumps(config), owner)

    def begin(
        self,
        owner=ROOT,
        *,
        arguments=(),
        environment=None,
        prefix=(),
        pass_fds=(),
        expect_exit=0,
        **listener,
    ):
        """A bridge that may not become ready. `prefix` is a command that runs it."""
        return self._factory.start(
            ["--config", self.write_config(owner, **listener), *arguments],
            environment=self._environment | (environment or {}),
            prefix=[*as_user(owner), *prefix],
            pass_fds=pass_fds,
            expect_exit=expect_exit,
        )

    def start(self, owner=ROOT, **options):
        """A bridge that is ready."""
        return self.begin(owner, **options).wait_until_ready()

    def reload(self, bridge, owner=ROOT, **listener):
        """Gives the bridge another configuration."""
        self.write_config(owner, **listener)
        done = sum("msg=reloaded" in line for line in bridge.child.stderr)
        bridge.child.send_signal(signal.SIGHUP)
        seen = iter(range(done + 1))
        bridge.wait_for_log(lambda f: f.get("msg") == "reloaded" and next(seen) == done)

    @contextmanager
    def user_database_answers(self):
        """Also of the user whose number is in USERS_HANGING."""
        with open(self._environment["USERS_GATE"], "r+b", buffering=0):
            yield

    def ask(self, owner=ROOT, command="status"):
        """What the daemon answers at its control socket."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            connection.connect(f"{self.directory(owner)}/control.sock")
            connection.sendall(json.dumps({"command": command}).encode() + b"\n")
            with connection.makefile() as answer:
                return json.loads(answer.read())

    def tool(self, *words, user=ROOT, environment=None):
        """One of the program's other subcommands, as that user."""
        return subprocess.run(
            [*as_user(user), self._factory.binary, *words],
            env=bridge_environment(self._place.hosts_file, self.directory(user))
            | self._environment
            | (environment or {}),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


def as_user(user):
    """The command that runs another one as that user."""
    if user is ROOT:
        return []
    who = [f"--reuid={user.uid}", f"--regid={user.gid}", "--clear-groups"]
    return ["setpriv", *who, "--pdeathsig=SIGKILL"]
