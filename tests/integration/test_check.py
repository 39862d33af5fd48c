"""`sparkbridge check`: what `run` would refuse before it listens, and with which exit code."""

import os
import re
import subprocess

import pytest
from workspace.certificates import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"), "check")


@pytest.fixture
def check(binary, tmp_path):
    """Runs it for a workspace that is complete but for what the words say."""
    token = tmp_path / "token"
    token.write_text("dapi-not-a-secret\n")
    token.chmod(0o600)

    def run(*words, config="", connection=True, environment=()):
        command = [binary, "check", "--quiet", *words]
        if config:
            path = tmp_path / "sparkbridge.yaml"
            path.write_text(config)
            path.chmod(0o600)
            command += ["--config", path]
        if connection:
            command += ["--host", "workspace.test", "--token-file", token, "--cluster-id", "c"]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=tmp_path,
            env={"HOME": str(tmp_path), **dict(environment)},
        )

    return run


def test_complete(check, authority):
    ours = authority.issue("client.test")
    words = ["--client-cert", ours.chain, "--client-key", ours.key]
    result = check("--ca-file", authority.file, *words)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("option", "key", "wanted"),
    [
        ("--ca-file", "ca_file", "the certificates to trust"),
        ("--client-cert", "client_cert", "our certificate and its chain"),
        ("--client-key", "client_key", "the certificate's private key without a password"),
    ],
)
def test_pem_files(check, authority, tmp_path, option, key, wanted):
    """A file that is missing or none, with who names it, and in words of ours."""
    ours = authority.issue("client.test")
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("nothing of use\n")
    wrong.chmod(0o600)
    others = {"client_key": ["--client-cert", ours.chain]}.get(key, [])
    missing = check(*others, option, "/nope/x.pem")
    assert missing.returncode == os.EX_NOINPUT
    assert f"{option} /nope/x.pem: cannot be read: No such file" in missing.stderr
    none = check(*others, option, wrong)
    assert none.returncode == os.EX_NOINPUT
    assert f"{option} {wrong}: it must hold {wanted}, in PEM form\n" in none.stderr
    in_file = check(*others, config=f"version: 1\nupstream:\n  {key}: wrong.pem\n")
    assert in_file.returncode == os.EX_NOINPUT
    place = f"{tmp_path / 'sparkbridge.yaml'}:3:{len(key) + 5}"
    assert f"upstream.{key} {wrong} ({place}): it must hold {wanted}" in in_file.stderr


def test_another_key(check, authority):
    ours, others = authority.issue("a.test"), authority.issue("b.test")
    result = check("--client-cert", ours.chain, "--client-key", others.key)
    assert result.returncode == os.EX_NOINPUT
    assert f"--client-key {others.key}: holds another key than that of" in result.stderr


@pytest.mark.parametrize("one_file", [False, True])
def test_key_open_to_others(check, authority, tmp_path, one_file):
    ours = authority.issue("client.test")
    key = tmp_path / "key.pem"
    key.write_text(ours.key.read_text() + (ours.chain.read_text() if one_file else ""))
    words = ["--client-cert", key if one_file else ours.chain]
    words += [] if one_file else ["--client-key", key]
    key.chmod(0o644)
    result = check(*words)
    assert result.returncode == os.EX_NOPERM
    said = f"{words[-2]} {key}: holds a private key, and others may read it (mode 0644): chmod 600"
    assert said in result.stderr
    key.chmod(0o600)
    assert check(*words).returncode == 0


def test_proxy(check, tmp_path):
    """The fault has the place of who names the proxy, and no word of the proxy itself."""
    in_file = check(config="version: 1\nupstream:\n  proxy: https://u:secret@p:8080\n")
    assert in_file.returncode == os.EX_CONFIG
    place = f"{tmp_path / 'sparkbridge.yaml'}:3:10"
    assert f"{place}: upstream.proxy: a proxy that is" in in_file.stderr
    flag = check("--proxy", "http://p:99999")
    assert flag.returncode == os.EX_USAGE
    assert flag.stderr.startswith("--proxy: a port is a number from 1 to 65535; a proxy is http://")
    variable = check(environment={"HTTPS_PROXY": "http://u:secret@p:abc"})
    assert variable.returncode == os.EX_CONFIG
    assert variable.stderr.startswith("HTTPS_PROXY: a port is a number")
    assert "secret" not in in_file.stderr + variable.stderr


def test_sandbox_read(check, tmp_path):
    result = check("--sandbox-read", "/nope", "--sandbox-read", "/usr")
    assert (result.returncode, result.stderr) == (
        0,
        'warning: --sandbox-read: "/nope" cannot be found (No such file or directory): the sandbox '
        "will not let it be read\n",
    )
    in_file = check(config="version: 1\nsecurity: {sandbox_read: [/usr, nope]}\n")
    assert in_file.returncode == 0
    assert f"{tmp_path / 'sparkbridge.yaml'}:2:33: security.sandbox_read[1]: " in in_file.stderr


PROFILES = """\
[DEFAULT]
host = https://dbc-1234.cloud.databricks.com
token = dapi-not-a-secret
cluster_id = 0123-456789-abcdefgh
"""
PROFILES += PROFILES.replace("DEFAULT", "prod") + PROFILES.replace("DEFAULT", "dev")


@pytest.fixture(scope="module")
def sample(binary):
    """The sample, and its examples: lines that begin with a `#` before a key, as [from, to)."""
    done = subprocess.run([binary, "sample-config"], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    examples = {}
    for number, line in enumerate(lines):
        if found := re.match(r"( *)#([a-z_]+):", line):
            end = number + 1
            while re.match(found[1] + "#  ", lines[end] if end < len(lines) else ""):
                end += 1
            examples.setdefault(found[2], []).append((number, end))
    return lines, examples


def uncommented(lines, places):
    lines = list(lines)
    for begin, end in places:
        for number in range(begin, end):
            lines[number] = lines[number].replace("#", "", 1)
    return "\n".join(lines) + "\n"


def test_examples_of_the_sample(check, authority, sample, tmp_path):
    """Each is right, alone or with what its comment says that it goes with."""
    lines, examples = sample
    assert sum(len(places) for places in examples.values()) >= 40
    ours = authority.issue("client.test")
    files = {
        ".databrickscfg": PROFILES,
        ".config/sparkbridge/token": "dapi-not-a-secret\n",
        ".config/sparkbridge/client-secret": "0123456789abcdef\n",
        "client.pem": ours.chain.read_text() + ours.key.read_text(),
        "client.key": ours.key.read_text(),
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(0o600)
    goes_with = {"client_key": "client_cert", "token_file": "host"}
    needs_files = {"profile_by_peer", "sandbox_read", "ca_file"}
    for name, places in examples.items():
        for place in places:
            pair = [place, *examples.get(goes_with.get(name), [])]
            result = check(
                config=uncommented(lines, pair),
                connection=False,
                environment={"HOST": "w.test", "TOKEN": "t", "ID": "c"} if name == "remote" else {},
            )
            if name not in needs_files:
                assert (name, result.returncode, result.stderr) == (name, 0, "")
            assert ": unknown key" not in result.stderr and "cannot stand" not in result.stderr


def test_a_file_with_a_password(check, tmp_path):
    """What others may read is said by its name."""
    path = tmp_path / "open.yaml"
    path.write_text("version: 1\nupstream: {proxy: 'http://u:secret@p:1'}\n")
    path.chmod(0o644)
    result = check("--config", path)
    assert result.returncode == os.EX_NOPERM
    assert f"{path}: holds a password (upstream.proxy), and others may read it" in result.stderr


def test_profile_with_another_cluster(check, tmp_path):
    """The file says what `--profile prod --cluster-id other` does."""
    profiles = tmp_path / ".databrickscfg"
    profiles.write_text(PROFILES)
    profiles.chmod(0o600)
    flags = check("--profile", "prod", "--cluster-id", "other", connection=False)
    in_file = check(
        config="version: 1\nlisteners: [{name: a, profile: prod, connection: {cluster_id: other}}]",
        connection=False,
    )
    assert (flags.returncode, flags.stderr) == (in_file.returncode, in_file.stderr) == (0, "")
