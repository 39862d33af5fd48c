"""Several listeners, each with its own workspace, and what a reload does to them."""

import hashlib
import signal
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest
from clients import value_of
from raw_client import RawClient
from workspace.bridge import parse_logfmt
from workspace.scripted import GRPC_HEADERS, message

METHOD = "Config"
PATH = f"/spark.connect.SparkConnectService/{METHOD}"


async def tell_headers(stream):
    """Answers with what the bridge made of the call."""
    names = ("authorization", "x-databricks-cluster-id", ":authority")
    seen = "|".join(",".join(v for k, v in stream.headers if k == name) for name in names)
    await stream.body()
    stream.send_headers(GRPC_HEADERS)
    await stream.send_data(message(seen.encode()))
    stream.trailers(0)


async def hold(stream):
    """Echoes piece by piece, for as long as the client likes."""
    stream.send_headers(GRPC_HEADERS)
    async for chunk in stream.chunks():
        await stream.send_data(chunk)
    stream.trailers(0)


class Setup:
    """Two workspaces, a profile for each, and a bridge with a listener for each."""

    def __init__(self, bridges, standin, directory, servers):
        self._bridges = bridges
        self._directory = directory
        self._ca_file = standin.ca_file
        self.tenants = standin.tenants
        self.servers = servers
        self.clusters = [tenant.cluster_id for tenant in standin.tenants]
        self.tokens = [tenant.token for tenant in standin.tenants]
        self.config = directory / "sparkbridge.yaml"
        self._reports = Counter()

    def socket(self, name):
        return str(self._directory / f"{name}.sock")

    def write(self, names=("one", "two"), extra=""):
        profiles = "".join(
            f"[{name}]\nhost = https://{tenant.host}:{server.port}\n"
            f"token = {token}\ncluster_id = {cluster}\n"
            for name, tenant, server, cluster, token in zip(
                *(("one", "two"), self.tenants, self.servers, self.clusters, self.tokens),
                strict=True,
            )
        )
        databrickscfg = self._directory / "databrickscfg"
        databrickscfg.touch(0o600)
        databrickscfg.write_text(profiles)
        listeners = "".join(
            f"  - name: {name}\n    listen: ['unix:{self.socket(name)}']\n"
            f"    profile: {'one' if name == 'one' else 'two'}\n"
            for name in names
        )
        self.config.write_text(
            f"version: 1\ndefaults: {{config_file: {databrickscfg}}}\n"
            f"upstream: {{ca_file: {self._ca_file}}}\nlog: {{level: debug}}\n"
            f"listeners:\n{listeners}{extra}"
        )

    def start(self, **options):
        self.bridge = self._bridges.start(["--config", self.config], **options).wait_until_ready()
        return self.bridge

    def reload(self, expect):
        """Waits for the report of this reload, though one before may have said the same."""
        self._reports[expect] += 1
        missing = self._reports[expect]

        def is_ours(fields):
            nonlocal missing
            missing -= fields.get("msg", "").startswith(expect)
            return missing == 0

        self.bridge.child.send_signal(signal.SIGHUP)
        self.bridge.wait_for_log(is_ours)

    def expected(self, index):
        tenant = self.tenants[index]
        return (
            f"Bearer {tenant.token}|{self.clusters[index]}|"
            f"{tenant.host}:{self.servers[index].port}"
        )


@pytest.fixture
def setup(bridges, standin, tmp_path):
    one, two = standin.tenants
    with standin.script(one.certificate) as first, standin.script(two.certificate) as second:
        setup = Setup(bridges, standin, tmp_path, (first, second))
        for server in setup.servers:
            server.on(PATH, tell_headers)
        setup.write()
        yield setup


def changes(bridge):
    """What reloads said has changed: (listener, key, from, to)."""
    lines = [parse_logfmt(line) for line in list(bridge.child.stderr)]
    names = ("listener", "key", "from", "to")
    return [tuple(map(line.get, names)) for line in lines if line.get("msg") == "changed"]


def ask(client):
    answer = client.call(METHOD, message(b"who am I"))
    assert answer.status == 0, answer
    return bytes(answer.data[5:]).decode()


@contextmanager
def held_call(client, server):
    """A call that runs as long as the block, and is whole at its end."""
    server.on(PATH, hold)
    stream = client.start(METHOD)
    client.send(stream, message(b"before"))
    client.wait_for(stream, lambda answer: len(answer.data) >= 11)
    server.on(PATH, tell_headers)
    yield
    client.send(stream, message(b"after"), end=True)
    answer = client.wait_for_end(stream)
    assert answer.status == 0
    assert bytes(answer.data) == message(b"before") + message(b"after")


def test_each_listener_has_its_workspace(setup):
    setup.start()
    with RawClient(setup.socket("one")) as one, RawClient(setup.socket("two")) as two:
        # One after the other first: nss_wrapper cannot do its first lookup in two threads at once.
        assert [ask(one), ask(two)] == [setup.expected(0), setup.expected(1)]
        streams = [(client, client.start(METHOD), index) for index, client in enumerate((one, two))]
        for client, stream, _ in streams:
            client.send(stream, message(b"x"), end=True)
        for client, stream, index in streams:
            answer = client.wait_for_end(stream)
            assert bytes(answer.data[5:]).decode() == setup.expected(index)


def test_reload_changes_one_and_leaves_the_other(setup):
    bridge = setup.start()
    with RawClient(setup.socket("one")) as one, RawClient(setup.socket("two")) as two:
        assert ask(two) == setup.expected(1)
        with held_call(one, setup.servers[0]), held_call(two, setup.servers[1]):
            setup.clusters[1] = "9999-changed"
            setup.write()
            setup.reload("reloaded")
            # Also on a connection that was there before.
            assert ask(two) == setup.expected(1)
            assert ask(one) == setup.expected(0)
    assert changes(bridge) == [("two", "compute", setup.tenants[1].cluster_id, "9999-changed")]


def test_a_call_is_whole_that_outlives_its_pool(setup):
    """The last call of a workspace that no listener has any more: its end ends the connection."""
    setup.start()
    with RawClient(setup.socket("two")) as two:
        for turn in range(10):
            with held_call(two, setup.servers[1]):
                setup.clusters[1] = f"9999-turn{turn}"
                setup.write()
                setup.reload("reloaded")
            assert ask(two) == setup.expected(1)


def test_reload_says_that_nothing_changed(setup):
    bridge = setup.start()
    setup.reload("nothing has changed")
    assert changes(bridge) == []


def test_reload_reports_every_change(setup):
    """Of the daemon, of a listener, and what needs a restart; a token by its fingerprint."""
    bridge = setup.start()
    setup.tokens[0] = "another-token"
    setup.write(extra="timeouts: {drain: 5s}\n")
    socket = "profile: one\n    socket: {mode: '0660'}\n"
    setup.config.write_text(setup.config.read_text().replace("profile: one\n", socket))
    setup.reload("reloaded")
    tokens = (setup.tenants[0].token, setup.tokens[0])
    old, new = (hashlib.sha256(token.encode()).hexdigest()[:12] for token in tokens)
    assert changes(bridge) == [
        (None, "drain_timeout_ms", "60000", "5000"),
        ("one", "token_sha256", old, new),
    ]
    assert "listener one: a new socket mode counts" in bridge.child.output()


def test_reload_says_what_needs_a_restart(setup):
    # The tests' own path would hide those of the file.
    setup.start(environment={"SPARKBRIDGE_SANDBOX_READ": ""})
    setup.write(
        extra="security: {sandbox: 'off', sandbox_read: [/usr]}\ncontrol: {listen: none}\n"
    )
    setup.reload("reloaded")
    said = setup.bridge.child.output()
    for key in ("security.sandbox", "security.sandbox_read", "control.listen"):
        assert f"{key}: a change needs a restart" in said
    assert "nothing has changed" not in said


def requests_of(standin, before, without=()):
    """What the gate saw since then: workspace, token and cluster of each request that ended."""
    return [
        (request["server"], request["authorization"], request["cluster"])
        for request in standin.gate.requests()[before:]
        if request["path"].rpartition("/")[2] not in without
    ]


def test_real_clients_in_two_workspaces_at_once(bridges, standin, tmp_path, v43, v42):
    """Each by its own listener and profile; then one listener changes its workspace while both
    have a query running."""
    setup = Setup(bridges, standin, tmp_path, (standin.gate, standin.gate))
    setup.write()
    bridge = setup.start()
    one, two = standin.tenants
    of_one = (one.host, f"Bearer {one.token}", one.cluster_id)
    of_two = (two.host, f"Bearer {two.token}", two.cluster_id)
    users = [(v43, f"unix:{setup.socket('one')}"), (v42, f"unix:{setup.socket('two')}")]
    before = len(standin.gate.requests())
    for client, target in users:
        for session in ("nap", "beside"):
            assert client.run("range", target, session=session) == list(range(1, 10))
    naps = [
        client.submit("nap", target, session="nap", seconds=60, marker=f"workspaces.{number}")
        for number, (client, target) in enumerate(users)
    ]
    for number, (client, target) in enumerate(users):
        client.run("wait_until_runs", target, session="beside", marker=f"workspaces.{number}")
    assert set(requests_of(standin, before)) == {of_one, of_two}

    setup.tenants, setup.tokens = (one, one), [one.token, one.token]
    setup.clusters = [one.cluster_id, one.cluster_id]
    setup.write()
    setup.reload("reloaded")
    assert not any(nap.done() for nap in naps), [nap.done() and nap.result(0) for nap in naps]
    before = len(standin.gate.requests())
    for client, target in users:
        assert client.run("range", target, session="beside") == list(range(1, 10))
    assert [value_of(nap.result(120)) for nap in naps] == [[0], [0]]
    seen = requests_of(standin, before)
    assert set(seen) <= {of_one, of_two}
    # The query that ran. (PySpark releases what it has read in a thread of its own, so that of what
    # ended before the reload a release may still be under way.)
    assert requests_of(standin, before, {"ReleaseExecute"}).count(of_two) <= 1
    assert "listener one:" not in "\n".join(bridge.child.stderr)


def test_reload_adds_and_removes_listeners(setup):
    bridge = setup.start()
    with RawClient(setup.socket("two")) as two:
        with held_call(two, setup.servers[1]):
            setup.write(names=("one", "three"))
            setup.reload("reloaded")
            with RawClient(setup.socket("three")) as three:
                assert ask(three) == setup.expected(1)
            assert not Path(setup.socket("two")).exists()
            two.wait_for_goaway()
        two.wait_for_close()
    output = bridge.child.output()
    assert "listener three: new" in output and "listener two: removed" in output


@pytest.mark.parametrize(
    "fault",
    [
        "  - name: bad\n    listen: ['unix:/nonexistent/dir/x.sock']\n    profile: one\n",
        "  - name: bad\n    listen: ['localhost:0']\n    profile: missing\n",
        "  - nme: bad\n",
    ],
    ids=["socket", "profile", "key"],
)
def test_reload_is_all_or_nothing(setup, fault):
    setup.start()
    with RawClient(setup.socket("two")) as two:
        before = setup.expected(1)
        setup.clusters[1] = "9999-changed"
        setup.write(names=("one", "two", "four"), extra=fault)
        setup.reload("not reloaded")
        assert ask(two) == before
        assert not Path(setup.socket("four")).exists()
        setup.write()
        setup.reload("reloaded")
        assert ask(two) == setup.expected(1)
