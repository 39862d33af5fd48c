"""A workspace made of grpcio: TLS, strict about PINGs, and restarted at will."""

from concurrent.futures import ThreadPoolExecutor

import grpc

SERVICE = "spark.connect.SparkConnectService"


def _download(request, _context):
    """`request` is "COUNT SIZE": so many messages of so many bytes."""
    count, size = (int(word) for word in request.split())
    for number in range(count):
        yield number.to_bytes(4, "big") + bytes(size)


def _upload(requests, _context):
    return str(sum(len(request) for request in requests)).encode()


def _echo_all(requests, _context):
    yield from requests


_METHODS = {
    "Unary": grpc.unary_unary_rpc_method_handler(lambda request, _: request),
    "Download": grpc.unary_stream_rpc_method_handler(_download),
    "Upload": grpc.stream_unary_rpc_method_handler(_upload),
    "Echo": grpc.stream_stream_rpc_method_handler(_echo_all),
}


class GrpcWorkspace:
    """On 127.0.0.1:`port`, which it keeps. Each of its connections gets GOAWAY after
    `max_age_s`, and is ended three seconds later."""

    def __init__(self, certificate, max_age_s):
        self._credentials = grpc.ssl_server_credentials(
            [(certificate.key.read_bytes(), certificate.chain.read_bytes())]
        )
        self._options = [
            ("grpc.max_connection_age_ms", max_age_s * 1000),
            ("grpc.max_connection_age_grace_ms", 3000),
            ("grpc.max_concurrent_streams", 100),
        ]
        self.port = 0
        self._start()

    def restart(self, grace_s):
        """Ends everything after `grace_s` seconds for the calls that run, and begins anew."""
        self._server.stop(grace_s).wait(30)
        self._start()

    def stop(self):
        self._server.stop(0).wait(30)

    def _start(self):
        self._server = grpc.server(ThreadPoolExecutor(32), options=self._options)
        self._server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler(SERVICE, _METHODS)]
        )
        self.port = self._server.add_secure_port(f"127.0.0.1:{self.port}", self._credentials)
        self._server.start()
