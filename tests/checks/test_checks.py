"""The source tree keeps to its rules, and the checks can tell when it does not."""

import re
from pathlib import Path

import arrows
import pytest
import sizes

ROOT = Path(__file__).resolve().parents[2]


def test_include_arrows():
    assert arrows.check(ROOT) == []


def test_sizes_and_blanks():
    assert sizes.check(ROOT) == []


@pytest.mark.parametrize(
    ("path", "line", "wrong"),
    [
        ("common/err.c", '#include "common/err.h"', False),
        ("common/err.c", "#include <string.h>", False),
        ("common/err.c", '#include "conf/binding.h"', True),
        ("common/err.c", '#include "err.h"', True),
        ("common/loop.h", "#include <uv.h>", True),
        ("conf/resolve.c", '#include "proto/grpc.h"', True),
        ("conf/resolve.c", '# include "daemon/call.h"', True),
        ("proto/spark.c", '#include "spark.pb-c.h"', False),
        ("proto/spark.c", '#include "conf/binding.h"', True),
        ("daemon/call.c", '#include "daemon/pool.h"', False),
        ("daemon/call.c", "#include <uv.h>", True),
        ("daemon/call.h", "#include <openssl/ssl.h>", True),
        ("daemon/tls.c", "#include <openssl/ssl.h>", False),
        ("daemon/pool.c", '#include "proto/spark.h"', True),
        ("daemon/h2.c", '#include "daemon/spark_session.h"', True),
        ("daemon/h2.c", "#include <nghttp2/nghttp2.h>", False),
    ],
)
def test_arrows_notice(path, line, wrong):
    assert bool(arrows.violations(Path(path), f"/* A file. */\n{line}\n")) == wrong


@pytest.mark.parametrize(
    ("path", "text", "wrong"),
    [
        ("daemon/a.c", "x\n" * 500, 0),
        ("daemon/a.c", "x\n" * 501, 1),
        ("daemon/a.c", "/* size: one table */\n" + "x\n" * 501, 0),
        ("daemon/a.h", "x\n" * 151, 1),
        ("tests/a.py", "x\n" * 900, 0),
        ("daemon/a.c", "\tx;\n", 1),
        ("daemon/a.c", "x; \n", 1),
        ("daemon/a.c", "x;", 1),
    ],
)
def test_sizes_notice(path, text, wrong):
    assert len(sizes.violations(Path(path), text)) == wrong


def test_events_of_the_journal():
    """Each event of the log is in the catalog, each entry of the catalog is an event, and the
    program has a place for each."""
    header = (ROOT / "common/log_events.h").read_text()
    events = dict(re.findall(r"#define (LOG_EVENT_\w+) +LOG_EVENT\(\"(\w{32})\"\)", header))
    catalog = (ROOT / "packaging/systemd/sparkbridge.catalog").read_text()
    assert header.count("#define LOG_EVENT_") == len(events)
    assert sorted(events.values()) == sorted(re.findall(r"^-- (\w{32})$", catalog, re.M))
    used = {
        name
        for path in (ROOT / "daemon").glob("*.c")
        for name in re.findall(r"LOG_EVENT_\w+", path.read_text())
    }
    assert used == set(events)
