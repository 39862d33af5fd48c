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
newer_systemd=(
    systemd systemd-sysv dbus libpam-systemd dbus-user-session iproute2 passwd python3-minimal
    ca-certificates libcurl4t64 libnghttp2-14 libuv1t64 libyaml-0-2 libseccomp2 libjansson4 libprotobuf-c1
)
packages=()
venvs=()
wants_go_tools=
wants_newer_systemd=

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

# Debian 13 with a newer systemd, for the test of what the system's own cannot do.
make_newer_systemd() {
    local tree=$cache/systemd-257
    as_root rm -rf "$tree" "$tree.tar"
    as_root mmdebstrap --variant=minbase trixie "$tree.tar" --include="$(
        IFS=,
        printf '%s' "${newer_systemd[*]}"
    )"
    as_root mkdir "$tree"
    as_root tar -x -C "$tree" -f "$tree.tar"
    as_root rm "$tree.tar"
    as_root touch "$tree/.complete"
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
        packages+=("${product[@]}" libcmocka-dev iproute2 nghttp2-client zsh fish)
        want_workspace
        want_venvs v42
        want_go_tools
        ;;
    lint)
        packages+=("${product[@]}" libcmocka-dev clang clang-format clang-tidy shellcheck)
        ;;
    package)
        packages+=(build-essential debhelper dpkg-dev lintian rpm mandoc man-db systemd)
        ;;
    systemd)
        packages+=(mmdebstrap)
        wants_newer_systemd=1
        ;;
    bench)
        packages+=(libcmocka-dev nghttp2-client nghttp2-proxy haproxy nginx openssl libnss-wrapper)
        want_venvs bench
        ;;
    fuzz)
        packages+=("${product[@]}" libcmocka-dev clang libclang-rt-14-dev)
        ;;
    *)
        die "there is no group '$group' to set up: build, test, workspace, lint, package, systemd, bench, fuzz"
        ;;
    esac
done
((${#packages[@]} == 0)) || install_packages "${packages[@]}"
for name in "${venvs[@]}"; do
    install_venv "$name"
done
[[ -z $wants_newer_systemd || -e $cache/systemd-257/.complete ]] ||
    step "making a Debian 13 tree (130 megabytes, once)" make_newer_systemd
[[ -z $wants_go_tools ]] || install_go_tools
