"""What the subcommands say and how they end: check, status, help, and command lines that are wrong."""

import json
import re
import signal
import subprocess

import pytest
from workspace.processes import Child

CONFIG = """\
version: 1
listeners:
  - name: spark
    listen: ["localhost:0"]
    connection: {{host: "https://[::1]", token_file: {0}/token, compute: none}}
control: {{listen: "unix:{0}/control"}}
"""


class Program:
    def __init__(self, binary, path):
        self.path = path
        self.config = path / "m.yaml"
        self.config.write_text(CONFIG.format(path))
        (path / "token").touch(0o600)
        (path / "token").write_text("tok-commands\n")
        self.binary = binary

    def run(self, *words, **keywords):
        return subprocess.run(
            [self.binary, *words],
            **{"stdout": subprocess.PIPE, **keywords},
            env={"HOME": str(self.path)}, cwd=self.path, stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip


@pytest.fixture
def program(binary, tmp_path):
    return Program(binary, tmp_path)


# ---- check --------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [["-q", "-c"], ["-qc"], ["--quiet", "--config"]])
def test_check_is_quiet(program, words):
    done = program.run("check", *words, program.config)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_check_takes_no_value_for_a_flag(program):
    (program.path / "--quiet").write_text(program.config.read_text())
    done = program.run("check", "--config", "--quiet")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "listener spark")


def test_check_answers_in_json_where_the_file_is_wrong(program):
    program.config.write_text("version: 1\nfoo: 1\n")
    done = program.run("check", "-c", program.config, "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, done.stderr, answer["ok"]) == (78, "", False)
    assert "m.yaml:2:1: foo: unknown key" in answer["diagnostics"][0]["message"]
    done = program.run("check", "-qc", program.config)
    assert (done.returncode, done.stdout) == (78, "")
    assert "m.yaml:2:1: foo: unknown key" in done.stderr


# ---- the workspace's address, everywhere the same -----------------------------------------------


def test_an_ipv6_workspace_stands_in_brackets(program):
    for command in ("check", "explain"):
        assert re.search(
            r"^(  workspace|host) +\[::1\]:443 ",
            program.run(command, "-c", program.config).stdout,
            re.M,
        ), command


# ---- status -------------------------------------------------------------------------------------


@pytest.fixture
def daemon(program):
    child = Child(
        "the daemon",
        [program.binary, "run", "--config", program.config],
        env={"HOME": str(program.path), "SPARKBRIDGE_LOG_FORMAT": "logfmt"},
        cwd=program.path,
    )
    child.wait_for_line(lambda line: "msg=ready" in line, timeout=60)
    yield child
    assert child.stop() == 0


def test_status_tells_a_failed_reload(program, daemon):
    status = ["status", "--control", f"unix:{program.path}/control"]
    said = program.run(*status).stdout
    assert "  workspace   [::1]:443 (" in said
    assert "reload" not in said
    program.config.write_text(CONFIG.format(program.path) + "foo: 1\n")
    daemon.send_signal(signal.SIGHUP)
    daemon.wait_for_line(lambda line: 'msg="not reloaded' in line, timeout=30)
    assert re.search(
        r"^reload failed at \S+: .*m\.yaml:7:1: foo: unknown key.*; the old configuration serves$",
        program.run(*status).stdout,
        re.M,
    )
    program.config.write_text(CONFIG.format(program.path))
    daemon.send_signal(signal.SIGHUP)
    daemon.wait_for_line(lambda line: "msg=reloaded" in line, timeout=30)
    said = program.run(*status).stdout
    assert re.search(r"^reloaded at \S+$", said, re.M)
    assert "reload failed" not in said


# ---- command lines ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--profile prod", "--profile: options follow a subcommand: `sparkbridge run --profile NAME`"),
        ("-p prod", "-p: options follow a subcommand: `sparkbridge run -p NAME`"),
        ("--json", "--json: options follow a subcommand: `sparkbridge check --json`"),
        ("--remote=sc://h/;token=dapi0",
         "--remote: options follow a subcommand: `sparkbridge run --remote STRING`"),
        ("-pdapi0", "-p: options follow a subcommand: `sparkbridge run -p NAME`"),
        ("--nonsense=dapi0",
         '"--nonsense": unknown option; options follow a subcommand, and `sparkbridge --help` lists '
         "both"),
        ("sc://h/;token=dapi0",
         "sparkbridge: the first argument has to be a subcommand; `sparkbridge --help` lists all"),
        ("chek", 'sparkbridge: chek: no such subcommand (did you mean "check"?); '
                 "`sparkbridge --help` lists all"),
        ("help chek", 'sparkbridge: chek: no such subcommand (did you mean "check"?); '
                      "`sparkbridge --help` lists all"),
        ("profiles -p prod", "-p: not an option of profiles, but of run, check and explain"),
        ("explain --log-level debug -p prod",
         "--log-level: not an option of explain, but of run and check"),
    ],
)  # fmt: skip
def test_command_lines_that_are_wrong(program, line, said):
    done = program.run(*line.split())
    assert (done.returncode, done.stdout, done.stderr) == (64, "", said + "\n")


def test_help_of_a_command(program):
    assert program.run("help", "check").stdout == program.run("check", "--help").stdout
    assert program.run("help", "check", "--help-all").stdout == (
        program.run("check", "--help-all").stdout
    )
    assert program.run("help").stdout == program.run("--help").stdout
    assert program.run("-V").stdout == program.run("--version").stdout


def test_standard_output_that_cannot_be_written(program):
    """Its exit code is among those that the help names."""
    with open("/dev/full", "w") as full:
        code = program.run("version", stdout=full).returncode
    assert code == 74
    assert f"\n  {code}  standard output" in program.run("--help").stdout
