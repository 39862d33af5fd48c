"""./dev demo: starts the stand-in workspace and the bridge, runs stock PySpark through them."""

import os
import subprocess
import sys
import time

from workspace.bridge import Bridge
from workspace.interrupts import Interrupted, Interrupts
from workspace.processes import ChildError
from workspace.progress import Ticker, say
from workspace.standin import StandIn

CLIENT = """\
from pyspark.sql import SparkSession

spark = SparkSession.builder.remote("{remote}").getOrCreate()
spark.range(1, 10).show()
"""


def main(binary):
    if not os.access(binary, os.X_OK):
        sys.exit(f"./dev demo: there is no daemon at {binary}")
    interrupts = Interrupts()
    ticker = Ticker()

    def tick(elapsed):
        interrupts.check()
        ticker(elapsed)

    started = time.monotonic()
    try:
        with StandIn(tick=tick, say=say) as standin:
            interrupts.check()
            demonstrate(binary, standin, interrupts)
    except Interrupted as interrupted:
        say("interrupted; everything that was started is ended")
        sys.exit(interrupted.exit_code)
    except ChildError as error:
        sys.exit(f"./dev demo: {error}")
    say(f"done in {time.monotonic() - started:.0f} s; everything that was started is ended")


def demonstrate(binary, standin, interrupts):
    workspace = standin.tenants[0]
    token_file = standin.directory / "token"
    token_file.touch(0o600)
    token_file.write_text(workspace.token + "\n")
    say(f"starting the bridge to https://{workspace.host}:{standin.gate.port}")
    bridge = Bridge(
        binary,
        [
            *("--listen", "localhost:0"),
            *("--host", f"{workspace.host}:{standin.gate.port}"),
            *("--cluster-id", workspace.cluster_id),
            *("--token-file", token_file),
            *("--ca-file", standin.ca_file),
        ],
        hosts_file=standin.hosts_file,
        home=standin.directory,
    )
    try:
        bridge.wait_until_ready()
        client = CLIENT.format(remote=bridge.remote)
        say("running stock PySpark, which knows nothing but the bridge's address:")
        for line in client.splitlines():
            print(f"    {line}".rstrip(), file=sys.stderr)
        sys.stderr.flush()
        run_client(client, interrupts)
    finally:
        bridge.child.stop()


def run_client(program, interrupts):
    client = subprocess.Popen([sys.executable, "-c", program], env=client_environment())
    try:
        while client.poll() is None:
            interrupts.wait(0.1)
    finally:
        client.kill()
        client.wait()
    interrupts.check()  # a Ctrl-C ends the client, too
    if client.returncode != 0:
        raise ChildError(f"the client ended with {client.returncode}")


def client_environment():
    """Nothing that would tell the client of a workspace of the developer's own."""
    ours = ("SPARK_", "DATABRICKS_", "PYTHONPATH")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


main(sys.argv[1])
