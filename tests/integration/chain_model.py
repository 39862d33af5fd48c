"""The documented chain, once more and as short as it can be said, to compare the daemon with.

Four sources in order; each fills what is missing; the first that names a host decides it and the
others must mean the same. A named profile that gives the token needs a host by then. It knows
personal access tokens only. A case is a dict:

    remote, host, token, cluster_id, serverless, profile   what is said explicitly
    environment   variables
    file          None, or a dict of sections with their keys
"""

import re

MISSING = object()


class Unresolved(Exception):
    """There is no answer; its argument is the kind of the error."""


def workspace(host):
    """What of a host counts when two are compared."""
    host = re.sub(r"^\w+://", "", host.lower()).split("/")[0]
    return re.sub(r":443$", "", host)


class Remote:
    def __init__(self, text):
        match = re.fullmatch(r"sc://([^/;]+)/?((?:;[^=;]+=[^;]*)*)", text)
        if not match:
            raise Unresolved("connection string")
        self.host = match[1]
        pairs = dict(pair.split("=") for pair in match[2].split(";")[1:])
        self.token = pairs.get("token")
        self.cluster = pairs.get("x-databricks-cluster-id")
        self.serverless = "x-databricks-session-id" in pairs


class Answer:
    def __init__(self):
        self.host = self.token = self.compute = None
        self.sources = {}

    def complete(self):
        return None not in (self.host, self.token, self.compute)

    def admits(self, host, source):
        if host and self.host is None:
            self.host, self.sources["host"] = host, source
        return not host or workspace(host) == workspace(self.host)

    def fill(self, source, token=None, cluster=None, serverless=False):
        if self.token is None and token:
            self.token, self.sources["token"] = token, source
        if self.compute is None and (cluster or serverless):
            if cluster and serverless:
                raise Unresolved("both")
            self.compute = ("serverless", None) if serverless else ("cluster", cluster)
            self.sources["compute"] = source


def resolve(case):
    """The Answer; raises Unresolved."""
    answer = Answer()
    missing = _ask(case, answer)
    if answer.host is None:
        raise Unresolved("host")
    if not answer.complete() and missing:
        raise Unresolved("profile")
    if answer.token is None:
        raise Unresolved("credential")
    if answer.compute is None:
        raise Unresolved("compute")
    return answer


def _ask(case, answer):
    """Asks the sources; true where the default profile is named but not there."""
    _ask_explicit(case, answer)
    if not answer.complete() and case.get("profile"):
        section = (case["file"] or {}).get(case["profile"])
        if section is None:
            raise Unresolved("profile")
        _ask_sdk(case, answer, case["profile"], section)
        if answer.host is None and answer.sources.get("token") == f"profile {case['profile']},":
            raise Unresolved("host")  # a later source's would not be the token's
    remote = case["environment"].get("SPARK_REMOTE")
    if not answer.complete() and remote:
        _ask_remote(answer, Remote(remote), "SPARK_REMOTE")
    if not answer.complete():
        return _ask_defaults(case, answer)
    return False


def _ask_explicit(case, answer):
    keywords = {key: case.get(key) for key in ("host", "token", "cluster_id", "serverless")}
    if case.get("remote"):
        if any(keywords.values()):
            raise Unresolved("conflict")
        _ask_remote(answer, Remote(case["remote"]), "--remote")
        return
    if keywords["cluster_id"] and keywords["serverless"]:
        raise Unresolved("both")
    answer.admits(keywords["host"], "--host")
    answer.fill("--token-file", token=keywords["token"])
    answer.fill("--cluster-id", cluster=keywords["cluster_id"])
    answer.fill("--serverless", serverless=keywords["serverless"])


def _ask_remote(answer, remote, source):
    if answer.admits(remote.host, source):
        answer.fill(source, remote.token, remote.cluster, remote.serverless)


def _ask_sdk(case, answer, name, section):
    """Environment first, then a profile."""
    variables = {
        key: case["environment"].get(f"DATABRICKS_{key.upper()}")
        for key in ("host", "token", "cluster_id", "serverless_compute_id")
    }
    layers = [("environment", variables), (f"profile {name},", section)]
    layers = [layer for layer in layers if answer.admits(layer[1].get("host"), layer[0])]
    for source, layer in layers:
        answer.fill(source, token=layer.get("token"))
    for source, layer in layers:
        answer.fill(
            source,
            cluster=layer.get("cluster_id"),
            serverless=bool(layer.get("serverless_compute_id")),
        )


def _ask_defaults(case, answer):
    _ask_sdk(case, answer, "", {})
    if answer.complete():
        return False
    file = dict(case["file"] or {})
    settings = file.pop("__settings__", {})
    named = case["environment"].get("DATABRICKS_CONFIG_PROFILE") or settings.get("default_profile")
    section = file.get(named or "DEFAULT")
    if section is None:
        return bool(named)
    _ask_sdk(case, answer, named or "DEFAULT", section)
    return False
