"""What `meson install` leaves, and that the manual is sound and complete."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SPARKBRIDGE_RELEASE_BIN", ROOT / "build/daemon/x")).parents[1]
PAGES = [
    "sparkbridge.1", "sparkbridge.yaml.5", "sparkbridge-clients.7", "sparkbridge-security.7",
    "sparkbridge.8",
]  # fmt: skip


def said(*words, **keywords):
    done = subprocess.run(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **keywords
    )
    return done.stdout


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_clean(page):
    """Neither mandoc nor groff has anything to say."""
    for tool in ("mandoc", "man"):
        if not shutil.which(tool):
            pytest.skip(f"NOT TESTED: needs {tool}; ./dev setup package")
    path = BUILD / "packaging/man" / page
    assert said("mandoc", "-Tlint", "-W", "style", path) == ""
    warnings = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", path],
        env={**os.environ, "LC_ALL": "C.UTF-8", "MANROFFSEQ": ""},
        capture_output=True, text=True, check=False,
    ).stderr  # fmt: skip
    assert warnings == ""


def test_every_flag_key_and_exit_code_is_documented(release_binary):
    """The pages are made from the option table; this compares with what the program says."""
    help_text = said(release_binary, "--help-all")
    page = (BUILD / "packaging/man/sparkbridge.1").read_text().replace("\\-", "-")
    for flag in re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", help_text, re.M):
        assert re.search(rf"^\.B .*{flag}\b", page, re.M), flag
    for code in re.findall(r"^  (\d+)  ", help_text.split("Exit codes:")[1], re.M):
        assert re.search(rf"^\.B {code}$", page, re.M), code
    keys = (BUILD / "packaging/man/sparkbridge.yaml.5").read_text()
    for key in json.loads(said(release_binary, "schema"))["properties"]:
        assert re.search(rf"^\.B {key}$", keys, re.M), key


def test_uninstalling_leaves_nothing(tmp_path):
    """What is installed is removed again, file by file."""
    build, target = tmp_path / "build", tmp_path / "target"
    environment = {**os.environ, "DESTDIR": str(target)}
    said("meson", "setup", build, ROOT, "--prefix=/usr", "-Dtests=false")
    said("meson", "install", "-C", build, env=environment)
    installed = [path.relative_to(target) for path in target.rglob("*") if path.is_file()]
    assert Path("etc/sparkbridge/sparkbridge.yaml") in installed
    assert Path("usr/bin/sparkbridge") in installed
    said("ninja", "-C", build, "uninstall", env=environment)
    assert [path for path in target.rglob("*") if not path.is_dir()] == []


def shell_environment(release_binary, directory):
    """Where the program is found, and a file with profiles."""
    (directory / "cfg").write_text("[prod]\nhost = https://a.example.com\n[my own]\n")
    return {
        "PATH": f"{Path(release_binary).parent}:{os.environ['PATH']}",
        "DATABRICKS_CONFIG_FILE": str(directory / "cfg"),
        "HOME": str(directory),
    }


def test_bash_offers_profiles_and_options(release_binary, tmp_path):
    """Names come from the SDK's file, also those with a blank in them; options from the program."""
    script = (
        f"source {ROOT}/packaging/completions/sparkbridge.bash\n"
        "complete_words() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _sparkbridge; "
        'printf "%s\\n" "${COMPREPLY[@]}"; }\n'
    )  # fmt: skip
    environment = shell_environment(release_binary, tmp_path)

    def complete(*words):
        quoted = " ".join(f"'{word}'" for word in words)
        return said("bash", "-c", f"{script}complete_words {quoted}", env=environment).split("\n")

    assert complete("sparkbridge", "run", "--profile", "p") == ["prod", ""]
    assert complete("sparkbridge", "run", "--profile", "m") == ["my\\ own", ""]
    assert "explain" in complete("sparkbridge", "e")
    assert "--idle-exit" in complete("sparkbridge", "run", "--id")


def offers(complete):
    """The same of every shell: `complete` gives the words that can stand at the end of a line."""
    assert complete("sparkbridge run --profile p") == ["prod"]
    assert "my own" in complete("sparkbridge run --profile ")
    assert "explain" in complete("sparkbridge e")
    assert "--idle-exit" in complete("sparkbridge run --id")
    assert complete("sparkbridge run --log-level w") == ["warn"]


def test_fish_offers_them(release_binary, tmp_path):
    if not shutil.which("fish"):
        pytest.skip("NOT TESTED: needs fish; ./dev setup test")
    environment = shell_environment(release_binary, tmp_path)
    script = f"source {ROOT}/packaging/completions/sparkbridge.fish; complete -C $argv[1]"

    def complete(line):
        text = said("fish", "--no-config", "-c", script, line, env=environment)
        return [offer.split("\t")[0].replace("\\ ", " ") for offer in text.splitlines()]

    offers(complete)


# What the functions of zsh's completion do with what they are given, without a terminal.
ZSH = """
compadd() { if [[ $1 == -a ]]; then print -l -- ${(P)2}; else print -l -- $@; fi; }
_describe() { print -l -- ${${(P)2}%%:*}; }
_files() { print -l -- *; }
words=(${(z)1}); [[ $1 == *' ' ]] && words+=('')
CURRENT=$#words
"""


def test_zsh_offers_them(release_binary, tmp_path):
    if not shutil.which("zsh"):
        pytest.skip("NOT TESTED: needs zsh; ./dev setup test")
    environment = shell_environment(release_binary, tmp_path)
    script = f"{ZSH}source {ROOT}/packaging/completions/_sparkbridge"

    def complete(line):
        found = said("zsh", "-f", "-c", script, "zsh", line, env=environment).splitlines()
        begin = line.rsplit(" ", 1)[1]  # zsh itself leaves out what does not begin so
        return [offer for offer in found if offer.startswith(begin)]

    offers(complete)
