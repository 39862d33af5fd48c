#!/usr/bin/env bash
# ./dev demo: stock PySpark through the bridge to a stand-in workspace, from nothing.
set -euo pipefail
# shellcheck source=tests/dev/common.sh
source tests/dev/common.sh

wants_no_arguments "$@"
bash tests/dev/setup.sh build workspace
bash tests/dev/build.sh
PYTHONPATH=tests exec "$(venv v43)/bin/python" tests/dev/demo.py \
    "${SPARKBRIDGE_BIN:-build/daemon/sparkbridge}"
