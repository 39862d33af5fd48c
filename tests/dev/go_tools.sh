# shellcheck shell=bash
# The conformance suites that are written in Go, pinned in tests/conformance/tools/go.mod and built
# once for all clones. Sourced after common.sh.

# shellcheck disable=SC2154  # cache is of common.sh
go_tools_source=tests/conformance/tools

# The directory with the tools, built or not. Its name follows from the pinned versions.
go_tools() {
    local hash
    hash=$(cat "$go_tools_source/go.mod" "$go_tools_source/go.sum" | sha256sum)
    printf '%s/go-tools-%s\n' "$cache" "${hash:0:12}"
}

go_tools_are_complete() {
    [[ -e $(go_tools)/.complete ]]
}

# Go itself knows whether it is new enough for go.mod; one that is too old fails here.
system_go_suffices() {
    GOTOOLCHAIN=local GOFLAGS='' go -C "$go_tools_source" list -m >/dev/null 2>&1
}

install_go_tools() {
    go_tools_are_complete && return 0
    system_go_suffices || install_venv go
    step "building the conformance tools (a minute or two, once)" make_go_tools "$(go_tools)"
}

# Modules and build cache go again afterwards: they are forty times the size of the tools.
make_go_tools() {
    local directory=$1 go=go
    mkdir -p "$cache"
    exec {lock}>"$directory.lock"
    flock "$lock" # another clone may be building the same ones
    go_tools_are_complete && return 0
    system_go_suffices || go=$(venv go)/bin/go
    rm -rf "$directory"
    mkdir -p "$directory/build"
    env GOTOOLCHAIN=local GOMODCACHE="$directory/build/modules" GOCACHE="$directory/build/cache" \
        GOFLAGS='-mod=readonly -modcacherw -trimpath -buildvcs=false' CGO_ENABLED=0 \
        "$go" -C "$go_tools_source" build -ldflags='-s -w' -o "$directory/" tool
    mv "$directory/client" "$directory/grpc-interop-client"
    mv "$directory/server" "$directory/grpc-interop-server"
    rm -rf "$directory/build"
    touch "$directory/.complete"
}
