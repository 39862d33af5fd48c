"""`sparkbridge schema` and `sample-config`: the schema accepts the sample and what the daemon
accepts, and rejects the malformed files of the unit tests, as far as a schema can see them."""

import json
import re
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml

CASES = Path(__file__).resolve().parents[1] / "unit" / "malformed_yaml.txt"

# What PyYAML does not tell apart, and what no schema can say.
BEYOND_A_SCHEMA = {
    "anchor",
    "another user's home",
    "client key alone",
    "duplicate key in a listener",
    "duplicate key",
    "duration out of range",
    "duration that overflows",
    "header pattern of guarded names",
    "header that is the bridge's",
    "merge key",
    "name twice",
    "number from a variable",
    "profile number",
    "row of a user who does not exist",
    "serverless yes",
    "size out of range",
    "switch from a variable",
    "tag",
    "two addresses that overlap",
    "variable that is not set",
}

ENVIRONMENT = {"ADDR": "localhost:5", "R": "sdk", "HOME": "/nonexistent"}

GOOD = [
    "version: 1",
    "version: 1\nlisteners:\ntimeouts:\nlog:",
    "version: 1\nlisteners: [{name: a}, {name: b.c-d_E, listen: ['[::1]:0', 'unix:/run/x.sock']}]",
    "version: 1\nlisteners: [{name: a, listen: ['127.0.0.2:1', '${ADDR}', 'localhost:0']}]",
    "version: 1\nlisteners: [{name: a, connection: {cluster_id: x, serverless: false}}]",
    "version: 1\nlisteners: [{name: a, connection: {host: h, compute: none}, socket: {}}]",
    "version: 1\nlisteners: [{name: a, profile: p, connection: }]",
    "version: 1\nlisteners: [{name: a, socket: {mode: '0660'}, resolution: '${R:-sdk}'}]",
    "version: 1\nlisteners: [{name: a, authorities: [a.b, '[::1]'], forward_headers: [x-a, '*']}]",
    "version: 1\nlisteners: [{name: a, listen: ['LOCALHOST:1', 'unix:///run/x']}]",
    "version: 1\nlisteners: [{name: a, profile: p, connection: {cluster_id: x}}]",
    "version: 1\nlisteners: [{name: a, connection: {cluster_id: x, serverless: '${OFF:-no}'}}]",
    "version: 1\nlimits: {connections: '${N:-7}', calls: 9}",
    "version: 1\ntimeouts: {upstream_connect: 500ms, drain: 1h}\nlog: {level: warn}",
]


def malformed():
    """The titles and texts of the cases."""
    parts = re.split(r"^@@ (.*)\n", CASES.read_text(), flags=re.M)[1:]
    for title, text in zip(parts[::2], parts[1::2], strict=True):
        yield title, re.sub(r"^!! .*\n", "", text, flags=re.M)


def run(binary, *arguments):
    return subprocess.run(
        [binary, *arguments], capture_output=True, text=True, timeout=30, env=ENVIRONMENT
    )


@pytest.fixture(scope="module")
def validator(binary):
    schema = json.loads(run(binary, "schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.fixture(scope="module")
def sample(binary):
    return run(binary, "sample-config").stdout


def defaults(schema):
    """Each default with the schema that it is in."""
    if isinstance(schema, dict):
        if "default" in schema and isinstance(schema.get("description"), str):
            yield schema["default"], schema
        schema = list(schema.values())
    for part in schema if isinstance(schema, list) else []:
        yield from defaults(part)


def test_its_defaults_are_right(validator):
    found = list(defaults(validator.schema))
    assert sum(type(value) is int for value, _ in found) == 5
    for value, schema in found:
        jsonschema.validate(value, schema)


def test_accepts_the_sample(validator, sample):
    validator.validate(yaml.safe_load(sample))


def test_accepts_every_key_of_the_sample(validator, sample):
    keys = list(re.finditer(r"^ *(#)[a-z_]+: ", sample, flags=re.M))
    assert len(keys) >= 17
    for key in keys:
        text = sample[: key.start(1)] + sample[key.end(1) :]
        validator.validate(yaml.safe_load(text))


@pytest.mark.parametrize("text", GOOD)
def test_accepts_what_the_daemon_accepts(validator, binary, tmp_path, text):
    validator.validate(yaml.safe_load(text))
    path = tmp_path / "sparkbridge.yaml"
    path.write_text(text)
    result = run(binary, "explain", "--config", path)
    assert f"{path}:" not in result.stderr
    # 78: it is whole, and names no workspace.
    assert result.returncode in (0, 78), result.stderr


@pytest.mark.parametrize(("title", "text"), list(malformed()))
def test_rejects_what_is_malformed(validator, title, text):
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError:
        return  # not YAML at all
    assert validator.is_valid(content) == (title in BEYOND_A_SCHEMA)
