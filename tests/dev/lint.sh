#!/usr/bin/env bash
# ./dev lint: what a reviewer should not have to say.
set -euo pipefail
# shellcheck source=tests/dev/common.sh
source tests/dev/common.sh

wants_no_arguments "$@"
bash tests/dev/setup.sh lint
mapfile -t sources < <(find common conf daemon proto tests -name '*.c' | sort)
mapfile -t headers < <(find common conf daemon proto tests -name '*.h' | sort)
mapfile -t scripts < <(printf '%s\n' dev .ci/run tests/oracle/run packaging/debian/tests/smoke \
    packaging/debian/sparkbridge.{postinst,postrm,prerm} packaging/completions/sparkbridge.bash &&
    find packaging tests -name '*.sh' | sort)

tidy() {
    # Only what this build compiles: a fuzz target is not part of it.
    python3 - "$1" "$PWD" <<'PYTHON' | xargs -0 -P "$(nproc)" -n 1 clang-tidy -p "$1" --quiet
import json, os, sys
for entry in json.load(open(os.path.join(sys.argv[1], "compile_commands.json"))):
    path = os.path.normpath(os.path.join(entry["directory"], entry["file"]))
    if not path.startswith(os.path.join(sys.argv[2], sys.argv[1])):  # generated
        print(path, end="\0")
PYTHON
}

step "clang-format" clang-format --dry-run -Werror "${sources[@]}" "${headers[@]}"
step "shellcheck" shellcheck -x "${scripts[@]}"
export CC=clang
configure build-clang --buildtype=debugoptimized -Db_lto=false -Dwerror=true -Dtests=true
compile build-clang
step "clang-tidy" tidy build-clang
say "clean: ${#sources[@]} sources, ${#headers[@]} headers, ${#scripts[@]} scripts"
