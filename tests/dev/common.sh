# shellcheck shell=bash
# What the verbs of ./dev have in common: messages, long steps, packages, Python, meson builds.
# Sourced, with the root of the checkout as the working directory.

cache=${XDG_CACHE_HOME:-$HOME/.cache}/sparkbridge-dev

# The tests run gRPC servers and start processes: gRPC's own work in the child between fork and exec
# would end it now and then.
export GRPC_ENABLE_FORK_SUPPORT=0

say() {
    printf '==> %s\n' "$*" >&2
}

die() {
    printf './dev: %s\n' "$*" >&2
    exit 1
}

# wants_no_arguments ARGUMENT...: for a verb that has none.
wants_no_arguments() {
    (($#)) || return 0
    printf './dev %s: it takes no arguments, and got: %s\n' "$(basename "$0" .sh)" "$*" >&2
    exit 64 # EX_USAGE
}

# step TEXT COMMAND...: runs the command with its output in a file that is shown when it fails,
# and says what is being done and for how long it has been.
step() {
    local text=$1 start=$SECONDS log status=0 ticker command
    shift
    log=$(mktemp -t sparkbridge-dev.XXXXXX)
    say "$text"
    tick "$text" "$start" &
    ticker=$!
    # In a process group of its own, so that all of it can be ended; and in the background, as a
    # trap would wait for a command in the foreground.
    set -m
    (
        set -e +m
        "$@"
    ) >"$log" 2>&1 </dev/null &
    command=$!
    set +m
    trap 'end_step 2' INT
    trap 'end_step 15' TERM
    wait "$command" || status=$?
    trap - TERM INT
    kill "$ticker" 2>/dev/null || true
    wait "$ticker" 2>/dev/null || true
    [[ -t 2 ]] && printf '\r\033[K' >&2
    if ((status != 0)); then
        tail -n 100 "$log" >&2
        rm -f "$log"
        say "failed after $((SECONDS - start)) s: $text"
        exit "$status"
    fi
    rm -f "$log"
    ((SECONDS - start < 2)) || printf '    done in %d s\n' $((SECONDS - start)) >&2
}

# A signal came: ends what the step has started. With the variables of step.
end_step() {
    trap '' INT TERM
    # shellcheck disable=SC2154
    kill -- "-$command" "$ticker" 2>/dev/null || true
    wait "$command" "$ticker" 2>/dev/null || true
    # shellcheck disable=SC2154
    rm -f "$log"
    # shellcheck disable=SC2154
    say "interrupted: $text"
    exit $((128 + $1))
}

# Says the elapsed seconds: each second on a terminal, else twice a minute.
tick() {
    local text=$1 start=$2 never period=30
    [[ -t 2 ]] && period=1
    exec {never}<> <(:) # nothing ever comes from it: a pause without a process of its own
    while true; do
        read -r -t "$period" -u "$never" || true
        if [[ -t 2 ]]; then
            printf '\r    %d s' $((SECONDS - start)) >&2
        else
            printf '    %d s: %s\n' $((SECONDS - start)) "$text" >&2
        fi
    done
}

as_root() {
    if (($(id -u) == 0)); then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "this needs root: install sudo, or as root run: $*"
    fi
}

# install_packages PACKAGE...: what is installed already costs one look-up.
install_packages() {
    local -A installed=()
    local -a missing=()
    local name status
    while read -r name status; do
        [[ $status == installed ]] && installed[$name]=1
    done < <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
    for name in "$@"; do
        [[ -n ${installed[$name]-} ]] || missing+=("$name")
    done
    ((${#missing[@]})) || return 0
    # sudo may ask for a password: before the output goes to a file.
    as_root true
    step "fetching Debian's package lists" as_root apt-get -q update
    step "installing ${missing[*]}" install_quietly "${missing[@]}"
}

# Without starting or enabling the services that a package brings: we run our own nginx.
install_quietly() (
    policy=/usr/sbin/policy-rc.d
    if [[ ! -e $policy ]]; then
        trap 'as_root rm -f "$policy"' EXIT
        trap 'exit 130' INT
        trap 'exit 143' TERM
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
    fi
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q install -y --no-install-recommends "$@" || exit
    if [[ " $* " == *" nginx "* && -d /run/systemd/system ]]; then
        as_root systemctl disable nginx
    fi
)

# The system's first Python that can make an environment, 3.11 or newer.
find_python() {
    local candidate
    for candidate in python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
        if "$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' \
            2>/dev/null; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    return 1
}

# venv NAME: the directory of the environment with tests/requirements/NAME.txt, made or not. Its
# name follows from the file, so that clones share it and a changed file means a new one.
venv() {
    local hash
    hash=$(sha256sum "tests/requirements/$1.txt")
    printf '%s/%s-%s\n' "$cache" "$1" "${hash:0:12}"
}

venv_is_complete() {
    [[ -e $1/.complete ]] && "$1/bin/python" -c '' 2>/dev/null
}

# install_venv NAME: makes the environment unless it is there.
install_venv() {
    local directory
    directory=$(venv "$1")
    venv_is_complete "$directory" && return 0
    step "making the Python environment $1 (several hundred megabytes, once)" \
        make_venv "$1" "$directory"
}

make_venv() {
    local name=$1 directory=$2 python
    mkdir -p "$cache"
    exec {lock}>"$directory.lock"
    flock "$lock" # another clone may be making the same one
    venv_is_complete "$directory" && return 0
    python=$(find_python)
    rm -rf "$directory"
    "$python" -m venv "$directory"
    "$directory/bin/python" -m pip --disable-pip-version-check install \
        -r "tests/requirements/$name.txt"
    touch "$directory/.complete"
}

# configure DIRECTORY OPTION...: a meson build directory with exactly these options.
configure() {
    local directory=$1
    shift
    if [[ ! -e $directory/build.ninja ]]; then
        step "configuring $directory" meson setup "$directory" "$@"
    elif [[ "$(cat "$directory/.dev-options" 2>/dev/null)" != "$*" ]]; then
        step "configuring $directory anew" meson configure "$directory" "$@"
    fi
    printf '%s\n' "$*" >"$directory/.dev-options"
}

compile() {
    step "compiling $1" ninja -C "$1"
}
