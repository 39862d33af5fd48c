#!/usr/bin/env bash
# ./dev build: the release, into build/. A build/ that is configured already stays as it is.
set -euo pipefail
# shellcheck source=tests/dev/common.sh
source tests/dev/common.sh

wants_no_arguments "$@"
bash tests/dev/setup.sh build
[[ -e build/build.ninja ]] || configure build --buildtype=debugoptimized -Dtests=false
compile build
say "the daemon is build/daemon/sparkbridge"
