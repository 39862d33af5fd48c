"""The real databricks-connect, asked what it would connect to: cases in, answers out, no network.

Reads one JSON object a line from standard input (a case of generate.py with a `home`) and writes
one a line. What needs a network or a program is replaced: host metadata is not there, every method that
fetches a token gets one, `az` is logged in and `databricks` is not installed. Everything that
decides what is connected to is the client's own code.
"""

import json
import os
import sys
import urllib.parse
import warnings

os.environ["NO_GCE_CHECK"] = "true"
warnings.simplefilter("ignore")

import grpc  # noqa: E402
import pyspark.sql.connect.client.core as spark_client  # noqa: E402
from databricks.connect import DatabricksSession  # noqa: E402
from databricks.sdk import config as sdk  # noqa: E402
from databricks.sdk import credentials_provider as providers  # noqa: E402
from databricks.sdk import oauth, oidc_token_supplier  # noqa: E402


class Reached(BaseException):
    """The client opens its channel: all is resolved."""

    def __init__(self, target, secure):
        self.target = target
        self.secure = secure


class Seen:
    """The newest configuration and channel builder."""

    config = None
    builder = None


class FakeTokens:
    def token(self):
        return oauth.Token(access_token="fetched", token_type="Bearer")

    def is_human_user(self):
        return True


def secure_channel(target, *_arguments, **_keywords):
    raise Reached(target, True)


def insecure_channel(target, *_arguments, **_keywords):
    raise Reached(target, False)


def remember(owner, slot):
    original = owner.__init__

    def wrapper(self, *arguments, **keywords):
        setattr(Seen, slot, self)
        original(self, *arguments, **keywords)

    owner.__init__ = wrapper


def go_offline():
    grpc.secure_channel = secure_channel
    grpc.insecure_channel = insecure_channel
    remember(sdk.Config, "config")
    remember(spark_client.ChannelBuilder, "builder")
    sdk.Config._resolve_host_metadata = lambda self: None
    sdk.Config.load_azure_tenant_id = lambda self: None
    endpoints = oauth.OidcEndpoints("https://fake.test/authorize", "https://fake.test/token")
    sdk.Config.databricks_oidc_endpoints = property(lambda self: endpoints)
    providers.MetadataServiceTokenSource.refresh = lambda self: FakeTokens().token()
    providers.AzureCliTokenSource.for_resource = staticmethod(lambda cfg, resource: FakeTokens())
    oidc_token_supplier.GitHubOIDCTokenSupplier.get_oidc_token = lambda self, audience: (
        "fetched" if "ACTIONS_ID_TOKEN_REQUEST_URL" in os.environ else None
    )


def build(case):
    builder = DatabricksSession.builder.validateSession(False)
    keywords = {key: case[key] for key in ("host", "token", "cluster_id") if key in case}
    if case.get("serverless"):
        keywords["serverless"] = True
    if "remote" in case:
        builder = builder.remote(case["remote"], **keywords)
    elif keywords:
        builder = builder.remote(**keywords)
    if "profile" in case:
        builder = builder.profile(case["profile"])
    return builder


def answer_for(reached):
    parts = urllib.parse.urlsplit("//" + reached.target)
    metadata = dict(Seen.builder.metadata())
    answer = {
        "host": parts.hostname,
        "port": parts.port,
        "secure": reached.secure,
        "cluster_id": metadata.pop("x-databricks-cluster-id", None),
        "serverless": metadata.pop("x-databricks-session-id", None) is not None,
        "method": "pat" if Seen.config is None else Seen.config.auth_type,
        "token": Seen.builder.token if Seen.config is None else Seen.config.token,
    }
    metadata.pop("x-databricks-client-image-version", None)
    answer["headers"] = sorted(metadata)
    return answer


def ask(case):
    os.environ.clear()
    os.environ.update(case["environment"])
    os.environ.update(HOME=case["home"], NO_GCE_CHECK="true")
    Seen.config = Seen.builder = None
    try:
        build(case).create()
    except Reached as reached:
        return answer_for(reached)
    except Exception as error:
        return {"error": str(error), "class": type(error).__name__}
    raise AssertionError("the client made a session without a channel")


def main():
    go_offline()
    for line in sys.stdin:
        print(json.dumps(ask(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
