"""`explain --resolution sdk` against the real client: random cases, no difference but the intended.

compare.py BINARY [--cases N] [--seed S] [--show], in the Python that has databricks-connect.
"""

import argparse
import collections
import hashlib
import json
import re
import select
import subprocess
import sys
import tempfile
from pathlib import Path

from differences import INTENDED, intended
from generate import Generator

HERE = Path(__file__).resolve().parent
ANSWER_TIMEOUT_S = 120  # the first one imports it all

KINDS = [  # how the client's sentence begins, and its kind here
    (r"default auth: cannot configure", "credential"),
    (r"default auth: [\w-]+: ", "auth"),
    (r"resolve: |__settings__ is a reserved", "profile"),
    (r"validate: more than one|conn_string must not|Can't set profile|sdkConfig must", "conflict"),
    (r"Cluster id or serverless are required|Invalid serverless", "compute"),
    (r"Can't set both", "both"),
    (r"invalid literal for int|could not convert string to float", "auth"),
    (r"Port could not be cast|Invalid IPv6|.*is not a valid|.*does not appear", "host"),
    (r"\[INVALID_CONNECT_URL\]|\[UNSUPPORTED_LOCAL", "connection string"),
]


class RealClient:
    def __enter__(self):
        self._process = subprocess.Popen(
            [sys.executable, HERE / "real_client.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait()

    def ask(self, case):
        self._process.stdin.write(json.dumps(case) + "\n")
        self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], ANSWER_TIMEOUT_S)[0]:
            self._process.kill()
            raise TimeoutError(f"the real client says nothing within {ANSWER_TIMEOUT_S} s of {case}")
        return json.loads(self._process.stdout.readline())


def write_file(path, sections):
    path.unlink(missing_ok=True)
    if sections is None:
        return
    path.touch(0o600)
    with path.open("w") as file:
        for name, settings in sections.items():
            file.write(f"[{name}]\n")
            file.writelines(f"{key} = {value}\n" for key, value in settings.items())


def ask_bridge(binary, case):
    words = ["explain", "--json", "--resolution", "sdk"]
    for key in ("remote", "host", "cluster_id", "profile"):
        if key in case:
            words += [f"--{key.replace('_', '-')}", case[key]]
    if case.get("serverless"):
        words.append("--serverless")
    if "token" in case:
        path = Path(case["home"]) / "token"
        path.touch(0o600)
        path.write_text(case["token"])
        words += ["--token-file", str(path)]
    ended = subprocess.run(
        [binary, *words],
        env={**case["environment"], "HOME": case["home"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if ended.returncode not in (0, 78):
        raise AssertionError(f"status {ended.returncode}: {ended.stderr}")
    return json.loads(ended.stdout)


def kind_of(sentence):
    for pattern, kind in KINDS:
        if re.match(pattern, sentence):
            return kind
    raise AssertionError(f"an error of the client that the comparison does not know: {sentence}")


def client_summary(client):
    """The client's answer in the form of bridge_summary()."""
    if "error" in client:
        sentence = client["error"]
        kind = kind_of(sentence)
        chosen = re.match(r"default auth: ([\w-]+): (?!auth type)", sentence)
        if chosen:  # the method was chosen and then failed
            return {"method": chosen[1]}
        if kind in ("host", "connection string"):  # the sentences there are our own
            return {"kind": kind}
        return {"kind": kind, "sentence": sentence[:1020]}
    if client["method"] != "pat":
        return {"method": client["method"]}
    return {
        "host": client["host"],
        "port": client["port"],
        "token": client["token"] and hashlib.sha256(client["token"].encode()).hexdigest()[:12],
        "cluster_id": client["cluster_id"],
        "serverless": client["serverless"],
        "headers": client["headers"],
    }


def bridge_summary(ours):
    if not ours["complete"]:
        error = ours["error"]
        chosen = ours["found"].get("auth_type")
        if error["kind"] == "auth" and chosen:
            return {"method": chosen}
        # The client does not tell these two apart.
        kind = error["kind"]
        if kind == "host" and error["message"].startswith("default auth"):
            kind = "credential"
        if kind in ("host", "connection string"):
            return {"kind": kind}
        return {"kind": kind, "sentence": error["message"][:1020]}
    standard = {"authorization", "x-databricks-cluster-id", "x-databricks-session-id"}
    return {
        "host": ours["host"]["value"],
        "port": ours["host"]["port"],
        "token": ours["token"]["fingerprint"],
        "cluster_id": ours["cluster_id"] and ours["cluster_id"]["value"],
        "serverless": ours["serverless"],
        "headers": sorted(set(ours["headers"]) - standard),
    }


def label(summary):
    if "method" in summary:
        return "another method"
    return summary.get("kind", "complete")


def compare(binary, cases, seed):
    """Counts of what was met, and (case, client, ours) for each difference not intended."""
    generator = Generator(seed)
    counts = collections.Counter()
    faults = []
    with RealClient() as real, tempfile.TemporaryDirectory(prefix="sparkbridge-oracle-") as home:
        for _ in range(cases):
            case = generator.case() | {"home": home}
            write_file(Path(home) / ".databrickscfg", case["file"])
            client, ours = real.ask(case), ask_bridge(binary, case)
            theirs, mine = client_summary(client), bridge_summary(ours)
            if theirs == mine:
                counts[f"same: {label(mine)}"] += 1
                continue
            name = intended(case, client, ours)
            counts[f"intended: {name}" if name else "FAULT"] += 1
            if not name:
                faults.append((case, theirs, mine))
    return counts, faults


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary")
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    counts, faults = compare(options.binary, options.cases, options.seed)
    for name, count in sorted(counts.items()):
        print(f"{count:6} {name}")
    for case, theirs, mine in faults[:20]:
        del case["home"]
        print(f"\ncase   {json.dumps(case)}\nclient {theirs}\nbridge {mine}")
    unused = [p.__name__ for p in INTENDED if not counts[f"intended: {p.__name__}"]]
    if unused and options.cases >= 1000:
        print(f"intended differences that no case met: {', '.join(unused)}")
    print(f"{options.cases} cases, seed {options.seed}: {len(faults)} differences")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
