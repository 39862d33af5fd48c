"""The soak's five-minute form; `./dev soak` is the hour. A sanitizer's allocator takes two minutes to
level off: the blocks that it holds back after their end are of all sizes, in any order."""

import os

from soak import soak

SECONDS = float(os.environ.get("SPARKBRIDGE_SOAK", "300"))


def test_soak(standin, v43, binary, tmp_path):
    report = soak(SECONDS, standin, v43, binary, tmp_path)
    print(report.text())
    assert report.problems == []
