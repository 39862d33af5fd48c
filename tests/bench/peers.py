"""The proxies that are compared, each with equal work: plain HTTP/2 in, verified TLS and HTTP/2 out,
the two headers set, one worker."""

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


def sparkbridge(place, port, binary):
    token_file = place.directory / "token"
    token_file.touch(0o600)
    token_file.write_text(place.token + "\n")
    config = place.directory / "sparkbridge.yaml"
    config.write_text(
        f"""\
version: 1
log: {{level: warn}}
limits: {{connections: 20000, connections_per_user: 20000, calls: 20000, calls_per_user: 20000,
  calls_per_connection: {STREAMS}}}
upstream: {{ca_file: "{place.ca_file}"}}
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


_HTTP2 = "{max_concurrent_streams: %d, initial_stream_window_size: %d, initial_connection_window_size: %d}"
_EXTENSIONS = "type.googleapis.com/envoy.extensions"


def envoy(place, port):
    """From PyPI; None where it is not installed."""
    binary = Path(sys.prefix) / "bin" / "envoy"
    if not binary.exists():
        found = list(Path(sys.prefix).glob("lib/python*/site-packages/envoy/_bin/envoy"))
        if not found:
            return None
        binary = found[0]
    config = place.directory / "envoy.yaml"
    http2 = _HTTP2 % (STREAMS, WINDOW, 16 * WINDOW)
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
          http2_protocol_options: {http2}
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
        explicit_http_config: {{http2_protocol_options: {http2.replace(f"max_concurrent_streams: {STREAMS}, ", "")}}}
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


def commands(place, ports, binary):
    """The command of each peer that is installed, by name, and the names of those that are not."""
    made = {
        "sparkbridge": sparkbridge(place, ports["sparkbridge"], binary),
        "nghttpx": nghttpx(place, ports["nghttpx"]),
        "nginx": nginx(place, ports["nginx"]),
        "haproxy": haproxy(place, ports["haproxy"]),
        "envoy": envoy(place, ports["envoy"]),
    }
    missing = {name for name, words in made.items() if not words or not shutil.which(words[0])}
    return {name: words for name, words in made.items() if name not in missing}, missing


NAMES = ("sparkbridge", "nghttpx", "nginx", "haproxy", "envoy")
