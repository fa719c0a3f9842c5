#!/bin/bash
# make_deb.sh BUILD OUT: Debian packages of what BUILD holds, into OUT:
#   choir         the program, its man pages and completions
#   libchoir0     the shared library
#   libchoir-dev  headers, the static library, choir.pc, the examples
# The same build gives the same bytes: times are those of packaging/changelog.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1 out=$2
work=$out/work
multiarch=$(gcc -print-multiarch)
libdir=usr/lib/$multiarch
field() { dpkg-parsechangelog -l packaging/changelog -S "$1"; }
version=$(field Version)
maintainer=$(field Maintainer)
architecture=$(dpkg --print-architecture)
export SOURCE_DATE_EPOCH=$(field Timestamp)

[ "choir $version" = "$("$build/choir" --version)" ] || { echo "make_deb.sh: packaging/changelog has $version" >&2; exit 1; }
rm -rf "$out"
mkdir -p "$work/all"
env -u MAKEFLAGS make -s BUILD="$build" DESTDIR="$PWD/$work/all" PREFIX=/usr libdir="/$libdir" zshdir=/usr/share/zsh/vendor-completions install
gzip -9n "$work"/all/usr/share/man/man*/*
strip --remove-section=.comment --remove-section=.note "$work/all/usr/bin/choir"
strip --strip-unneeded --remove-section=.comment --remove-section=.note "$work/all/$libdir/libchoir.so.0"
strip --strip-debug --enable-deterministic-archives "$work/all/$libdir/libchoir.a"

# move PACKAGE PATH...: from what was installed into the package
move() {
    local package=$1 path
    shift
    for path; do
        mkdir -p "$work/$package/$(dirname "$path")"
        mv "$work/all/$path" "$work/$package/$path"
    done
}
move choir usr/bin usr/share
move libchoir0 "$libdir/libchoir.so.0"
move libchoir-dev usr/include "$libdir/libchoir.so" "$libdir/libchoir.a" "$libdir/pkgconfig"
mkdir -p "$work/libchoir-dev/usr/share/doc/libchoir-dev/examples"
cp examples/* "$work/libchoir-dev/usr/share/doc/libchoir-dev/examples"
[ -z "$(find "$work/all" ! -type d)" ] || { echo "make_deb.sh: in no package:" >&2; find "$work/all" ! -type d >&2; exit 1; }

# needs FILE: the packages that hold its libraries
needs() {
    mkdir -p "$work/debian" "$work/${1%%/*}/DEBIAN"
    printf 'Source: choir\n\nPackage: choir\nArchitecture: any\n' >"$work/debian/control"
    (cd "$work" && dpkg-shlibdeps -O --ignore-missing-info "$1") | sed -n 's/^shlibs:Depends=//p'
}

# package NAME SECTION DEPENDS SUMMARY: its description is read from stdin
package() {
    local name=$1 root=$work/$1 doc=$work/$1/usr/share/doc/$1 library=
    [ "$name" = choir ] || library=$'\nSource: choir\nMulti-Arch: same'
    mkdir -p "$doc" "$root/DEBIAN"
    cp packaging/copyright "$doc"
    gzip -9nc packaging/changelog >"$doc/changelog.gz"
    chmod -R u=rwX,go=rX "$root"
    (cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
    cat >"$root/DEBIAN/control" <<EOF
Package: $name
Version: $version
Architecture: $architecture$library
Maintainer: $maintainer
Installed-Size: $(du -k --apparent-size -s "$root/usr" | cut -f1)
Depends: $3
Section: $2
Priority: optional
Description: $4
$(cat)
EOF
    find "$root" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    dpkg-deb --root-owner-group -Zxz --build "$root" "$out/${name}_${version}_$architecture.deb" >/dev/null
    echo "$out/${name}_${version}_$architecture.deb"
}

mkdir -p "$work/libchoir0/DEBIAN"
echo "libchoir 0 libchoir0 (>= $version)" >"$work/libchoir0/DEBIAN/shlibs"
echo "activate-noawait ldconfig" >"$work/libchoir0/DEBIAN/triggers"

package choir misc "$(needs choir/usr/bin/choir)" "text generation on CPUs" <<'EOF'
 Goes on from a text with a language model, on the CPU: in the terminal, in a
 pipe, or for many requests at once. Reads GGUF, safetensors and llama2.c
 models of many families, and has a small teller of stories built in. The same
 seed gives the same text on every machine.
EOF
package libchoir0 libs "$(needs "libchoir0/$libdir/libchoir.so.0")" "text generation on CPUs - shared library" <<'EOF'
 Choir goes on from a text with a language model, on the CPU.
 .
 This package has the library that other programs use.
EOF
package libchoir-dev libdevel "libchoir0 (= $version), libsentencepiece-dev, libjansson-dev, libpcre2-dev, libutf8proc-dev" \
    "text generation on CPUs - development files" <<'EOF'
 Choir goes on from a text with a language model, on the CPU.
 .
 This package has the headers, the static library and examples.
EOF
rm -rf "$work"
