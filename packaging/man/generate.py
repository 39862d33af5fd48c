#!/usr/bin/env python3
"""A manual page from its source: what the program itself says takes the place of @NAME@ lines.

usage: generate.py PROGRAM SOURCE PAGE. Options, keys, exit codes and subcommands come from
`--help-all` and `schema`, which are made from the option table, so that no page can leave one out.
"""

import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path


def roff(text):
    """Text as it shall be read: no character is a command, and a hyphen can be copied."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text)


def paragraph(head, body):
    lines = [".TP", ".B " + roff(head)]
    return lines + [roff(line) for line in body]


def ask(program, *words):
    done = subprocess.run([program, *words], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def sections(lines):
    """{"Connection": [lines]} of a help text."""
    found, title = {}, None
    for line in lines:
        if re.fullmatch(r"[A-Z][A-Za-z -]*:", line):
            title = found.setdefault(line[:-1], [])
        elif title is not None and line:
            title.append(line)
    return found


def entries(lines):
    """Pairs of a head and its lines: an entry's text is indented further than its head."""
    found = []
    for line in lines:
        if line.startswith(" " * 10):
            found[-1][1].append(line.strip())
        else:
            found.append((line.strip(), []))
    return found


# A line of prose may begin with a flag too, but stands further left.
OPTION = re.compile(r"^(  -\w, |      )--[a-z-]+( \S+)?$")


def options(program):
    """Groups of options, and the paragraph on their precedence. The rest has a section of its own."""
    text = []
    for title, lines in sections(ask(program, "--help-all")).items():
        if OPTION.match(lines[0]):
            text += [f".SS {title}"]
            for head, body in entries(lines):
                text += paragraph(head, body)
        elif title == "Precedence":
            text += [f".SS {title}", *(roff(line.strip()) for line in lines)]
    return text


def two_columns(program, title):
    text = []
    for line in sections(ask(program, "--help"))[title]:
        name, meaning = line.split(None, 1)
        text += paragraph(name, [meaning])
    return text


def keys(schema, path=""):
    """Every key below a mapping of the schema, a paragraph each, with its default."""
    text = []
    for name, key in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        text += paragraph(here, [key.get("description", "")])
        if "default" in key:
            default = key["default"]
            shown = default if isinstance(default, str) else json.dumps(default)
            text += [".br", roff(f"Default: {shown}.")]
        text += keys(key, here)
        if "items" in key:
            text += keys(key["items"], here + "[]")
        if isinstance(key.get("additionalProperties"), dict):
            text += keys(key["additionalProperties"], here + ".USER")
    return text


def wrapped(lines):
    """Lines of text of at most 80 bytes, as roff wants them, but for examples."""
    example = False
    for line in lines:
        example = line == ".EX" or (example and line != ".EE")
        if example or line.startswith(".") or not line:
            yield line
        else:
            yield from textwrap.wrap(line, 78, break_long_words=False, break_on_hyphens=False)


def main():
    program, source, page = sys.argv[1:]
    made = {
        "@OPTIONS@": lambda: options(program),
        "@COMMANDS@": lambda: two_columns(program, "Commands"),
        "@EXIT_CODES@": lambda: two_columns(program, "Exit codes"),
        "@KEYS@": lambda: keys(json.loads("\n".join(ask(program, "schema")))),
    }
    version = ask(program, "version")[0].split()[1]
    text = []
    for line in Path(source).read_text().splitlines():
        text += made[line]() if line in made else [line.replace("@VERSION@", version)]
    Path(page).write_text("\n".join(wrapped(text)) + "\n")


main()
