"""Daemons that run as different users, each with a directory of its own."""

import json
import os
import signal

from people import ROOT, write_database


def addresses_of(bridge):
    """What a Dialer takes: the Unix socket first, then 127.0.0.1 and ::1."""
    unix = [a.removeprefix("unix:") for a in bridge.addresses if a.startswith("unix:")]
    tcp = [a.rsplit(":", 1) for a in bridge.addresses if not a.startswith("unix:")]
    return [*unix, *((host.strip("[]"), int(port)) for host, port in tcp)]


class Daemons:
    """Starts bridges of one listener, `people`, that leads to the workspace of `notes`."""

    def __init__(self, factory, place, notes):
        self._factory = factory
        self._place = place
        self._notes = notes
        self._environment = write_database(place.hosts_file)
        read = [place.hosts_file, *self._environment.values()]
        self._environment["SPARKBRIDGE_SANDBOX_READ"] = ",".join(map(str, read))

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

    def write_config(self, owner, **listener):
        """The configuration file; its path. Without a profile the listener has the owner's."""
        directory = self.directory(owner)
        if "profile_by_peer" not in listener and "config_file" not in listener:
            listener["config_file"] = self.profile_file(owner, "own.cfg", self.profile("own"))
        config = {
            "version": 1,
            "upstream": {"ca_file": str(self._place.ca_file)},
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

    def begin(self, owner=ROOT, *, prefix=(), pass_fds=(), expect_exit=0, **listener):
        """A bridge that may not become ready. `prefix` is a command that runs it."""
        if owner is not ROOT:
            prefix = [*as_user(owner), *prefix]
        return self._factory.start(
            ["--config", self.write_config(owner, **listener)],
            environment=self._environment,
            prefix=prefix,
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


def as_user(user):
    """The command that runs another one as that user."""
    who = [f"--reuid={user.uid}", f"--regid={user.gid}", "--clear-groups"]
    return ["setpriv", *who, "--pdeathsig=SIGKILL"]
