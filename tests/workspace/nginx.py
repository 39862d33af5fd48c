"""The gate: nginx with TLS and HTTP/2, which answers as a workspace's front door does."""

import json
import os
import signal
import socket
import ssl
from pathlib import Path
from string import Template

from .processes import Child

SERVICE = "/spark.connect.SparkConnectService/"

# A tenant answers refusals in one of two ways, both seen in the wild.
GRPC, HTML = "grpc", "html"

_CONF = Template(
    """\
daemon off;
worker_processes 1;
$user
pid $directory/nginx.pid;
error_log stderr warn;
worker_rlimit_nofile 4096;
events { worker_connections 1024; }
http {
    log_format gate escape=json
        '{"time":"$$time_iso8601","connection":$$connection,"server":"$$server_name",'
        '"method":"$$request_method","path":"$$request_uri","protocol":"$$server_protocol",'
        '"scheme":"$$scheme","authority":"$$http_host","status":$$status,'
        '"grpc_status":"$$sent_trailer_grpc_status$$sent_http_grpc_status","authorization":"$$http_authorization",'
        '"cluster":"$$http_x_databricks_cluster_id","user_agent":"$$http_user_agent",'
        '"content_type":"$$content_type","te":"$$http_te","timeout":"$$http_grpc_timeout",'
        '"tls":"$$ssl_protocol","sni":"$$ssl_server_name","alpn":"$$ssl_alpn_protocol",'
        '"bytes_in":$$request_length,"bytes_out":$$bytes_sent,"seconds":$$request_time}';
    access_log /dev/stdout gate;
    client_body_temp_path $directory/body;
    proxy_temp_path $directory/proxy;
    fastcgi_temp_path $directory/fastcgi;
    uwsgi_temp_path $directory/uwsgi;
    scgi_temp_path $directory/scgi;

    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:gate:1m;
    client_max_body_size 0;
    client_body_buffer_size 64k;
    client_body_timeout 1h;
    send_timeout 1h;
    keepalive_timeout 1h;
    keepalive_requests 1000000;
    large_client_header_buffers 8 32k;
    grpc_read_timeout 1h;
    grpc_send_timeout 1h;
    grpc_buffer_size 64k;
    grpc_set_header authorization "";
    grpc_set_header x-databricks-cluster-id "";

    map_hash_bucket_size 256;
    map "$$server_name $$http_authorization" $$token_is_right {
        default 0;
$tokens
    }
    map "$$server_name $$http_x_databricks_cluster_id" $$cluster_is_right {
        default 0;
$clusters
    }
    upstream spark { server 127.0.0.1:$spark_port; keepalive 16; }
$servers
}
"""
)

_SERVER = Template(
    """\
    server {
        listen 127.0.0.1:$port ssl http2;
        server_name $name;
        ssl_certificate $chain;
        ssl_certificate_key $key;
        location / { return 404; }
        error_page 401 = @unauthenticated;
        error_page 403 = @forbidden;
        error_page 502 503 504 = @unavailable;
        location $service {
            if ($$token_is_right = 0) { return 401; }
            if ($$cluster_is_right = 0) { return 403; }
            grpc_pass grpc://spark;
        }
        location ${service}Test {
            if ($$token_is_right = 0) { return 401; }
            if ($$cluster_is_right = 0) { return 403; }
            grpc_pass grpc://127.0.0.1:$scripted_port;
        }
$refusals
    }
"""
)

_REFUSAL = {
    GRPC: Template(
        """\
        location $name {
            internal;
            default_type application/grpc;
            add_header grpc-status $code always;
            add_header grpc-message "$message" always;
            return 200;
        }
"""
    ),
    HTML: Template(
        """\
        location $name {
            internal;
            default_type text/html;
            return $status "<!DOCTYPE html><html><body><h1>$status</h1>$message</body></html>";
        }
"""
    ),
}

_REFUSALS = (
    ("@unauthenticated", 401, 16, "Credential was not sent or was of an unsupported type"),
    ("@forbidden", 403, 7, "You do not have permission to attach to this cluster"),
    ("@unavailable", 503, 14, "The cluster is not reachable"),
)


class Gate:
    """Tenants of one gate share its port and differ by host name, token and cluster."""

    def __init__(self, directory, tenants, spark_port, scripted_port, on_request=None):
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
            self.port = listener.getsockname()[1]
            conf = directory / "nginx.conf"
            conf.write_text(self._configuration(directory, tenants, spark_port, scripted_port))
            # nginx takes over the socket that we bound, so that nobody else can get the port.
            self._child = Child(
                "nginx",
                ["nginx", "-e", "stderr", "-p", directory, "-c", conf],
                env={"PATH": os.environ["PATH"] + ":/usr/sbin", "NGINX": f"{listener.fileno()};"},
                on_stdout=lambda line: on_request(json.loads(line)) if on_request else None,
                pass_fds=[listener.fileno()],
                orphan_signal=signal.SIGTERM,  # SIGKILL would leave its worker
            )
        try:
            self._shakes_hands(tenants[0])
        except OSError as error:
            self._child.stop()
            raise RuntimeError(f"nginx does not serve: {error}\n{self._child.tail()}") from error

    def requests(self):
        """The access log so far: one dictionary a request that has ended."""
        return [json.loads(line) for line in list(self._child.stdout)]

    def wait_for_request(self, matches, *, timeout=10):
        """The first request in the log for which `matches(request)` is true."""

        def of_line(line):
            if not line.startswith("{"):
                return None  # the error log
            request = json.loads(line)
            return request if matches(request) else None

        return self._child.wait_for_line(of_line, timeout=timeout)

    def tail(self):
        return self._child.tail()

    def stop(self):
        self._child.stop()

    def _shakes_hands(self, tenant):
        context = ssl.create_default_context(cafile=tenant.certificate.chain)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            context.wrap_socket(connection, server_hostname=tenant.host).close()

    def _configuration(self, directory, tenants, spark_port, scripted_port):
        servers = [
            _SERVER.substitute(
                port=self.port,
                name=tenant.host,
                chain=tenant.certificate.chain,
                key=tenant.certificate.key,
                service=SERVICE,
                scripted_port=scripted_port,
                refusals="".join(
                    _REFUSAL[tenant.refuses_with].substitute(
                        name=name, status=status, code=code, message=message
                    )
                    for name, status, code, message in _REFUSALS
                ),
            )
            for tenant in tenants
        ]
        return _CONF.substitute(
            directory=directory,
            user="user root;" if os.geteuid() == 0 else "",
            spark_port=spark_port,
            servers="".join(servers),
            tokens="\n".join(f'        "{t.host} Bearer {t.token}" 1;' for t in tenants),
            clusters="\n".join(f'        "{t.host} {t.cluster_id}" 1;' for t in tenants),
        )
