#!/usr/bin/env bash
# ./dev workspace: the stand-in workspace in the foreground.
set -euo pipefail
# shellcheck source=tests/dev/common.sh
source tests/dev/common.sh

wants_no_arguments "$@"
bash tests/dev/setup.sh workspace
PYTHONPATH=tests exec "$(venv v43)/bin/python" -m workspace
