#!/usr/bin/env bash
# ./dev test [PYTEST...]: everything. The last line is pytest's summary.
set -euo pipefail
# shellcheck source=tests/dev/common.sh
source tests/dev/common.sh
# shellcheck source=tests/dev/go_tools.sh
source tests/dev/go_tools.sh

bash tests/dev/setup.sh build test
configure build --buildtype=debugoptimized -Dwerror=true -Dtests=true
configure build-asan --buildtype=debugoptimized -Db_lto=false -Db_sanitize=address,undefined \
    -Dwerror=true -Dtests=true
for directory in build build-asan; do
    compile "$directory"
    step "unit tests of $directory" meson test -C "$directory" --no-rebuild --print-errorlogs
done
step "compiling the bench" ninja -C build tests/bench/bench_{backend,floor}

# Files or folders of tests/ among the arguments take the place of the whole suite; what else there
# is may be an option's value.
places=(tests/checks tests/integration tests/faults tests/resilience tests/conformance tests/peers
    tests/attacks tests/bench tests/systemd)
for argument in "$@"; do
    [[ ${argument#./} == tests/* && -e ${argument%%::*} ]] && places=()
done
export SPARKBRIDGE_BIN=${SPARKBRIDGE_BIN:-$PWD/build-asan/daemon/sparkbridge}
export SPARKBRIDGE_RELEASE_BIN=${SPARKBRIDGE_RELEASE_BIN:-$PWD/build/daemon/sparkbridge}
export SPARKBRIDGE_BENCH_BACKEND=$PWD/build/tests/bench/bench_backend
export SPARKBRIDGE_BENCH_FLOOR=$PWD/build/tests/bench/bench_floor
SPARKBRIDGE_V42_PYTHON=$(venv v42)/bin/python
SPARKBRIDGE_GO_TOOLS=$(go_tools)
export SPARKBRIDGE_V42_PYTHON SPARKBRIDGE_GO_TOOLS

if ((${#places[@]})); then
    # A small form of the comparison with the real databricks-connect; 77: no Python 3.12 for it.
    status=0
    tests/oracle/run --cases 150 || status=$?
    ((status == 0 || status == 77)) || exit "$status"
    if ((status == 77)); then
        # For pytest to say at its end.
        export SPARKBRIDGE_LEFT_OUT="the comparison with databricks-connect, for want of Python 3.12"
    fi
fi
# The tests of the package need one of this tree.
if ((${#places[@]})) || [[ " $* " == *" tests/systemd"* ]]; then
    bash tests/dev/package.sh deb
fi
say "integration tests and checks"
exec "$(venv v43)/bin/python" -m pytest -c tests/pytest.ini --rootdir=tests "${places[@]}" "$@"
