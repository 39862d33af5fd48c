#!/usr/bin/env bash
# ./dev fuzz [TARGET|all] [SECONDS]: runs fuzz targets, each on a copy of its corpus. What a run
# finds is in build-fuzz/found.
set -euo pipefail
# shellcheck source=tests/dev/common.sh
source tests/dev/common.sh

wanted=${1-all}
seconds=${2-60}
mapfile -t targets < <(find tests/fuzz -name 'fuzz_*.c' | sed 's:.*/fuzz_\(.*\)\.c$:\1:' | sort)
if [[ $wanted != all ]]; then
    [[ " ${targets[*]-} " == *" $wanted "* ]] || die "no fuzz target '$wanted': ${targets[*]-none}"
    targets=("$wanted")
fi
((${#targets[@]})) || die "there are no fuzz targets yet"
[[ $seconds =~ ^[1-9][0-9]*$ ]] || die "'$seconds' is not a number of seconds"

bash tests/dev/setup.sh fuzz
export CC=clang
configure build-fuzz --buildtype=debugoptimized -Dfuzz=true -Db_lto=false \
    -Db_sanitize=address,undefined -Db_lundef=false
compile build-fuzz
mkdir -p build-fuzz/found

# fuzz TARGET ARGUMENT...: its output is kept, for what it says at the end.
fuzz() {
    local target=$1
    shift
    "build-fuzz/tests/fuzz/fuzz_$target" "$@" 2>&1 | tee "build-fuzz/$target.log"
}

for target in "${targets[@]}"; do
    corpus=build-fuzz/corpus/$target
    mkdir -p "$corpus"
    [[ ! -d tests/fuzz/corpus/$target ]] || cp -R "tests/fuzz/corpus/$target/." "$corpus"
    options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048)
    options+=(-artifact_prefix="build-fuzz/found/$target-" -print_final_stats=1)
    [[ ! -e tests/fuzz/$target.dict ]] || options+=(-dict="tests/fuzz/$target.dict")
    step "fuzzing $target for $seconds s" fuzz "$target" "${options[@]}" "$corpus"
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "build-fuzz/$target.log")
    say "$target: $executions executions, nothing found"
done
