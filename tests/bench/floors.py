"""What no proxy can go below on this machine, measured in the same run by floor.c."""

import socket
import ssl
import subprocess

from works import Work

# TLS 1.3's suites, by OpenSSL's names of their ciphers.
_CIPHERS = {
    "TLS_AES_256_GCM_SHA384": "AES-256-GCM",
    "TLS_AES_128_GCM_SHA256": "AES-128-GCM",
    "TLS_CHACHA20_POLY1305_SHA256": "ChaCha20-Poly1305",
}
_METRICS = {
    "send_s_a_gb": "loopback send, CPU s a GB",
    "receive_s_a_gb": "loopback receive, CPU s a GB",
    "encrypt_s_a_gb": "encrypt, CPU s a GB",
    "decrypt_s_a_gb": "decrypt, CPU s a GB",
    "sleeping_turn_us": "a loop turn that sleeps, CPU us",
    "sleeping_round_trip_us": "a round trip of two that sleep, us",
    "message_us": "send and receive 150 bytes, CPU us",
}


def agreed_cipher(port):
    """What OpenSSL's defaults agree on with the backend."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is said
    context.set_alpn_protocols(["h2"])
    plain = socket.create_connection(("127.0.0.1", port), timeout=10)
    with plain, context.wrap_socket(plain) as wrapped:
        return _CIPHERS[wrapped.cipher()[0]]


class FloorWorks:
    def __init__(self, program, cipher, scale):
        self._words = [program, cipher, str((1 << 30) // scale), str(20000 // scale)]
        self.all = [Work(f"floors, {cipher}", self._measure)]

    def _measure(self, _):
        done = subprocess.run(self._words, capture_output=True, text=True, timeout=300, check=True)
        found = dict(line.split() for line in done.stdout.splitlines())
        return {title: float(found[name]) for name, title in _METRICS.items()}


def derived(figures):
    """{(work, metric): value}: the least that moving a byte or a call takes by these figures."""
    plain_in, plain_out = (
        figures["loopback receive, CPU s a GB"],
        figures["loopback send, CPU s a GB"],
    )
    return {
        ("download", "CPU s a GB"): plain_in + figures["decrypt, CPU s a GB"] + plain_out,
        ("upload", "CPU s a GB"): plain_in + figures["encrypt, CPU s a GB"] + plain_out,
        # A turn for the request, and one for the answer.
        ("unary, 1 at a time", "CPU us a call"): 2 * figures["a loop turn that sleeps, CPU us"],
    }
