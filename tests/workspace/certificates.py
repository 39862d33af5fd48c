"""A certificate authority of our own, and server certificates by it."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    chain: Path
    key: Path

    def server_context(self, alpn=("h2",), clients=None):
        """For a Python TLS server that offers the protocols `alpn`, which may be none, and wants
        certificates of the authority `clients` where there is one."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(clients.file)
        if alpn:
            context.set_alpn_protocols(list(alpn))
        return context


class Authority:
    """One CA in a directory; `file` is what a client gets to trust it."""

    def __init__(self, directory, name):
        self._directory = Path(directory)
        self.file = self._directory / f"{name}-ca.pem"
        self._key = self._directory / f"{name}-ca.key"
        self._issued = 0
        _openssl(
            *("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2".split()),
            *("-keyout", self._key, "-out", self.file, "-subj", f"/CN=sparkbridge test CA {name}"),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        )

    def issue(self, *names, days=2):
        """A certificate for these DNS names, for a server or a client; a negative number of days
        makes one that has expired."""
        self._issued += 1
        stem = self._directory / f"{self.file.stem}-{self._issued}"
        key, request, chain = (stem.with_suffix(end) for end in (".key", ".csr", ".pem"))
        extensions = stem.with_suffix(".ext")
        extensions.write_text(
            "basicConstraints=critical,CA:FALSE\n"
            "extendedKeyUsage=serverAuth,clientAuth\n"
            "subjectAltName=" + ",".join(f"DNS:{name}" for name in names) + "\n"
        )
        _openssl(
            *("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes".split()),
            *("-keyout", key, "-out", request, "-subj", f"/CN={names[0]}"),
        )
        _openssl(
            *("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self._key),
            *("-CAcreateserial", "-days", str(days), "-extfile", extensions, "-out", chain),
        )
        return Certificate(chain, key)


def _openssl(*words):
    done = subprocess.run(
        ["openssl", *(str(word) for word in words)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"openssl {words[0]} failed:\n{done.stderr}")
