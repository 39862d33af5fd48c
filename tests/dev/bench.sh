#!/usr/bin/env bash
# ./dev bench [--quick] [--rounds N] [--only NAME] [--work TEXT] [--json FILE] [--plot FILE]
# [--markdown] [--readme FILE] [--from FILE]: the cost of the bridge beside that of other proxies.
set -euo pipefail
# shellcheck source=tests/dev/common.sh
source tests/dev/common.sh

bash tests/dev/setup.sh build bench
configure build --buildtype=debugoptimized -Dwerror=true -Dtests=true
compile build
step "compiling the backend and the floors" ninja -C build tests/bench/bench_{backend,floor}
export SPARKBRIDGE_RELEASE_BIN=${SPARKBRIDGE_RELEASE_BIN:-$PWD/build/daemon/sparkbridge}
export SPARKBRIDGE_BENCH_BACKEND=$PWD/build/tests/bench/bench_backend
export SPARKBRIDGE_BENCH_FLOOR=$PWD/build/tests/bench/bench_floor
export PYTHONPATH=tests:tests/bench:tests/resilience
exec "$(venv bench)/bin/python" tests/bench/bench.py "$@"
