"""The proxies that are compared, each with equal work: plain HTTP/2 in, verified TLS and HTTP/2
out, the two headers set, one worker."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

CLUSTER = "0123-456789-bench"
STREAMS = 1000
WINDOW = 1 << 20


@dataclass(frozen=True)
class Place:
    """Where the backend is and how it is trusted."""

    directory: Path
    host: str
    backend_port: int
    ca_file: Path
    token: str


def sparkbridge(place, port, binary, stream_window=None):
    token_file = place.directory / "token"
    token_file.touch(0o600)
    token_file.write_text(place.token + "\n")
    config = place.directory / "sparkbridge.yaml"
    window = f", stream_window: {stream_window}" if stream_window else ""
    config.write_text(
        f"""\
version: 1
log: {{level: warn}}
limits: {{connections: 20000, connections_per_user: 20000, calls: 20000, calls_per_user: 20000,
  calls_per_connection: {STREAMS}}}
upstream: {{ca_file: "{place.ca_file}"{window}}}
listeners:
  - name: bench
    listen: ["127.0.0.1:{port}"]
    connection: {{host: "{place.host}:{place.backend_port}", token_file: "{token_file}",
      cluster_id: {CLUSTER}}}
"""
    )
    return [binary, "run", "--control", "none", "--config", config]


def nghttpx(place, port):
    config = place.directory / "nghttpx.conf"
    config.write_text(
        f"""\
frontend=127.0.0.1,{port};no-tls
backend=127.0.0.1,{place.backend_port};;proto=h2;tls;sni={place.host}
cacert={place.ca_file}
workers=1
add-request-header=authorization: Bearer {place.token}
add-request-header=x-databricks-cluster-id: {CLUSTER}
no-via=yes
no-add-x-forwarded-proto=yes
no-server-rewrite=yes
no-location-rewrite=yes
no-ocsp=yes
frontend-http2-max-concurrent-streams={STREAMS}
frontend-http2-window-size={WINDOW - 1}
frontend-http2-connection-window-size={16 * WINDOW - 1}
backend-http2-window-size={WINDOW - 1}
backend-http2-connection-window-size={16 * WINDOW - 1}
frontend-http2-read-timeout=1h
backend-read-timeout=1h
rlimit-nofile=20000
errorlog-file={place.directory}/nghttpx.log
"""
    )
    return ["nghttpx", f"--conf={config}"]


def nginx(place, port):
    directory = place.directory / "nginx"
    directory.mkdir(exist_ok=True)
    config = directory / "nginx.conf"
    temporary = "".join(
        f"  {kind}_temp_path {directory}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config.write_text(
        f"""\
worker_processes 1;
daemon off;
user root;
pid {directory}/pid;
error_log {directory}/error.log warn;
worker_rlimit_nofile 20000;
events {{ worker_connections 20000; }}
http {{
  access_log off;
{temporary}
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  client_max_body_size 0;
  client_body_timeout 1h;
  send_timeout 1h;
  http2_max_concurrent_streams {STREAMS};
  http2_body_preread_size 1m;
  http2_recv_buffer_size 256k;
  upstream workspace {{
    server 127.0.0.1:{place.backend_port};
    keepalive 300;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
  }}
  server {{
    listen 127.0.0.1:{port} http2;
    location / {{
      grpc_pass grpcs://workspace;
      grpc_ssl_name {place.host};
      grpc_ssl_server_name on;
      grpc_ssl_verify on;
      grpc_ssl_trusted_certificate {place.ca_file};
      grpc_ssl_protocols TLSv1.2 TLSv1.3;
      grpc_read_timeout 1h;
      grpc_send_timeout 1h;
      grpc_buffer_size 64k;
      grpc_socket_keepalive on;
      grpc_set_header authorization "Bearer {place.token}";
      grpc_set_header x-databricks-cluster-id {CLUSTER};
      grpc_set_header Host {place.host};
    }}
  }}
}}
"""
    )
    return ["nginx", "-c", config]


def haproxy(place, port):
    config = place.directory / "haproxy.cfg"
    config.write_text(
        f"""\
global
  nbthread 1
  maxconn 9500
  tune.h2.initial-window-size {WINDOW}
  tune.h2.max-concurrent-streams {STREAMS}
  ssl-server-verify required
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
frontend clients
  bind 127.0.0.1:{port} proto h2
  http-request set-header authorization "Bearer {place.token}"
  http-request set-header x-databricks-cluster-id {CLUSTER}
  default_backend workspace
backend workspace
  http-reuse always
  server one 127.0.0.1:{place.backend_port} ssl verify required ca-file {place.ca_file} \
sni str({place.host}) verifyhost {place.host} alpn h2
"""
    )
    return ["haproxy", "-f", config]


_WINDOWS = "initial_stream_window_size: %d, initial_connection_window_size: %d"
_EXTENSIONS = "type.googleapis.com/envoy.extensions"


def envoy_binary():
    """Of the Python package: not the script that leads to it. None without the package."""
    found = Path(sys.prefix).glob("lib/python*/site-packages/envoy/_bin/envoy")
    return next(found, None)


def envoy(place, port):
    config = place.directory / "envoy.yaml"
    binary = envoy_binary()
    windows = _WINDOWS % (WINDOW, 16 * WINDOW)
    config.write_text(
        f"""\
static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: clients
        typed_config:
          "@type": {_EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: clients
          codec_type: HTTP2
          generate_request_id: false
          stream_idle_timeout: 0s
          http2_protocol_options: {{max_concurrent_streams: {STREAMS}, {windows}}}
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {{prefix: "/"}}
                route: {{cluster: workspace, timeout: 0s}}
                request_headers_to_add:
                - header: {{key: authorization, value: "Bearer {place.token}"}}
                  append_action: OVERWRITE_IF_EXISTS_OR_ADD
                - header: {{key: x-databricks-cluster-id, value: "{CLUSTER}"}}
                  append_action: OVERWRITE_IF_EXISTS_OR_ADD
          http_filters:
          - name: router
            typed_config:
              "@type": {_EXTENSIONS}.filters.http.router.v3.Router
              dynamic_stats: false
              suppress_envoy_headers: true
  clusters:
  - name: workspace
    type: STATIC
    connect_timeout: 5s
    circuit_breakers:
      thresholds: [{{max_connections: 99999, max_pending_requests: 99999, max_requests: 99999}}]
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": {_EXTENSIONS}.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {{http2_protocol_options: {{{windows}}}}}
    transport_socket:
      name: tls
      typed_config:
        "@type": {_EXTENSIONS}.transport_sockets.tls.v3.UpstreamTlsContext
        sni: {place.host}
        common_tls_context:
          alpn_protocols: [h2]
          validation_context:
            trusted_ca: {{filename: "{place.ca_file}"}}
            match_typed_subject_alt_names: [{{san_type: DNS, matcher: {{exact: {place.host}}}}}]
    load_assignment:
      cluster_name: workspace
      endpoints:
      - lb_endpoints:
        - endpoint:
            address: {{socket_address: {{address: 127.0.0.1, port_value: {place.backend_port}}}}}
"""
    )
    return [binary, "-c", config, "--concurrency", "1", "--base-id", str(port), "-l", "error"]


_MADE = {"nghttpx": nghttpx, "nginx": nginx, "haproxy": haproxy, "envoy": envoy}
NAMES = ("sparkbridge", *_MADE)


def command(name, place, port, binary, **options):
    if name == "sparkbridge":
        return sparkbridge(place, port, binary, **options)
    return _MADE[name](place, port)


def installed():
    """The names of those that can be started here."""
    others = [name for name in _MADE if name != "envoy" and shutil.which(name)]
    return ["sparkbridge", *others, *(["envoy"] if envoy_binary() else ())]
