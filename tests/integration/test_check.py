"""`sparkbridge check`: what `run` would refuse before it listens, and with which exit code."""

import os
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
    result = check("--ca-file", authority.file, "--client-cert", ours.chain, "--client-key", ours.key)
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
    assert f"{words[-2]} {key}: holds a private key, and others may read it (mode 0644): chmod 600" in (
        result.stderr
    )
    key.chmod(0o600)
    assert check(*words).returncode == 0
