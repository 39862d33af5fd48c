#!/usr/bin/env bash
# ./dev setup [GROUP...]: installs what is missing for these groups; a second run is quick.
set -euo pipefail
# shellcheck source=tests/dev/common.sh
source tests/dev/common.sh
# shellcheck source=tests/dev/go_tools.sh
source tests/dev/go_tools.sh

product=(
    gcc libc6-dev pkg-config meson ninja-build libuv1-dev libnghttp2-dev libprotobuf-c-dev
    protobuf-c-compiler libcurl4-openssl-dev libseccomp-dev libssl-dev libyaml-dev libsystemd-dev libjansson-dev
    zlib1g-dev
)
packages=()
venvs=()
wants_go_tools=

want_java() {
    command -v java >/dev/null && java_is_recent || packages+=(openjdk-17-jre-headless)
}

# Its version is in a file beside it; to start it and ask would take a second.
java_is_recent() {
    local home version
    home=$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")
    version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$home/release" 2>/dev/null ||
        true)
    if [[ -z $version ]]; then
        version=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p')
    fi
    ((${version:-0} >= 17))
}

want_venvs() {
    local name
    for name in "$@"; do
        venv_is_complete "$(venv "$name")" && continue
        venvs+=("$name")
    done
    ((${#venvs[@]} == 0)) || find_python >/dev/null || packages+=(python3-venv)
}

# Where Go comes from Python's packages, it needs what an environment needs.
want_go_tools() {
    go_tools_are_complete && return 0
    wants_go_tools=1
    system_go_suffices || find_python >/dev/null || packages+=(python3-venv)
}

# The stand-in workspace: Spark, and nginx in front of it.
want_workspace() {
    want_java
    packages+=(nginx openssl libnss-wrapper)
    want_venvs v43
}

(($#)) || set -- build test
for group in "$@"; do
    case $group in
    build)
        packages+=("${product[@]}")
        ;;
    workspace)
        want_workspace
        ;;
    test)
        packages+=("${product[@]}" libcmocka-dev iproute2 nghttp2-client)
        want_workspace
        want_venvs v42
        want_go_tools
        ;;
    lint)
        packages+=("${product[@]}" libcmocka-dev clang clang-format clang-tidy shellcheck)
        ;;
    package)
        packages+=(debhelper dpkg-dev lintian rpm mandoc man-db systemd)
        ;;
    bench)
        packages+=(libcmocka-dev nghttp2-client nghttp2-proxy haproxy nginx openssl libnss-wrapper)
        want_venvs bench
        ;;
    fuzz)
        packages+=("${product[@]}" libcmocka-dev clang libclang-rt-14-dev)
        ;;
    *)
        die "there is no group '$group' to set up: build, test, workspace, lint, package, bench, fuzz"
        ;;
    esac
done
((${#packages[@]} == 0)) || install_packages "${packages[@]}"
for name in "${venvs[@]}"; do
    install_venv "$name"
done
[[ -z $wants_go_tools ]] || install_go_tools
