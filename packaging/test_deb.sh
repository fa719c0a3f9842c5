#!/bin/bash
# test_deb.sh DEBS: the packages in the folder DEBS checked by lintian, and installed, used and removed in a new Debian 12 in a
# folder beside the system.  What is not installed or not allowed here is said and passed over.
set -euo pipefail

# mmdebstrap calls this script again for the new system: test_deb.sh --inside ROOT DEBS
if [ "$1" = --inside ]; then
    root=$2 debs=$3
    inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"; }
    apt() {
        inside env DEBIAN_FRONTEND=noninteractive apt-get -y -q --no-install-recommends "$@" >"$root/log" 2>&1 ||
            { cat "$root/log"; return 1; }
    }
    cp "$debs"/*.deb "$root/tmp"
    apt install $(inside sh -c "echo /tmp/choir_*.deb")
    [ -n "$(inside choir generate -p 'Once upon a time' -n 8 --seed 1)" ]
    [ -s "$root/usr/share/bash-completion/completions/choir" ]
    echo "packages: choir runs in a new system"
    apt install $(inside sh -c "echo /tmp/libchoir*.deb")
    [ -L "$(echo "$root"/usr/lib/*/libchoir.so)" ]
    [ -s "$root/usr/include/choir.h" ]
    inside ldconfig -p | grep -q 'libchoir\.so\.0 '
    echo "packages: the library is installed, and found"
    apt purge choir libchoir0 libchoir-dev
    rm -rf "$root/log" "$root"/tmp/*
    left=$(find "$root/usr" "$root/etc" "$root/var/lib/dpkg/info" -name '*choir*')
    [ -z "$left" ] || { echo "packages: left behind: $left"; exit 1; }
    echo "packages: removed, nothing is left"
    exit 0
fi

debs=$(realpath "$1")
if command -v lintian >/dev/null; then
    lintian --allow-root --fail-on error,warning "$debs"/*.deb
    echo "packages: lintian has nothing to say"
else
    echo "packages: lintian is not installed, skipped"
fi
command -v mmdebstrap >/dev/null || { echo "packages: mmdebstrap is not installed, skipped"; exit 0; }
[ "$(id -u)" = 0 ] || { echo "packages: only root can make a new system, skipped"; exit 0; }
mmdebstrap --quiet --variant=apt --customize-hook="$(realpath "$0") --inside \"\$1\" '$debs'" bookworm /dev/null
