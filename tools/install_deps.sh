#!/bin/sh
# Installs what is missing of the packages that building (build), testing (test) and the longer checks (gate) need.
# Says what it installs.  Without apt or without the right to use it, says what to install and goes on.
set -eu

build="gcc g++ make pkg-config libsentencepiece-dev libjansson-dev libpcre2-dev libutf8proc-dev libedit-dev libxxhash-dev"
test="libcmocka-dev bats tmux python3 mandoc groff-base zsh fish"
gate="clang clang-format libomp-dev valgrind gcc-aarch64-linux-gnu g++-aarch64-linux-gnu qemu-user lintian mmdebstrap"

wanted=
for group in "$@"; do
    case $group in
    build) wanted="$wanted $build" ;;
    test) wanted="$wanted $test" ;;
    gate) wanted="$wanted $gate" ;;
    *) echo "install_deps.sh: unknown group $group" >&2; exit 2 ;;
    esac
done

command -v dpkg-query >/dev/null 2>&1 || { echo "not a Debian system; these are needed:$wanted" >&2; exit 0; }
missing=
for package in $wanted; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1; then
    as_root=sudo
else
    echo "missing packages:$missing" >&2
    echo "as root: apt-get install$missing" >&2
    exit 1
fi
echo "installing:$missing" >&2
$as_root apt-get update -qq
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
