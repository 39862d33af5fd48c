#!/usr/bin/env bash
# ./dev latency [--delay MS] [--ceilings 4,8,16] [--rounds N]: a large result over a distance.
set -euo pipefail
# shellcheck source=tests/dev/common.sh
source tests/dev/common.sh

bash tests/dev/setup.sh build test
bash tests/dev/build.sh
export SPARKBRIDGE_RELEASE_BIN=${SPARKBRIDGE_RELEASE_BIN:-$PWD/build/daemon/sparkbridge}
export PYTHONPATH=tests:tests/integration:tests/resilience
exec "$(venv v43)/bin/python" tests/resilience/latency.py "$@"
