#!/usr/bin/env bash
# ./dev soak [SECONDS] [--seed NUMBER]: a mixed load on the sanitized daemon, an hour by default.
set -euo pipefail
# shellcheck source=tests/dev/common.sh
source tests/dev/common.sh

bash tests/dev/setup.sh build test
configure build-asan --buildtype=debugoptimized -Db_lto=false -Db_sanitize=address,undefined \
    -Dwerror=true -Dtests=true
compile build-asan
export SPARKBRIDGE_BIN=${SPARKBRIDGE_BIN:-$PWD/build-asan/daemon/sparkbridge}
export PYTHONPATH=tests:tests/integration:tests/resilience
exec "$(venv v43)/bin/python" tests/resilience/soak.py "$@"
