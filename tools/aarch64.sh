#!/bin/bash
# Builds for aarch64 and runs under qemu-user: the kernel checks, and a story of the built-in model, which must be the same
# text, byte for byte, as on this machine.
#
# The arm64 libraries are unpacked into build/aarch64-root with apt's own download, beside the system, not into it.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD/build/aarch64-root
build=build/aarch64
packages="libsentencepiece0 libsentencepiece-dev libjansson4 libjansson-dev libedit2 libedit-dev libtinfo6 libbsd0 libmd0
          libcmocka0 libcmocka-dev"

if [ "$(uname -m)" = aarch64 ]; then
    echo "aarch64.sh: this is one already"
    exit 0
fi
if [ ! -e "$root/.complete" ]; then
    rm -rf "$root"
    mkdir -p "$root/lists/partial" "$root/debs"
    options="-qq -oAPT::Architecture=arm64 -oAPT::Architectures=arm64 -oDir::State::Lists=$root/lists -oAPT::Sandbox::User="
    apt-get $options update
    (cd "$root/debs" && apt-get $options download $packages)
    for deb in "$root"/debs/*.deb; do dpkg-deb -x "$deb" "$root"; done
    touch "$root/.complete"
fi

lib=$root/usr/lib/aarch64-linux-gnu
make --no-print-directory -s -j"$(nproc)" BUILD=$build CROSS=aarch64-linux-gnu- CFLAGS="-I$root/usr/include" \
    CXXFLAGS="-I$root/usr/include" LDFLAGS="-L$lib -L$root/lib/aarch64-linux-gnu -Wl,-rpath-link,$lib:$root/lib/aarch64-linux-gnu" \
    $build/choir $build/tests/check/bits

run_arm() {
    qemu-aarch64 -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH="$lib:$root/lib/aarch64-linux-gnu" "$@"
}
make --no-print-directory -s -j"$(nproc)" build/release/choir build/release/tests/check/bits

diff <(build/release/tests/check/bits) <(run_arm $build/tests/check/bits) && echo "aarch64: kernels give the same bits"
for options in "--temp 0 -n 60" "--seed 7 -n 60" "--seed 8 -n 40 --kv-type f32 -t 2"; do
    here=$(build/release/choir generate -p "Once upon a time" $options | md5sum)
    there=$(run_arm $build/choir generate -p "Once upon a time" $options | md5sum)
    [ "$here" = "$there" ] || { echo "aarch64: another text with $options"; exit 1; }
done
echo "aarch64: the built-in model tells the same stories"
