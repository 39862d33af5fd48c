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


def test_bash_offers_profiles_and_options(release_binary, tmp_path):
    """Names come from the SDK's file, also those with a blank in them; options from the program."""
    (tmp_path / "cfg").write_text("[prod]\nhost = https://a.example.com\n[my own]\n")
    script = (
        f"source {ROOT}/packaging/completions/sparkbridge.bash\n"
        "complete_words() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _sparkbridge; "
        'printf "%s\\n" "${COMPREPLY[@]}"; }\n'
    )  # fmt: skip
    environment = {
        "PATH": f"{Path(release_binary).parent}:{os.environ['PATH']}",
        "DATABRICKS_CONFIG_FILE": str(tmp_path / "cfg"),
    }

    def complete(*words):
        quoted = " ".join(f"'{word}'" for word in words)
        return said("bash", "-c", f"{script}complete_words {quoted}", env=environment).split("\n")

    assert complete("sparkbridge", "run", "--profile", "p") == ["prod", ""]
    assert complete("sparkbridge", "run", "--profile", "m") == ["my\\ own", ""]
    assert "explain" in complete("sparkbridge", "e")
    assert "--idle-exit" in complete("sparkbridge", "run", "--id")
