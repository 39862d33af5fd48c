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
    assert "\nPrecedence:\n" in help_text
    described = re.findall(r"^\.TP\n\.B (-.*)$", page.split(".SH OPTIONS")[1].split(".SH ")[0], re.M)
    flags = re.findall(r"^  (?:-\w, |    )(--[a-z-]+(?: \S+)?)$", help_text, re.M)
    assert [head.split(", ")[-1] for head in described] == flags  # and nothing besides
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
    """Where the program is found, and files with profiles."""
    (directory / "cfg").write_text("[prod]\nhost = https://a.example.com\n[my own]\n")
    (directory / "team.cfg").write_text("[team]\nhost = https://a.example.com\n")
    return {
        "PATH": f"{Path(release_binary).parent}:{os.environ['PATH']}",
        "DATABRICKS_CONFIG_FILE": str(directory / "cfg"),
        "HOME": str(directory),
    }


def offers(complete):
    """The same of every shell: `complete` gives the words that can stand at the end of a line."""
    assert complete("sparkbridge run --profile p") == ["prod"]
    assert "my own" in complete("sparkbridge run --profile ")
    assert "explain" in complete("sparkbridge e")
    assert complete("sparkbridge help che") == ["check"]
    assert complete("sparkbridge help check ") == []
    assert "--idle-exit" in complete("sparkbridge run --id")
    assert complete("sparkbridge run --pro").count("--profile") == 1
    assert complete("sparkbridge run --log-level debug --log-f") == ["--log-format"]
    assert complete("sparkbridge check --quiet --js") == ["--json"]
    # What status refuses it is not offered.
    assert "--control" in complete("sparkbridge status --")
    assert not {"--profile", "--listen", "--host"} & set(complete("sparkbridge status --"))
    # Behind an option that takes a value there is nothing else.
    assert complete("sparkbridge run --log-level w") == ["warn"]
    assert complete("sparkbridge run --sandbox ") == ["auto", "off"]
    assert complete("sparkbridge explain --resolution s") == ["sdk"]
    for option in ("--log-level", "--host", "--listen", "-l", "--drain-timeout", "--profile"):
        assert not [o for o in complete(f"sparkbridge run {option} ") if o.startswith("-")], option
    for option in ("--config", "-c", "--token-file", "--client-cert", "--sandbox-read"):
        assert complete(f"sparkbridge run {option} te") == ["team.cfg"], option
    assert complete("sparkbridge run --via te") == []
    # The value in the same word.
    assert complete("sparkbridge run --profile=p") == ["--profile=prod"]
    assert complete("sparkbridge run --log-format=l") == ["--log-format=logfmt"]
    assert complete("sparkbridge run --config-file=te") == ["--config-file=team.cfg"]
    # Of the file that was named before.
    for option in ("--config-file team.cfg", "--config-file=team.cfg"):
        assert complete(f"sparkbridge run {option} --profile ") == ["team"]
        assert complete(f"sparkbridge run {option} -p ") == ["team"]
        assert complete(f"sparkbridge run {option} --profile=") == ["--profile=team"]


# What readline does: the line is taken apart at blanks and at `=`, and the last part is replaced.
BASH = """
source {completions}/sparkbridge.bash
take_apart() {{
    local word
    COMP_WORDS=()
    for word in $1; do
        if [[ $COMP_WORDBREAKS == *=* && $word == *=* ]]; then
            COMP_WORDS+=("${{word%%=*}}" =)
            [[ -z ${{word#*=}} ]] || COMP_WORDS+=("${{word#*=}}")
        else
            COMP_WORDS+=("$word")
        fi
    done
    [[ $1 != *' ' ]] || COMP_WORDS+=('')
}}
take_apart "$1"
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_sparkbridge
((${{#COMPREPLY[@]}} == 0)) || printf '%s\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize("breaks", [" \t\n\"'><=;|&(:", " \t\n"])
def test_bash_offers_them(release_binary, tmp_path, breaks):
    """Names come from the SDK's file, also those with a blank in them; options from the program."""
    environment = shell_environment(release_binary, tmp_path)
    script = f"COMP_WORDBREAKS=$2\n{BASH.format(completions=ROOT / 'packaging/completions')}"

    def complete(line):
        done = said("bash", "-c", script, "bash", line, breaks, env=environment, cwd=tmp_path)
        front = line.rsplit(" ", 1)[1].partition("=")
        front = front[0] + front[1] if front[1] and "=" in breaks else ""
        return [front + offer.replace("\\ ", " ") for offer in done.splitlines()]

    offers(complete)


def test_fish_offers_them(release_binary, tmp_path):
    if not shutil.which("fish"):
        pytest.skip("NOT TESTED: needs fish; ./dev setup test")
    environment = shell_environment(release_binary, tmp_path)
    script = f"source {ROOT}/packaging/completions/sparkbridge.fish; complete -C $argv[1]"

    def complete(line):
        text = said("fish", "--no-config", "-c", script, line, env=environment, cwd=tmp_path)
        return [offer.split("\t")[0].replace("\\ ", " ") for offer in text.splitlines()]

    offers(complete)


# What the functions of zsh's completion do with what they are given, without a terminal.
ZSH = """
front=
compset() { front=${words[CURRENT]%%=*}=; }
compadd() { local -a all=(${(P)2}); (( $#all )) && print -l -- $front$^all; return 0; }
_describe() { print -l -- ${${(P)2}%%:*}; }
_files() { local -a all=(*); print -l -- $front$^all; }
words=(${(z)1}); [[ $1 == *' ' ]] && words+=('')
CURRENT=$#words
"""


def test_zsh_offers_them(release_binary, tmp_path):
    if not shutil.which("zsh"):
        pytest.skip("NOT TESTED: needs zsh; ./dev setup test")
    environment = shell_environment(release_binary, tmp_path)
    script = f"{ZSH}source {ROOT}/packaging/completions/_sparkbridge"

    def complete(line):
        done = said("zsh", "-f", "-c", script, "zsh", line, env=environment, cwd=tmp_path)
        begin = line.rsplit(" ", 1)[1]  # zsh itself leaves out what does not begin so
        return [offer for offer in done.splitlines() if offer.startswith(begin)]

    offers(complete)
