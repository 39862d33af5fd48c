"""`sparkbridge explain` against an independent model of the chain, and what it must never show."""

import hashlib
import json
import os
import random
import subprocess

import chain_model
import pytest

CASES = 400
SEED = 20260901

HOSTS = {  # spellings of two workspaces
    "one": [
        "https://one.example.test",
        "one.example.test",
        "https://ONE.example.test/",
        "https://one.example.test:443",
        "https://one.example.test/?o=1",
    ],
    "two": ["https://two.example.test", "two.example.test:443", "https://Two.Example.Test/"],
}
REMOTES = {
    "one": ["one.example.test", "one.example.test:443", "ONE.example.test"],
    "two": ["two.example.test:443", "two.example.test"],
}


class Generator:
    """Random cases in which every source is there or not, for one workspace or the other."""

    def __init__(self, seed):
        self._random = random.Random(seed)

    def _maybe(self, probability=0.5):
        return self._random.random() < probability

    def _host(self, spellings):
        return self._random.choice(spellings[self._random.choice(["one", "one", "two"])])

    def _remote(self, label):
        text = f"sc://{self._host(REMOTES)}/"
        if self._maybe(0.6):
            text += f";token=tok-{label}"
        if self._maybe(0.4):
            text += f";x-databricks-cluster-id=cl-{label}"
        elif self._maybe(0.2):
            text += ";x-databricks-session-id=11111111-2222-4333-8444-555555555555"
        return text if self._maybe(0.95) else text.replace("sc://", "http://")

    def _section(self, label):
        section = {}
        if self._maybe(0.75):
            section["host"] = self._host(HOSTS)
        if self._maybe(0.65):
            section["token"] = f"tok-{label}"
        if self._maybe(0.4):
            section["cluster_id"] = f"cl-{label}"
        if self._maybe(0.15):
            section["serverless_compute_id"] = "auto"
        return section

    def _file(self):
        if self._maybe(0.15):
            return None
        file = {name: self._section(name) for name in ("DEFAULT", "team") if self._maybe(0.8)}
        if self._maybe(0.15):
            file["__settings__"] = {"default_profile": self._random.choice(["team", "absent"])}
        return file

    def _environment(self):
        environment = {
            f"DATABRICKS_{key.upper()}": value for key, value in self._section("env").items()
        }
        environment = {key: value for key, value in environment.items() if self._maybe(0.5)}
        if self._maybe(0.3):
            environment["SPARK_REMOTE"] = self._remote("sr")
        if self._maybe(0.25):
            environment["DATABRICKS_CONFIG_PROFILE"] = self._random.choice(
                ["team", "DEFAULT", "absent"]
            )
        if self._maybe(0.1):
            environment["DATABRICKS_HOST"] = ""
        return environment

    def case(self):
        case = {"environment": self._environment(), "file": self._file()}
        if self._maybe(0.3):
            case["remote"] = self._remote("rc")
        if "remote" not in case or self._maybe(0.05):
            if self._maybe(0.3):
                case["host"] = self._host(HOSTS)
            if self._maybe(0.25):
                case["token"] = "tok-kw"
            if self._maybe(0.25):
                case["cluster_id"] = "cl-kw"
            if self._maybe(0.12):
                case["serverless"] = True
        if self._maybe(0.4):
            case["profile"] = self._random.choice(["team", "team", "DEFAULT", "absent"])
        return case


class Explain:
    """Runs the command in a home of its own."""

    def __init__(self, binary, home):
        self._binary = binary
        self._home = home

    def write_file(self, sections):
        path = self._home / ".databrickscfg"
        path.unlink(missing_ok=True)
        if sections is None:
            return
        text = ""
        for name, keys in sections.items():
            text += f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())
        path.touch(0o600)
        path.write_text(text)

    def run(self, *arguments, environment=None):
        # No PATH: the answer may depend on nothing but what is given here.
        return subprocess.run(
            [self._binary, "explain", *arguments],
            env={"HOME": str(self._home), **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def json(self, *arguments, environment=None):
        ended = self.run("--json", *arguments, environment=environment)
        assert ended.returncode in (0, 78), ended.stderr
        answer = json.loads(ended.stdout)
        assert answer["complete"] == (ended.returncode == 0)
        return answer

    def arguments(self, case):
        words = []
        for key in ("remote", "host", "cluster_id", "profile"):
            if case.get(key):
                words += [f"--{key.replace('_', '-')}", case[key]]
        if case.get("serverless"):
            words.append("--serverless")
        if case.get("token"):
            path = self._home / "token"
            path.touch(0o600)
            path.write_text(case["token"] + "\n")
            words += ["--token-file", str(path)]
        return words

    def case(self, case):
        self.write_file(case["file"])
        return self.json(*self.arguments(case), environment=case["environment"])


@pytest.fixture
def explain(binary, tmp_path):
    return Explain(binary, tmp_path)


def fingerprint(token):
    return hashlib.sha256(token.encode()).hexdigest()[:12]


def expectation(case):
    """What the model says, in the form of summary()."""
    try:
        answer = chain_model.resolve(case)
    except chain_model.Unresolved as error:
        return {"error": error.args[0]}
    kind, cluster = answer.compute
    header = "cluster-id" if kind == "cluster" else "session-id"
    return {
        "host": chain_model.workspace(answer.host),
        "token": fingerprint(answer.token),
        "cluster_id": cluster,
        "serverless": kind == "serverless",
        "headers": ["authorization", f"x-databricks-{header}"],
    }


def summary(answer):
    if not answer["complete"]:
        return {"error": answer["error"]["kind"]}
    return {
        "host": answer["host"]["value"],
        "token": answer["token"]["fingerprint"],
        "cluster_id": answer["cluster_id"] and answer["cluster_id"]["value"],
        "serverless": answer["serverless"],
        "headers": answer["headers"],
    }


def sources(answer):
    return {
        "host": answer["host"]["source"],
        "token": answer["token"]["source"],
        "compute": answer["compute"]["source"],
    }


@pytest.mark.parametrize("part", range(10))
def test_chain_against_model(explain, part):
    generator = Generator(SEED + part)
    wrong, kinds = [], set()
    for _ in range(CASES // 10):
        case = generator.case()
        answer = explain.case(case)
        expected = expectation(case)
        kinds.add(expected.get("error", "complete"))
        if summary(answer) != expected:
            wrong.append((case, expected, answer))
        elif answer["complete"]:
            labels = chain_model.resolve(case).sources
            if any(labels[key] not in source for key, source in sources(answer).items()):
                wrong.append((case, labels, sources(answer)))
        assert "tok-" not in json.dumps(answer)
    assert wrong == []
    assert len(kinds) >= 5  # the cases are worth something


def test_model_reaches_every_kind():
    generator = Generator(SEED)
    cases = [generator.case() for _ in range(3000)]
    kinds = {expectation(case).get("error", "complete") for case in cases}
    assert kinds == {
        "complete",
        "host",
        "credential",
        "compute",
        "profile",
        "conflict",
        "both",
        "connection string",
    }


COMPLETE = {
    "DEFAULT": {"host": "https://one.example.test", "token": "tok-file", "cluster_id": "cl-file"},
    "team": {"host": "https://two.example.test", "token": "tok-team", "cluster_id": "cl-team"},
    "oauth": {"host": "two.example.test", "client_id": "some-id", "client_secret": "tok-oauth"},
}


def test_says_where_from(explain):
    explain.write_file(COMPLETE)
    assert sources(explain.json()) == {
        "host": "profile DEFAULT, ~/.databrickscfg:2",
        "token": "profile DEFAULT, ~/.databrickscfg:3",
        "compute": "profile DEFAULT, ~/.databrickscfg:4",
    }


def test_says_what_is_shadowed(explain):
    explain.write_file(COMPLETE)
    answer = explain.json(environment={"DATABRICKS_TOKEN": "tok-env"})
    assert answer["shadowed"] == [
        "token: profile DEFAULT, ~/.databrickscfg:3, hidden by DATABRICKS_TOKEN from the environment"
    ]
    assert answer["warnings"] == []


def test_warns_of_what_overrides_a_named_profile(explain):
    explain.write_file(COMPLETE)
    answer = explain.json(
        "--profile",
        "team",
        environment={"DATABRICKS_TOKEN": "tok-env", "SPARK_REMOTE": "sc://one.example.test:443/"},
    )
    assert answer["warnings"] == [
        "DATABRICKS_TOKEN from the environment overrides the token of "
        "profile team, ~/.databrickscfg:7",
        "SPARK_REMOTE is set, but the named profile team comes first",
    ]


def test_warns_of_a_file_that_others_may_read(explain, tmp_path):
    explain.write_file(COMPLETE)
    os.chmod(tmp_path / ".databrickscfg", 0o640)
    [warning] = explain.json()["warnings"]
    assert warning.startswith("~/.databrickscfg may be read by other users")


def test_says_what_was_passed_over(explain):
    explain.write_file(COMPLETE)
    answer = explain.json("--host", "two.example.test")
    assert answer["error"]["kind"] == "credential"
    [passed_over] = answer["error"]["passed_over"]
    assert passed_over == (
        "profile DEFAULT, ~/.databrickscfg:1 has a token and a compute, but is for "
        "one.example.test, not two.example.test (--host)"
    )
    assert passed_over in answer["error"]["message"]


@pytest.mark.parametrize("remote", ["sc://localhost:15002", "sc://127.0.0.1/;use_ssl=false"])
@pytest.mark.parametrize("arguments", [[], ["--profile", "DEFAULT"]])
def test_spark_remote_of_the_bridge_itself_is_no_upstream(explain, arguments, remote):
    explain.write_file(COMPLETE)
    answer = explain.json(*arguments, environment={"SPARK_REMOTE": remote})
    assert answer["host"]["value"] == "one.example.test"
    assert answer["warnings"] == []


def test_names_the_method_that_cannot_be_used_yet(explain):
    explain.write_file(COMPLETE)
    answer = explain.json("--profile", "oauth", "--resolution", "documented")
    assert answer["error"]["kind"] == "auth"
    assert "oauth-m2m" in answer["error"]["message"]
    assert "profile oauth, ~/.databrickscfg:12" in answer["error"]["message"]


def test_suggests_a_profile(explain):
    explain.write_file(COMPLETE)
    error = explain.json("--profile", "taem")["error"]
    assert error["kind"] == "profile"
    assert 'did you mean "team"?' in error["message"]


def test_a_malformed_file_is_named_with_its_line(explain, tmp_path):
    (tmp_path / ".databrickscfg").write_text("[DEFAULT]\nhost = one.example.test\ntoken\n")
    error = explain.json()["error"]
    assert error["kind"] == "profile"
    assert ".databrickscfg:3:" in error["message"]


@pytest.mark.parametrize("resolution", ["documented", "sdk"])
def test_a_value_in_doubt_keeps_its_profile_alone_from_use(explain, tmp_path, resolution):
    path = tmp_path / ".databrickscfg"
    path.touch(0o600)
    path.write_text(
        "[quoted]\nhost = one.example.test\ntoken = 'tok-a'\ncluster_id = cl\n"
        "[plain]\nhost = one.example.test\ntoken = tok-b\ncluster_id = cl\n"
    )
    error = explain.json("--profile", "quoted", "--resolution", resolution)["error"]
    assert error["kind"] == "profile"
    assert ".databrickscfg:3:9: the quotes around the value of token" in error["message"]
    assert "tok-a" not in error["message"]
    answer = explain.json("--profile", "plain", "--resolution", resolution)
    assert answer["token"]["fingerprint"] == fingerprint("tok-b")


@pytest.mark.parametrize(
    ("content", "words"), [(None, "there is no such file"), ("a b\n", "byte 2 is a space")]
)
def test_a_token_file_that_fails_is_an_answer_too(explain, tmp_path, content, words):
    path = tmp_path / "token"
    if content:
        path.touch(0o600)
        path.write_text(content)
    answer = explain.json("--host", "one.example.test", "--token-file", path)
    assert answer["error"]["kind"] == "credential"
    assert answer["error"]["message"].startswith(f"--token-file {path}: {words}")
    assert answer["error"]["passed_over"] == []


def test_form_of_a_complete_answer(explain):
    """Every key that programs count on, and its type."""
    explain.write_file(COMPLETE)
    answer = explain.json(environment={"DATABRICKS_CLUSTER_ID": "cl-env"})
    del answer["compute"], answer["passed_over"]  # more than is promised
    assert answer == {
        "complete": True,
        "host": {
            "value": "one.example.test",
            "port": 443,
            "source": "profile DEFAULT, ~/.databrickscfg:2",
        },
        "auth_type": "pat",
        "token": {
            "fingerprint": fingerprint("tok-file"),
            "source": "profile DEFAULT, ~/.databrickscfg:3",
        },
        "cluster_id": {"value": "cl-env", "source": "DATABRICKS_CLUSTER_ID from the environment"},
        "serverless": False,
        "headers": ["authorization", "x-databricks-cluster-id"],
        "shadowed": [
            "cluster id: profile DEFAULT, ~/.databrickscfg:4, hidden by "
            "DATABRICKS_CLUSTER_ID from the environment"
        ],
        "warnings": [],
    }
    answer = explain.json("--serverless")
    assert (answer["serverless"], answer["cluster_id"]) == (True, None)
    assert answer["headers"] == ["authorization", "x-databricks-session-id"]


def test_form_of_an_incomplete_answer(explain):
    answer = explain.json("--host", "one.example.test")
    del answer["found"], answer["shadowed"], answer["warnings"]  # more than is promised
    message = answer["error"].pop("message")
    assert "one.example.test" in message
    assert answer == {"complete": False, "error": {"kind": "credential", "passed_over": []}}


@pytest.mark.parametrize("environment", [{"HOME": ""}, {"DATABRICKS_CONFIG_FILE": "/nonexistent"}])
def test_says_why_there_is_no_profile_file(explain, environment):
    answer = explain.json("--host", "one.example.test", environment=environment)
    [warning] = answer["warnings"]
    assert "HOME is not set" in warning or warning.startswith("/nonexistent: no such file")


def test_an_upstream_without_tls_is_refused(explain):
    error = explain.json("--remote", "sc://one.example.test/;use_ssl=false")["error"]
    assert error["kind"] == "connection string"
    assert "TLS" in error["message"]


def test_no_compute_for_other_servers(explain):
    environment = {"DATABRICKS_CLUSTER_ID": "cl-env", "DATABRICKS_TOKEN": "tok-env"}
    answer = explain.json("--no-compute", "--host", "spark.example.test", environment=environment)
    assert answer["cluster_id"] is None
    assert answer["serverless"] is False
    assert answer["headers"] == ["authorization"]


@pytest.mark.parametrize(
    ("remote", "port"),
    [
        ("sc://one.example.test/;token=tok-rc", 15002),
        ("sc://one.example.test:443/;token=tok-rc", 443),
        ("sc://one.example.test:8443/;token=tok-rc", 8443),
    ],
)
def test_port_of_a_connection_string(explain, remote, port):
    answer = explain.json("--remote", remote, environment={"DATABRICKS_CLUSTER_ID": "cl-env"})
    assert answer["host"]["port"] == port


def test_compare_shows_where_the_real_client_differs(explain):
    explain.write_file(COMPLETE)
    ended = explain.run(
        "--compare", "--json", environment={"DATABRICKS_HOST": "https://one.example.test"}
    )
    answer = json.loads(ended.stdout)
    assert answer["differences"] == ["complete"]
    assert answer["documented"]["complete"]
    assert answer["sdk"]["error"]["kind"] == "credential"


def test_people_get_a_table(explain):
    explain.write_file(COMPLETE)
    ended = explain.run()
    assert ended.returncode == 0
    for word in ("one.example.test:443", "cl-file", fingerprint("tok-file")):
        assert word in ended.stdout
    assert "tok-file" not in ended.stdout
