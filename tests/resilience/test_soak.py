"""The soak's two-minute form; `./dev soak` is the hour."""

import os

from soak import soak

SECONDS = float(os.environ.get("SPARKBRIDGE_SOAK", "120"))


def test_soak(standin, v43, binary, tmp_path):
    report = soak(SECONDS, standin, v43, binary, tmp_path)
    print(report.text())
    assert report.problems == []
