"""Random cases: what is said to the client, environments and profile files, odd ones among them."""

import random

ATTRIBUTES = {  # key in the file: variable, values
    "account_id": ("DATABRICKS_ACCOUNT_ID", ["acc-1"]),
    "workspace_id": ("DATABRICKS_WORKSPACE_ID", ["123"]),
    "group_id": ("DATABRICKS_GROUP_ID", ["7"]),
    "cloud": ("DATABRICKS_CLOUD", ["aws", "Azure", "none-such"]),
    "oidc_token_env": ("DATABRICKS_OIDC_TOKEN_ENV", ["MY_OIDC", "UNSET_OIDC"]),
    "username": ("DATABRICKS_USERNAME", ["somebody"]),
    "password": ("DATABRICKS_PASSWORD", ["secret-pw"]),
    "client_id": ("DATABRICKS_CLIENT_ID", ["client-1"]),
    "client_secret": ("DATABRICKS_CLIENT_SECRET", ["secret-cs"]),
    "google_service_account": ("DATABRICKS_GOOGLE_SERVICE_ACCOUNT", ["sa@example.test"]),
    "google_credentials": ("GOOGLE_CREDENTIALS", ["no-json"]),
    "azure_workspace_resource_id": ("DATABRICKS_AZURE_RESOURCE_ID", ["/s/r/w"]),
    "azure_use_msi": ("ARM_USE_MSI", ["true", "false"]),
    "azure_client_secret": ("ARM_CLIENT_SECRET", ["secret-az"]),
    "azure_client_id": ("ARM_CLIENT_ID", ["az-client"]),
    "azure_tenant_id": ("ARM_TENANT_ID", ["az-tenant"]),
    "azure_environment": ("ARM_ENVIRONMENT", ["usgovernment"]),
    "auth_type": (
        "DATABRICKS_AUTH_TYPE",
        ["pat", "pat", "oauth-m2m", "basic", "azure-client-secret", "databricks-cli", "no-such"],
    ),
    "warehouse_id": ("DATABRICKS_WAREHOUSE_ID", ["wh-1"]),
    "rate_limit": ("DATABRICKS_RATE_LIMIT", ["34", " 5 ", "1_0", "abc", "1.5"]),
    "debug_truncate_bytes": ("DATABRICKS_DEBUG_TRUNCATE_BYTES", ["96", "many"]),
    "debug_headers": ("DATABRICKS_DEBUG_HEADERS", ["false"]),
    "metadata_service_url": ("DATABRICKS_METADATA_SERVICE_URL", ["http://localhost:1/x"]),
    "http_timeout_seconds": (None, ["1.5", "soon"]),
    "skip_verify": (None, ["true"]),
    "no_such_key": (None, ["x"]),
}

METHODS = [  # what belongs together
    {"client_id": "client-1", "client_secret": "secret-cs"},
    {"username": "somebody", "password": "secret-pw"},
    {"azure_client_id": "az-client", "azure_client_secret": "secret-az", "azure_tenant_id": "t"},
    {"azure_workspace_resource_id": "/s/r/w"},
    {"google_credentials": "no-json"},
    {"google_service_account": "sa@example.test"},
    {"metadata_service_url": "http://localhost:1/x"},
    {"client_id": "client-1"},
    {"oidc_token_env": "MY_OIDC"},
    {"token": "tok-a", "client_id": "client-1", "client_secret": "secret-cs", "auth_type": "pat"},
    {"token": "tok-a", "client_id": "client-1", "client_secret": "s", "auth_type": "oauth-m2m"},
    {"token": "tok-a", "group_id": "7"},
    {"auth_type": "databricks-cli"},
]

HOSTS = [
    "https://one.example.test",
    "https://one.example.test/",
    "one.example.test",
    "https://two.example.test:443",
    "two.example.test:8443",
    "https://two.example.test/path/?o=1",
    "http://three.example.test",
    "HTTPS://Four.Example.Test/",
    "https://adb-1.2.azuredatabricks.net",
    "https://5.6.gcp.databricks.com/",
    "https://one.example.test:port",
    "https://user@one.example.test",
    "https://[::1]",
    "https://",
    "10.1.2.3",
    "ftp://one.example.test",
    "https://one.example.test/;o=1",
]

TOKENS = ["tok-a", "tok-b", "%Y%(x)s", "a=b;c", "tok#d"]


class Generator:
    def __init__(self, seed):
        self._random = random.Random(seed)

    def _maybe(self, probability):
        return self._random.random() < probability

    def _pick(self, values):
        return self._random.choice(values)

    def _settings(self, odd=0.15):
        """Attributes and values, rare ones among them with the probability `odd`."""
        settings = {}
        if self._maybe(0.75):
            settings["host"] = self._pick(HOSTS[:8] if self._maybe(0.8) else HOSTS)
        if self._maybe(0.6):
            settings["token"] = self._pick(TOKENS)
        elif self._maybe(0.5):
            settings |= self._pick(METHODS)
        if self._maybe(0.5):
            settings["cluster_id"] = self._pick(["cl-a", "cl-b", "0123-456789-abc"])
        if self._maybe(0.15):
            settings["serverless_compute_id"] = self._pick(["auto", "auto", "auto", "yes"])
        if self._maybe(odd):
            for name in self._random.sample(list(ATTRIBUTES), self._pick([1, 1, 2, 3])):
                settings[name] = self._pick(ATTRIBUTES[name][1])
        return {key: "" if self._maybe(0.03) else value for key, value in settings.items()}

    def _environment(self):
        environment = {}
        if self._maybe(0.6):
            for key, value in self._settings().items():
                variable = ATTRIBUTES.get(key, (f"DATABRICKS_{key.upper()}",))[0]
                if variable and self._maybe(0.6):
                    environment[variable] = value
        if self._maybe(0.25):
            environment["SPARK_REMOTE"] = self._remote()
        if self._maybe(0.2):
            names = ["DEFAULT", "team", "team", "other", "absent", "__settings__", ""]
            environment["DATABRICKS_CONFIG_PROFILE"] = self._pick(names)
        if self._maybe(0.05):
            environment["DATABRICKS_CONFIG_FILE"] = self._pick(["~/.databrickscfg", "~/none.cfg"])
        if self._maybe(0.05):
            environment["DATABRICKS_USAGE_POLICY_ID"] = "policy-1"
        if self._maybe(0.04):
            environment[self._pick(["DATABRICKS_OIDC_TOKEN", "MY_OIDC"])] = "an-oidc-token"
        if self._maybe(0.04):
            environment |= {
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "gh",
                "ACTIONS_ID_TOKEN_REQUEST_URL": "https://fake.test/gh?x=y",
            }
        return environment

    def _remote(self):
        hosts = ["one.example.test", "two.example.test:443", "Two.example.test:8443", "[::1]:443"]
        text = f"sc://{self._pick(hosts)}"
        parameters = []
        if self._maybe(0.8):
            parameters.append("token=" + self._pick(["tok-a", "tok-b", "to%3Dk%25", "a%20b"]))
        if self._maybe(0.7):
            parameters.append("x-databricks-cluster-id=" + self._pick(["cl-a", "cl-b"]))
        elif self._maybe(0.4):
            parameters.append("x-databricks-session-id=11111111-2222-4333-8444-555555555555")
        extras = [
            "user_id=somebody",
            "user_agent=agent",
            "session_id=11111111-2222-4333-8444-555555555555",
            "use_ssl=true",
            "use_ssl=false",
            "x-extra=1",
            "X-Upper=1",
            "x-empty=",
            "x-databricks-session-id=11111111-2222-4333-8444-555555555555",
            "nonsense",
            "a=b=c",
        ]
        if self._maybe(0.3):
            parameters.append(self._pick(extras))
        text += "/;" + ";".join(parameters) if parameters else self._pick(["", "/"])
        if self._maybe(0.08):
            odd = ["https://one.example.test", "one.example.test", "", "sc://", "sc://:443/"]
            odd += ["sc://one.example.test/path", "sc://one.example.test:port/", "local[*]"]
            text = self._pick(odd)
        return text

    def _file(self):
        """Sections in order, or None."""
        if self._maybe(0.15):
            return None
        sections = {}
        for name in ("DEFAULT", "team", "other"):
            if self._maybe(0.75):
                sections[name] = {} if self._maybe(0.06) else self._settings()
        if self._maybe(0.12):
            names = ["team", "other", "absent", "__settings__", ""]
            sections["__settings__"] = {"default_profile": self._pick(names)}
        return sections

    def case(self):
        case = {"environment": self._environment(), "file": self._file()}
        if self._maybe(0.2):
            case["remote"] = self._remote() or "sc://"  # the command line refuses an empty one
        if "remote" not in case or self._maybe(0.05):
            if self._maybe(0.2):
                case["host"] = self._pick(HOSTS[:8] if self._maybe(0.85) else HOSTS)
            if self._maybe(0.2):
                case["token"] = self._pick(["tok-kw", "tok-kw2"])
            if self._maybe(0.25):
                case["cluster_id"] = "cl-kw"
            if self._maybe(0.12):
                case["serverless"] = True
        if self._maybe(0.3):
            case["profile"] = self._pick(["DEFAULT", "team", "team", "other", "absent"])
        return case
