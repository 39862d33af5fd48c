"""The include arrows: which room may include which, and what single files may not know."""

import re
from pathlib import Path

ROOMS = {
    "common": {"common"},
    "proto": {"proto", "common"},
    "conf": {"conf", "common"},
    "daemon": {"daemon", "conf", "proto", "common"},
}

# (files, what they must not include, why)
FORBIDDEN = [
    (r"daemon/call(_\w+)?\.[ch]", r"uv\.h|openssl/.*|uv/.*", "a call knows neither loop nor TLS"),
    (
        r"daemon/(h2|transport|pool)\.[ch]",
        r".*spark.*|proto/.*",
        "the byte and frame layers know nothing of Spark",
    ),
    (r"(common|proto)/.*", r"uv\.h|nghttp2/.*|openssl/ssl\.h", "no sockets below the daemon"),
]

_INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def includes(text):
    """Pairs (name, own) of the file's includes: own ones stand in quotation marks."""
    return [(own or system, bool(own)) for own, system in _INCLUDE.findall(text)]


def violations(path, text):
    """What is wrong with the includes of the file at `path`, relative to the root."""
    room = Path(path).parts[0]
    wrong = []
    for name, own in includes(text):
        if own and "/" not in name and not _is_generated(name):
            wrong.append(f'{path}: "{name}" lacks its room: write "{room}/{name}"')
        elif own and "/" in name and name.split("/")[0] not in ROOMS[room]:
            wrong.append(f'{path}: {room} must not include "{name}"')
        for files, forbidden, why in FORBIDDEN:
            if re.fullmatch(files, str(path)) and re.fullmatch(forbidden, name):
                wrong.append(f"{path}: must not include {name}: {why}")
    return wrong


def check(root):
    root = Path(root)
    found = []
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.[ch]")):
            found += violations(path.relative_to(root), path.read_text())
    return found


def _is_generated(name):
    return name.endswith(".pb-c.h")
