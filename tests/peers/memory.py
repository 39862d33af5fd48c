"""What is in the memory of another process, as root sees it."""

import base64
import re
from dataclasses import dataclass

from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH


@dataclass(frozen=True)
class Find:
    """Bytes that were looked for."""

    mapping: str  # its name in proc(5)'s smaps; "" for anonymous memory
    flags: frozenset  # of the mapping, as there: "lo" is locked, "dd" left out of core dumps
    address: int
    around: bytes

    @property
    def is_guarded(self):
        """It is in memory for secrets: locked, left out of core dumps, wiped in a child."""
        return {"lo", "dd", "wf"} <= self.flags


def mappings(pid):
    """(start, end, name, flags) of what can be read."""
    with open(f"/proc/{pid}/smaps") as smaps:
        head = None
        for line in smaps:
            if found := re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)", line):
                head = found
            elif line.startswith("VmFlags:") and head[3].startswith("r"):
                flags = frozenset(line.split()[1:])
                yield int(head[1], 16), int(head[2], 16), head[4], flags


def scan(pid, needle):
    """Every place in the process's memory that has the bytes."""
    found = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end, name, flags in mappings(pid):
            try:
                memory.seek(start)
                content = memory.read(end - start)
            except OSError:
                continue  # the kernel's own pages, such as [vvar]
            at = content.find(needle)
            while at >= 0:
                around = content[max(0, at - 48) : at + len(needle) + 16]
                found.append(Find(name, flags, start + at, around))
                at = content.find(needle, at + 1)
    return found


def forms_of(token):
    """How a token stands in memory: as it is, and as HPACK and base64 write it behind what is
    usually in front."""
    huffman = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)
    bearer = b"Bearer " + token.encode()
    return {
        "plain": token.encode(),
        "huffman": huffman.encode(bearer)[:-1],  # the last byte is shared with what follows
        "huffman alone": huffman.encode(token.encode())[:-1],
        "base64": base64.b64encode(token.encode())[:-4],
    }


def places_of(pid, token):
    """Where a token is, by form."""
    return {form: scan(pid, needle) for form, needle in forms_of(token).items()}
