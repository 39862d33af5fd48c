"""A token in the place of another value: no command shows it, and what it is taken for is refused."""

import re
import subprocess

import pytest

TOKENS = [
    "dapi0123456789abcdef0123456789abcdef",
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhYmMifQ.c2lnbmF0dXJl_-0123456789",
]


class Commands:
    def __init__(self, binary, home):
        self._binary = binary
        self._home = home

    def write(self, name, text):
        path = self._home / name
        path.touch(0o600)
        path.write_text(text)
        return path

    def run(self, *arguments, environment=None):
        return subprocess.run(
            [self._binary, *arguments],
            env={"HOME": str(self._home), **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.fixture
def commands(binary, tmp_path):
    return Commands(binary, tmp_path)


def assert_hidden(ended, token):
    """Neither the token nor a part of it that would be of use."""
    shown = (ended.stdout + ended.stderr).lower()
    parts = [token[i : i + 12].lower() for i in range(4, len(token) - 12)]
    assert not any(part in shown for part in parts), shown


def refused(ended, token):
    assert_hidden(ended, token)
    assert ended.returncode != 0
    return " ".join((ended.stdout + ended.stderr).split())


RESOLVING = [
    ["explain"],
    ["explain", "--json"],
    ["explain", "--compare"],
    ["explain", "--resolution", "sdk"],
    ["check"],
    ["check", "--json"],
    ["run"],
]
FILE = "[DEFAULT]\nhost = one.example.test\ntoken = tok\ncluster_id = c\n"


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("command", RESOLVING, ids=" ".join)
@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("--host", "it looks like an access token, not a host"),
        ("--cluster-id", "it looks like an access token"),
        ("--profile", "it looks like an access token, not like the name of a profile"),
    ],
)
def test_flag(commands, token, command, flag, words):
    commands.write(".databrickscfg", FILE)
    for arguments in ([flag, token], [f"{flag}={token}"]):
        sentence = refused(commands.run(*command, *arguments), token)
        assert flag in sentence and words in sentence


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("command", [*RESOLVING, ["profiles"], ["status"]], ids=" ".join)
def test_arguments_that_are_no_flags(commands, token, command):
    for word in (token, f"--{token}", f"--hots={token}", f"--log-level={token}"):
        refused(commands.run(*command, word), token)


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("command", RESOLVING, ids=" ".join)
@pytest.mark.parametrize("name", ["HOST", "CLUSTER_ID", "CONFIG_PROFILE", "AUTH_TYPE"])
def test_variable(commands, token, command, name):
    environment = {"DATABRICKS_TOKEN": "tok", f"DATABRICKS_{name}": token}
    refused(commands.run(*command, environment=environment), token)


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("command", [*RESOLVING, ["profiles"], ["profiles", "--json"]], ids=" ".join)
@pytest.mark.parametrize(
    "text",
    [
        "[DEFAULT]\nhost = {}\ntoken = one.example.test\n",
        "[DEFAULT]\nhost = {}:443\ntoken = https://one.example.test\n",
        "[DEFAULT]\nhost = one.example.test\ntoken = tok\ncluster_id = {}\n",
        "[DEFAULT]\nhost = one.example.test\n{} = token\n",
        "[DEFAULT]\nhost = one.example.test\nauth_type = {}\n",
        "[{}]\nhost = one.example.test\n",
        "[{}]\nhost = one.example.test\n[{}]\n",
        "[DEFAULT]\nhost = one.example.test\n{}\n",
        "[__settings__]\ndefault_profile = {}\n[a]\nhost = one.example.test\n",
    ],
)
def test_profile_file(commands, token, command, text):
    commands.write(".databrickscfg", text.replace("{}", token))
    ended = commands.run(*command)
    assert_hidden(ended, token)
    if command[0] != "profiles":
        assert ended.returncode != 0


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("command", RESOLVING, ids=" ".join)
@pytest.mark.parametrize(
    "line",
    [
        "profile: {}",
        "host: {}",
        "cluster_id: {}",
        "name: {}",
        "listen: {}",
        "{}: true",
        "{}: 1\n    {}: 2",
        "no_such_key: {}",
        "token_file: {}",
    ],
)
def test_yaml(commands, token, command, line):
    text = f"listeners:\n  - listen: localhost:0\n    {line}\n".replace("{}", token)
    if line.startswith("listen:"):
        text = f"listeners:\n  - listen: {token}\n"
    path = commands.write("bridge.yaml", text)
    refused(commands.run(*command, "--config", str(path)), token)


@pytest.mark.parametrize("command", RESOLVING, ids=" ".join)
@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("sc://x.example.test/;token=very-secret-77", "that is a connection string"),
        ("SC://x.example.test/;token=very-secret-77", "that is a connection string"),
        ("https://x.example.test/;token=very-secret-77", "a host has no parameters"),
        ("ftp://x.example.test/very-secret-77", "begins with https://"),
    ],
)
@pytest.mark.parametrize("place", ["flag", "variable", "file"])
def test_more_than_a_host(commands, command, host, words, place):
    arguments, environment = [], {}
    if place == "flag":
        arguments = ["--host", host]
    elif place == "variable":
        environment["DATABRICKS_HOST"] = host
    else:
        commands.write(".databrickscfg", f"[DEFAULT]\nhost = {host}\n")
    ended = commands.run(*command, *arguments, environment=environment)
    sentence = refused(ended, "very-secret-77")
    assert words in sentence


@pytest.mark.parametrize("resolution", ["documented", "sdk"])
def test_http_is_taken_with_a_warning(commands, resolution):
    commands.write(".databrickscfg", FILE.replace("one.", "http://one."))
    ended = commands.run("explain", "--resolution", resolution)
    assert ended.returncode == 0
    assert re.search(r"cfg:2 says http://, but sparkbridge speaks to .* verified TLS", ended.stdout)
