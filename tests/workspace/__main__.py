"""Runs the stand-in workspace in the foreground and says how to use it."""

import contextlib
import sys

from .interrupts import Interrupted, Interrupts
from .progress import Ticker, say
from .standin import StandIn

_HELP = """
The workspace is ready.

  host      {host}:{port}
  CA file   {ca}
  token     {token}
  cluster   {cluster}

The bridge to it, after `./dev build`:

  LD_PRELOAD=libnss_wrapper.so NSS_WRAPPER_HOSTS={hosts} \\
  build/daemon/sparkbridge run --listen localhost:15002 \\
      --host {host}:{port} --cluster-id {cluster} \\
      --token-file {token_file} --ca-file {ca}

and then, with any client:  sc://localhost:15002

Without a bridge the same Spark is at {direct}.
The second workspace: host {two.host}:{port}, token {two.token}, cluster {two.cluster_id}.

Ctrl-C ends it. What the gate sees follows, a line for each request.
"""


def main():
    interrupts = Interrupts()
    ticker = Ticker()

    def tick(elapsed):
        interrupts.check()
        ticker(elapsed)

    try:
        with StandIn(tick=tick, say=say, on_request=show) as standin:
            one, two = standin.tenants
            token_file = standin.directory / "token"
            token_file.touch(0o600)
            token_file.write_text(one.token + "\n")
            print(
                _HELP.format(
                    host=one.host,
                    port=standin.gate.port,
                    ca=standin.ca_file,
                    token=one.token,
                    token_file=token_file,
                    cluster=one.cluster_id,
                    hosts=standin.hosts_file,
                    direct=standin.spark.remote,
                    two=two,
                ),
                flush=True,
            )
            with contextlib.suppress(Interrupted):
                interrupts.wait()
    except Interrupted as interrupted:
        sys.exit(interrupted.exit_code)  # before it was ready


def show(request):
    fields = ("method", "path", "status", "grpc_status", "authority", "cluster", "seconds")
    print(*(request[field] or "-" for field in fields), flush=True)


main()
