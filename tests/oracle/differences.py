"""Where `resolution: sdk` differs from the real client on purpose: each with its reason.

A predicate gets the case, the client's answer and ours, and is as narrow as it can be: a difference
that none explains is a fault.
"""

import re


def _error(ours):
    return ours.get("error", {}).get("kind")


def _remote_used(case):
    """The connection string that decides, if one does."""
    if "remote" in case:
        return case["remote"]
    named = {"host", "token", "cluster_id", "serverless", "profile"} & case.keys()
    return None if named else case["environment"].get("SPARK_REMOTE")


def _connected(case, client):
    return _remote_used(case) is not None and "error" not in client


def no_tls(case, client, ours):
    """A connection string with use_ssl=false is refused: the bridge speaks TLS or not at all. The
    client ignores it beside a token, and without one it goes out in plain text."""
    return (
        _connected(case, client)
        and "use_ssl=false" in _remote_used(case)
        and _error(ours) == "connection string"
    )


def no_credential(case, client, ours):
    """A connection string without a token: the client connects without a credential (in plain text,
    too) and lets the workspace refuse it; the bridge says so at once."""
    return _connected(case, client) and client["token"] is None and _error(ours) == "credential"


def no_compute(case, client, ours):
    """A connection string without a compute: the client connects and lets the workspace refuse it;
    the bridge says so at once."""
    return (
        _connected(case, client)
        and client["cluster_id"] is None
        and not client["serverless"]
        and _error(ours) == "compute"
    )


def two_computes(case, client, ours):
    """A connection string with a cluster id and a session id: the client sends both headers; the
    bridge must know which one is meant."""
    return (
        _connected(case, client)
        and client["cluster_id"] is not None
        and client["serverless"]
        and _error(ours) == "both"
    )


def stricter_connection_string(case, client, ours):
    """Parameters without a value or given twice, which the client accepts: they are mistakes."""
    if not _connected(case, client) or _error(ours) != "connection string":
        return False
    keys = re.findall(r";([^=;]+)=", _remote_used(case))
    return len(keys) > len(set(keys)) or re.search(r"=(;|$)", _remote_used(case)) is not None


def lower_case_headers(case, client, ours):
    """An upper-case key of a connection string: the client passes it on and gRPC then refuses every
    call; the bridge makes it lower case."""
    return _connected(case, client) and "X-Upper=" in _remote_used(case) and ours["complete"]


def remote_port_error(case, client, ours):
    """A port that is no number in a connection string: Python's ValueError for the client, the
    error of every other malformed connection string here."""
    remote = _remote_used(case) or ""
    return (
        client.get("error", "").startswith("Port could not be cast")
        and ":port" in remote
        and _error(ours) == "connection string"
    )


def _hosts(case):
    hosts = [case.get("host"), case["environment"].get("DATABRICKS_HOST")]
    hosts += [section.get("host") for section in (case["file"] or {}).values()]
    return [host for host in hosts if host]


def user_in_host(case, client, ours):
    """User information in a host is refused: the client makes it a part of the target, where it
    could only be a leaked secret."""
    return any("@" in host for host in _hosts(case)) and _error(ours) == "host"


def no_workspace_host(case, client, ours):
    """Another scheme than https:// and http://, or parameters (';'): the client drops them, ours
    refuses them, since it is a connection string or a mistake."""
    odd = any(";" in host or host.startswith("ftp:") for host in _hosts(case))
    return odd and _error(ours) == "host"


def host_is_not_shown(case, client, ours):
    """The client's sentences show a host with user information or parameters, ours ***."""
    sentence = client.get("error", "")
    hidden = re.sub(r"host=[^, ]*[@;][^, ]*?(?=, |\. Env: |$)", "host=***", sentence)
    return "error" in ours and hidden != sentence and ours["error"]["message"] == hidden


def empty_host(case, client, ours):
    """A host of nothing but a scheme: the client would connect to ":443"."""
    return any(host == "https://" for host in _hosts(case)) and _error(ours) == "host"


_COMPUTE_SENTENCES = ("Cluster id or serverless are", "Invalid serverless", "Can't set both")


def _method(client):
    """The method that the client chose, also where it failed later."""
    chosen = re.match(r"default auth: ([\w-]+): ", client.get("error", ""))
    return chosen[1] if chosen else client.get("method")


def azure_cli_by_host(case, client, ours):
    """On an Azure host the client tries `az` even where nothing points at it. The bridge does not
    look for programs: explain must depend on its arguments, the environment and files alone."""
    return (
        _method(client) == "azure-cli" or client.get("error", "").startswith(_COMPUTE_SENTENCES)
    ) and (
        _error(ours) == "credential" and ".azuredatabricks.net" in ours["error"]["message"]
    )


def host_by_azure(case, client, ours):
    """Without a host the client asks Azure for that of azure_workspace_resource_id; the bridge asks
    nobody."""
    return (
        _method(client) in ("azure-cli", "azure-client-secret")
        and _error(ours) == "host"
        and ours["error"]["message"].startswith("default auth: cannot configure")
    )


def value_that_is_no_number(case, client, ours):
    """After a value that is no number the client's sentence lists the attributes that it had read
    until then, ours all of them."""
    sentence = client.get("error", "")
    return (
        sentence.startswith(("invalid literal for int", "could not convert string to float"))
        and _error(ours) == "auth"
        and ours["error"]["message"].split(". Config: ")[0] == sentence.split(". Config: ")[0]
    )


def databricks_cli(case, client, ours):
    """auth_type asks for databricks-cli, which is not installed where the comparison runs: the
    client passes over the method, the bridge names it."""
    return (
        client.get("error", "").startswith("default auth: cannot configure")
        and ours.get("found", {}).get("auth_type") == "databricks-cli"
    )


def method_fails_first(case, client, ours):
    """A method that the client tries out at once and that fails there, where a compute is missing
    as well: the bridge chooses the method without trying it, and then misses the compute."""
    return (
        client.get("error", "").startswith("default auth: ")
        and _method(client) is not None
        and ours.get("found", {}).get("auth_type") == _method(client)
        and _error(ours) in ("compute", "both")
    )


def empty_cluster_id(case, client, ours):
    """An empty cluster_id in the file: the client sends the header with no value."""
    return client.get("cluster_id") == "" and _error(ours) == "compute"


INTENDED = [
    no_tls,
    no_credential,
    no_compute,
    two_computes,
    stricter_connection_string,
    lower_case_headers,
    remote_port_error,
    user_in_host,
    no_workspace_host,
    host_is_not_shown,
    empty_host,
    azure_cli_by_host,
    host_by_azure,
    value_that_is_no_number,
    databricks_cli,
    method_fails_first,
    empty_cluster_id,
]


def intended(case, client, ours):
    """The name of the difference, or None."""
    for predicate in INTENDED:
        if predicate(case, client, ours):
            return predicate.__name__
    return None
