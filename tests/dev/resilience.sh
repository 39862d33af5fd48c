#!/usr/bin/env bash
# ./dev resilience [PYTEST...]: tests/resilience in full, where `./dev test` has a fifth of it.
set -euo pipefail

export SPARKBRIDGE_CUTS=${SPARKBRIDGE_CUTS:-50} SPARKBRIDGE_KILLS=${SPARKBRIDGE_KILLS:-200}
exec bash tests/dev/test.sh tests/resilience --durations=0 "$@"
