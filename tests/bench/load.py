"""The load: h2load, from Debian's nghttp2-client."""

import re
import subprocess
from dataclasses import dataclass

SERVICE = "/spark.connect.SparkConnectService/"
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}
# Streams' and connections', as powers of two: 1 MiB and 16 MiB. Options that come later win.
_WINDOWS = ("-w", "20", "-W", "24")


class LoadError(RuntimeError):
    """Calls failed: then there is nothing to compare."""


@dataclass(frozen=True)
class Outcome:
    seconds: float
    data_bytes: int  # of the answers' DATA
    latencies_us: list  # sorted; empty unless asked for


def run(url, method, body, calls, *options, token=None, log=None):
    words = ["h2load", "-H", "content-type: application/grpc", "-H", "te: trailers", *_WINDOWS]
    if token is not None:
        words += ["-H", f"authorization: Bearer {token}"]
    if log is not None:
        log.unlink(missing_ok=True)
        words += ["--log-file", log]
    words += ["-d", body, "-n", calls, *options, url + SERVICE + method]
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, timeout=300
    )
    finished = re.search(r"finished in ([\d.]+)(us|ms|s|m)\b", done.stdout)
    succeeded = re.search(r"(\d+) succeeded", done.stdout)
    if done.returncode != 0 or not finished or int(succeeded[1]) != calls:
        raise LoadError(
            f"{url}: {succeeded and succeeded[0]} of {calls}\n{done.stdout}{done.stderr}"
        )
    latencies = []
    if log is not None:
        with open(log) as file:
            latencies = sorted(int(line.split("\t")[2]) for line in file)
    return Outcome(
        float(finished[1]) * _UNITS[finished[2]],
        int(re.search(r"\((\d+)\) data", done.stdout)[1]),
        latencies,
    )
