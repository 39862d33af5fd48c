"""A grpcio server with TLS that a grpcio client's calls are compared with."""

import threading
from concurrent.futures import ThreadPoolExecutor

import grpc

SERVICE = "spark.connect.SparkConnectService"
COMPRESSIONS = {"gzip": grpc.Compression.Gzip, "deflate": grpc.Compression.Deflate}
# gRPC's own limits are lower than what the bridge must pass: 4 MiB and 16 KiB.
UNLIMITED = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_metadata_size", 1 << 18),
    ("grpc.absolute_max_metadata_size", 1 << 18),
]


class EchoServer:
    """Serves on `port`. By method, all in bytes:

    Echo          the request's message
    Repeat        the request's message, as often as the metadata x-count says
    Join          the messages of the request, joined
    Mirror        each message as it comes, and "bye" when the client has half-closed
    Early         "enough" at the first message, while the client goes on; the metadata x-code makes
                  it a failure
    Wait          nothing; `begun` tells that the call has come, `cancelled` that it was cancelled

    The metadata x-compression is how an answer is compressed, x-back-* comes back in the headers,
    and x-end-* in the trailers.
    """

    def __init__(self, certificate):
        self.begun = threading.Event()
        self.cancelled = threading.Event()
        self._server = grpc.server(ThreadPoolExecutor(8), options=UNLIMITED)
        handlers = {
            "Echo": grpc.unary_unary_rpc_method_handler(self._echo),
            "Repeat": grpc.unary_stream_rpc_method_handler(self._repeat),
            "Join": grpc.stream_unary_rpc_method_handler(self._join),
            "Mirror": grpc.stream_stream_rpc_method_handler(self._mirror),
            "Early": grpc.stream_unary_rpc_method_handler(self._early),
            "Wait": grpc.unary_unary_rpc_method_handler(self._wait),
        }
        self._server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler(SERVICE, handlers)]
        )
        credentials = grpc.ssl_server_credentials(
            [(certificate.key.read_bytes(), certificate.chain.read_bytes())]
        )
        self.port = self._server.add_secure_port("127.0.0.1:0", credentials)
        self._server.start()

    def stop(self):
        self._server.stop(grace=None).wait()

    @staticmethod
    def _begin(context):
        """Does what the metadata asks for; the metadata, one value a name."""
        sent = context.invocation_metadata()
        asked = dict(sent)
        if compression := asked.get("x-compression"):
            context.set_compression(COMPRESSIONS[compression])
        context.send_initial_metadata([field for field in sent if field[0].startswith("x-back-")])
        context.set_trailing_metadata([field for field in sent if field[0].startswith("x-end-")])
        return asked

    def _echo(self, request, context):
        self._begin(context)
        return request

    def _repeat(self, request, context):
        for _ in range(int(self._begin(context)["x-count"])):
            yield request

    def _join(self, requests, context):
        self._begin(context)
        return b"".join(requests)

    def _mirror(self, requests, context):
        self._begin(context)
        yield from requests
        yield b"bye"

    def _early(self, requests, context):
        asked = self._begin(context)
        next(requests)
        if code := asked.get("x-code"):
            context.abort(grpc.StatusCode[code], "enough")
        return b"enough"

    def _wait(self, _request, context):
        context.add_callback(self.cancelled.set)
        self.begun.set()
        self.cancelled.wait(30)
        return b""
