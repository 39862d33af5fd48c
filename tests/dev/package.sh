#!/usr/bin/env bash
# ./dev package [deb|rpm]...: builds the packages of what is committed or changed here, into
# build-packages/.
set -euo pipefail
# shellcheck source=tests/dev/common.sh
source tests/dev/common.sh

output=$PWD/build-packages
work=$(mktemp -d -t sparkbridge-package.XXXXXX)
trap 'rm -rf "$work"' EXIT
version=$(sed -n "s/^ *version: '\(.*\)',$/\1/p" meson.build)
name=sparkbridge-$version

# Of the paths on standard input those that are there: not what has been deleted and is not committed.
existing() {
    local path
    while IFS= read -r -d '' path; do
        [[ ! -e $path && ! -L $path ]] || printf '%s\0' "$path"
    done
}

# The tree as it is, without what git ignores.
copy_tree() {
    mkdir "$work/$name"
    git ls-files -z --cached --others --exclude-standard | existing |
        tar -c --null --no-recursion --files-from=- | tar -x -C "$work/$name"
}

build_deb() (
    cp -r "$work/$name" "$work/deb"
    tar -czf "$work/sparkbridge_$version.orig.tar.gz" -C "$work" "$name"
    mv "$work/deb/packaging/debian" "$work/deb/debian"
    cd "$work/deb"
    dpkg-buildpackage -us -uc
    rm -f "$output"/sparkbridge*.{deb,buildinfo,changes,dsc,tar.gz,tar.xz}
    cp "$work"/sparkbridge*_"$version"* "$output"
)

lint_deb() {
    lintian --allow-root --fail-on error,warning \
        --suppress-tags initial-upload-closes-no-bugs "$work"/sparkbridge_*.changes
}

build_rpm() (
    mkdir -p "$work/rpm/SOURCES"
    tar -czf "$work/rpm/SOURCES/$name.tar.gz" -C "$work" "$name"
    rpmbuild -bb --nodeps --define "_topdir $work/rpm" --define "_unitdir /usr/lib/systemd/system" \
        --define "_userunitdir /usr/lib/systemd/user" "$work/$name/packaging/rpm/sparkbridge.spec"
    rm -f "$output"/sparkbridge*.rpm
    cp "$work"/rpm/RPMS/*/*.rpm "$output"
)

git rev-parse --is-inside-work-tree >/dev/null 2>&1 ||
    die "this is no git checkout, which says what belongs into a package: clone the repository"
(($#)) || set -- deb rpm
bash tests/dev/setup.sh build package
mkdir -p "$output"
copy_tree
for kind in "$@"; do
    case $kind in
    deb)
        step "building the Debian package" build_deb
        step "lintian" lint_deb
        ;;
    rpm) step "building the RPM package" build_rpm ;;
    *) die "there is no package of kind '$kind': deb, rpm" ;;
    esac
done
say "packages are in build-packages/"
ls "$output"
