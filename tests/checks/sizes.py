"""Small files, no tabs, no trailing space. A file that has to be longer says why: `size: why`."""

import re
from pathlib import Path

LIMITS = {".c": 500, ".h": 150}
_EXCEPTION = re.compile(r"\bsize: \S+")

# Text files in which a tab or a blank at a line's end is a slip.
_TEXT = {".c", ".h", ".py", ".sh", ".build", ".md", ".txt", ".ini", ".proto", ".yaml", ".yml"}
_ROOMS = ("common", "conf", "daemon", "proto", "packaging", "tests")


def violations(path, text):
    wrong = []
    limit = LIMITS.get(Path(path).suffix)
    lines = text.splitlines()
    if limit and len(lines) > limit and not _EXCEPTION.search(text):
        wrong.append(f"{path}: {len(lines)} lines, more than {limit}; split it, or say `size: why`")
    for number, line in enumerate(lines, 1):
        if "\t" in line:
            wrong.append(f"{path}:{number}: a tab")
        if line != line.rstrip():
            wrong.append(f"{path}:{number}: blanks at the end of the line")
    if text and not text.endswith("\n"):
        wrong.append(f"{path}: no line end after the last line")
    return wrong


def check(root):
    root = Path(root)
    files = [path for path in root.iterdir() if path.is_file() and path.suffix in _TEXT]
    for room in _ROOMS:
        files += [path for path in (root / room).rglob("*") if path.suffix in _TEXT]
    found = []
    for path in sorted(files):
        if "corpus" not in path.parts:
            found += violations(path.relative_to(root), path.read_text())
    return found
