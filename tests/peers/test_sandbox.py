"""What the daemon gives up: that it says so truly, that it serves and reloads all the same, and
that each part keeps somebody out who without it gets in."""

import json
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from daemons import addresses_of
from memory import mappings
from notes import Notes, call_as
from people import ALICE, BOB, BRIDGE, CAROL, MALLORY, ROOT
from workspace.connect_proxy import ConnectProxy

PROBER = Path(__file__).parent / "prober.py"
MODES = ["auto", "off"]


def process_status(bridge, name):
    """A number of proc(5)'s status."""
    text = Path(f"/proc/{bridge.child.pid}/status").read_text()
    return int(re.search(rf"^{name}:\s*(\d+)", text, re.MULTILINE)[1])


def core_limit(bridge):
    text = Path(f"/proc/{bridge.child.pid}/limits").read_text()
    return re.search(r"^Max core file size +(\S+) +(\S+)", text, re.MULTILINE).groups()


# ---- what it says -----------------------------------------------------------------------------


@pytest.mark.parametrize("owner", [ROOT, BRIDGE], ids=["of-root", "unprivileged"])
@pytest.mark.parametrize("mode", MODES)
def test_status_is_true(mode, owner, release_daemons):
    bridge = release_daemons.start(owner, arguments=("--sandbox", mode))
    sandbox = release_daemons.ask(owner)["status"]["sandbox"]
    on = mode == "auto"
    assert sandbox["landlock"]["on"] == on and sandbox["seccomp"]["on"] == on
    assert ("switched off by the option" in str(sandbox["seccomp"]["reason"])) != on
    assert sandbox["no_new_privs"] == on == bool(process_status(bridge, "NoNewPrivs"))
    assert sandbox["seccomp_filters"] == on == process_status(bridge, "Seccomp_filters")
    assert process_status(bridge, "Seccomp") == (2 if on else 0)
    # The memory is hidden in either mode.
    assert sandbox["dumpable"] is False
    assert sandbox["core_limit_bytes"] == 0 and core_limit(bridge) == ("0", "0")
    guarded = [m for m in mappings(bridge.child.pid) if {"lo", "dd", "wf"} <= m[3]]
    secrets = sandbox["secrets"]
    assert secrets["locked"] and secrets["reason"] is None
    assert secrets["locked_bytes"] == secrets["mapped_bytes"] > 0
    assert secrets["locked_bytes"] == sum(end - start for start, end, _, _ in guarded)


def test_status_where_memory_cannot_be_locked(release_daemons, dialers):
    """It serves without, and says so."""
    bridge = release_daemons.start(BRIDGE, prefix=["prlimit", "--memlock=0"], peer_users=["alice"])
    secrets = release_daemons.ask(BRIDGE)["status"]["sandbox"]["secrets"]
    assert (secrets["locked"], secrets["locked_bytes"]) == (False, 0)
    assert secrets["mapped_bytes"] > 0 and secrets["reason"]
    with dialers[ALICE].client(addresses_of(bridge)[0]) as client:
        assert call_as(client, "alice").status == 0
    table = release_daemons.tool("status", "--control", control_of(release_daemons, BRIDGE))
    assert "raise LimitMEMLOCK" in table.stdout


def control_of(daemons, owner):
    return f"unix:{daemons.directory(owner)}/control.sock"


@pytest.mark.parametrize("mode", MODES)
def test_status_for_people(mode, release_daemons):
    release_daemons.start(arguments=("--sandbox", mode))
    done = release_daemons.tool("status", "--control", control_of(release_daemons, ROOT))
    assert done.returncode == 0, done.stderr
    reason = "" if mode == "auto" else ": switched off by the option sandbox"
    for line in (
        f"  landlock    {'on' if mode == 'auto' else 'off'}{reason}\n",
        f"  seccomp     {'on' if mode == 'auto' else 'off'}{reason}\n",
        f"  privileges  {'no new ones' if mode == 'auto' else 'may be gained'}\n",
        "  memory      closed to other processes, core files off\n",
        "locked in memory\n",
    ):
        assert line in done.stdout


def test_status_is_for_the_owner_and_root(release_daemons):
    release_daemons.start(BRIDGE)
    control = control_of(release_daemons, BRIDGE)
    for user, code in ((BRIDGE, 0), (ROOT, 0), (ALICE, 77)):
        done = release_daemons.tool("status", "--json", "--control", control, user=user)
        assert done.returncode == code, done.stderr
    assert "only the daemon's own user and root may ask it" in done.stderr
    # Somebody opened the socket to all: the daemon asks who it is itself.
    Path(control.removeprefix("unix:")).chmod(0o666)
    done = release_daemons.tool("status", "--json", "--control", control, user=ALICE)
    assert done.returncode == 69 and done.stdout == ""


# ---- it serves all the same -------------------------------------------------------------------


@pytest.mark.parametrize("owner", [ROOT, BRIDGE], ids=["of-root", "unprivileged"])
def test_reload_in_the_sandbox(owner, release_daemons, dialers, workspace):
    """Files are replaced by others, as editors and secret managers do; sockets come and go."""
    directory = release_daemons.directory(owner)
    token_file = directory / "token"
    release_daemons.write(token_file, workspace.token("first"), owner)
    connection = {
        "host": f"https://workspace.test:{workspace.port}",
        "token_file": str(token_file),
        "cluster_id": "1122-334455-sandbox1",
    }
    listener = {"connection": connection, "peer_users": ["self", "alice"], "config_file": "/none"}
    bridge = release_daemons.start(owner, **listener, listen=[f"unix:{directory}/one.sock"])
    assert release_daemons.ask(owner)["status"]["sandbox"]["landlock"]["on"]
    with dialers[ALICE].client(f"{directory}/one.sock") as client:
        assert call_as(client, "before").status == 0

    release_daemons.write(token_file, workspace.token("second"), owner)
    more = {"listen": [f"unix:{directory}/two.sock"], "peer_users": ["@analysts"]}
    release_daemons.reload(bridge, owner, **{**listener, **more})
    assert not Path(f"{directory}/one.sock").exists()
    with dialers[CAROL].client(f"{directory}/two.sock") as client:
        assert call_as(client, "after").status == 0
    with dialers[MALLORY].client(f"{directory}/two.sock") as client:
        assert call_as(client, "refused").status == 7
    assert workspace.of("before") == {"first"} and workspace.of("after") == {"second"}
    assert workspace.of("refused") == set()


def test_reload_of_a_link(release_daemons, dialers, workspace, tmp_path):
    """The file that a link leads to is replaced, and then the link by a file."""
    real, link = tmp_path / "real" / "token", tmp_path / "links" / "token"
    real.parent.mkdir()
    link.parent.mkdir()
    release_daemons.write(real, workspace.token("first"), ROOT)
    link.symlink_to("../real/token")
    connection = {
        "host": f"https://workspace.test:{workspace.port}",
        "token_file": str(link),
        "cluster_id": "1122-334455-sandbox1",
    }
    bridge = release_daemons.start(connection=connection)
    for label, path in (("second", real), ("third", link)):
        release_daemons.write(path, workspace.token(label), ROOT)
        release_daemons.reload(bridge, connection=connection)
        with dialers[ROOT].client(addresses_of(bridge)[0]) as client:
            assert call_as(client, f"link-{label}").status == 0
        assert workspace.of(f"link-{label}") == {label}
    assert not link.is_symlink()


@pytest.mark.parametrize("owner", [ROOT, BRIDGE], ids=["of-root", "unprivileged"])
def test_profiles_in_the_sandbox(owner, release_daemons, dialers, workspace):
    """A user's file that comes after the start is read when he does, his groups are looked up, and
    names are resolved; nothing but the workspace's name would need libnss_wrapper for that."""
    row = {"config_file": f"{release_daemons.directory(owner)}/late-%u.cfg"}
    bridge = release_daemons.start(
        owner, profile_by_peer={"default": row}, peer_users=["@analysts"]
    )
    for user in (BOB, CAROL):
        section = release_daemons.profile(user.name)
        release_daemons.profile_file(owner, f"late-{user.name}.cfg", section)
        for address in addresses_of(bridge):
            with dialers[user].client(address) as client:
                assert call_as(client, user.name).status == 0
        assert workspace.of(user.name) == {user.name}
    with dialers[ALICE].client(addresses_of(bridge)[0]) as client:
        assert call_as(client, "alice").status == 7


def test_names_in_the_sandbox(release_daemons, dialers, place):
    """The C library's own resolver, without the tests': /etc/nsswitch.conf, /etc/hosts."""
    with Notes(place, place.authority.issue("localhost")) as workspace:
        host = f"https://localhost:{workspace.port}"
        profile = f"[DEFAULT]\nhost = {host}\ntoken = dapi-local\ncluster_id = 1122-334455-x\n"
        file = release_daemons.profile_file(ROOT, "localhost.cfg", profile)
        bridge = release_daemons.start(environment={"LD_PRELOAD": ""}, config_file=file)
        with dialers[ROOT].client(addresses_of(bridge)[0]) as client:
            assert call_as(client, "root").status == 0
        assert len(workspace.notes) == 1


@pytest.mark.parametrize("owner", [ROOT, BRIDGE], ids=["of-root", "unprivileged"])
def test_a_proxy_by_reload(owner, release_daemons, dialers, workspace, place):
    """libcurl is loaded when the sandbox is closed already."""
    bridge = release_daemons.start(owner)
    proxy = ConnectProxy(place.loop, workspace.port)
    for url, requests in (("none", 0), (f"http://127.0.0.1:{proxy.port}", 1), ("none", 1)):
        release_daemons.reload(bridge, owner, proxy=url)
        with dialers[owner].client(addresses_of(bridge)[0]) as client:
            assert call_as(client, owner.name).status == 0
        assert len(proxy.requests) == requests
    proxy.stop()


# ---- what is kept out -------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_file_outside(mode, release_daemons, workspace, tmp_path):
    """A reload cannot make the daemon read a file in another directory."""
    outside = tmp_path / "token"
    release_daemons.write(outside, workspace.token("outside"), ROOT)
    bridge = release_daemons.start(arguments=("--sandbox", mode))
    connection = {
        "host": f"https://workspace.test:{workspace.port}",
        "token_file": str(outside),
        "cluster_id": "1122-334455-sandbox1",
    }
    release_daemons.write_config(ROOT, connection=connection)
    answer = release_daemons.ask(command="reload")
    assert answer["ok"] == (mode == "off")
    if mode == "auto":
        assert f"{outside}" in answer["error"] and "its directory is none" in answer["error"]
    assert bridge.child.exit_code is None


@pytest.fixture
def outside():
    """A directory that has nothing to do with the daemon, and that its user may look into."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.mark.parametrize(
    ("act", "without", "within"),
    [
        ("read", "done", "EACCES"),
        ("write", "done", "EACCES"),
        ("fork", "done", "ENOSYS"),
        ("signal", "done", "ENOSYS"),
        ("run data", "done", "ENOSYS"),
        ("show memory", "done", "ENOSYS"),
        ("execute", 1, -signal.SIGSYS),  # /bin/false takes the daemon's place; the daemon is killed
        ("look into", "done", -signal.SIGSYS),
    ],
)
@pytest.mark.parametrize("mode", MODES)
def test_intruder(mode, act, without, within, release_daemons, intruder, outside):
    """Whoever took over the daemon, an unprivileged user's, can do what that user can, or not."""
    expected = without if mode == "off" else within
    path = release_daemons.profile_file(BRIDGE, "own.cfg", "")
    if act == "read":
        path = release_daemons.write(outside / "diary", "dear diary", BRIDGE)
    with subprocess.Popen(
        ["setpriv", f"--reuid={BRIDGE.uid}", f"--regid={BRIDGE.gid}", "--clear-groups", "cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as victim:
        victim.stdin.write(b"started\n")
        victim.stdin.flush()
        victim.stdout.readline()
        bridge = release_daemons.start(
            BRIDGE,
            arguments=("--sandbox", mode),
            expect_exit=expected if isinstance(expected, int) else 0,
            environment={
                "LD_PRELOAD": intruder,
                "INTRUDER_ACT": act,
                "INTRUDER_PATH": path,
                "INTRUDER_PID": str(victim.pid),
            },
        )
        bridge.child.send_signal(signal.SIGUSR1)
        if isinstance(expected, int):
            assert bridge.child.wait(30) == expected
        else:
            found = bridge.child.wait_for_line(
                lambda line: re.fullmatch(r"intruder: (\w+)", line), timeout=30
            )
            assert found[1] == expected
        victim.stdin.close()


def probe(bridge, text):
    """What another program of the daemon's own user gets of it."""
    question = json.dumps([BRIDGE.uid, BRIDGE.gid, bridge.child.pid, text])
    words = [sys.executable, PROBER, question]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


def test_memory_is_hidden(release_daemons, intruder, workspace):
    """From other programs of the same user, which see everything once it is hidden no more."""
    token = workspace.token("own")
    bridge = release_daemons.start(
        BRIDGE,
        arguments=("--sandbox", "off"),
        environment={"LD_PRELOAD": intruder, "INTRUDER_ACT": "show memory"},
    )
    assert probe(bridge, token) == {
        "environ": "EACCES",
        "memory": "EACCES",
        "descriptors": "EACCES",
        "trace": "EPERM",
    }
    bridge.child.send_signal(signal.SIGUSR1)
    bridge.child.wait_for_line(lambda line: line == "intruder: done", timeout=30)
    assert probe(bridge, token) == {
        "environ": "read",  # and there is no token in it
        "memory": "found",
        "descriptors": "read",
        "trace": "read",
    }
