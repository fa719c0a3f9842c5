#!/bin/bash
# Builds for aarch64 and runs under qemu-user, at every level of the ladder: the kernel checks, the bits of every kernel, and
# stories of the built-in model.  Bits and stories must be the same, byte for byte, as on this machine.
#
# The arm64 libraries are unpacked into build/aarch64-root with apt's own download, beside the system, not into it.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD/build/aarch64-root
build=build/aarch64
here=build/release
packages="libsentencepiece0 libsentencepiece-dev libjansson4 libjansson-dev libedit2 libedit-dev libtinfo6 libbsd0 libmd0
          libcmocka0 libcmocka-dev"
checks="act ops matmul attention"

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

# Flags go through the environment: the Makefile adds its own to those, but not to what make's command line sets.
lib=$root/usr/lib/aarch64-linux-gnu
programs=$build/tests/check/bits
for check in $checks; do programs="$programs $build/tests/check/test_check_$check"; done
CFLAGS="-I$root/usr/include" CXXFLAGS="-I$root/usr/include" \
    LDFLAGS="-L$lib -L$root/lib/aarch64-linux-gnu -Wl,-rpath-link,$lib:$root/lib/aarch64-linux-gnu" \
    make --no-print-directory -s -j"$(nproc)" BUILD=$build CROSS=aarch64-linux-gnu- $build/choir $programs
make --no-print-directory -s -j"$(nproc)" BUILD=$here $here/choir $here/tests/check/bits

# run_arm PROCESSOR LEVEL COMMAND...
run_arm() {
    qemu-aarch64 -cpu "$1" -L /usr/aarch64-linux-gnu -E CHOIR_CPU="$2" \
        -E LD_LIBRARY_PATH="$lib:$root/lib/aarch64-linux-gnu" "${@:3}"
}

# Programs at their best level on processors that end there: a stray instruction of a higher level would be a SIGILL.
expected=$($here/tests/check/bits reference 2>/dev/null)
for processor in cortex-a72:neon neoverse-n1:dotprod max:i8mm; do
    level=${processor#*:}
    found=$(run_arm "${processor%:*}" "$level" $build/tests/check/bits 2>$build/level)
    grep -qx "level $level" $build/level || { echo "aarch64: $(cat $build/level) on ${processor%:*}"; exit 1; }
    diff <(echo "$expected") <(echo "$found") || { echo "aarch64: other bits at $level"; exit 1; }
done
for level in reference neon dotprod; do
    found=$(run_arm max "$level" $build/tests/check/bits $level 2>/dev/null)
    diff <(echo "$expected") <(echo "$found") || { echo "aarch64: other bits at $level"; exit 1; }
done
echo "aarch64: kernels of every level give the same bits"

for check in $checks; do # each goes through all levels by itself
    CMOCKA_MESSAGE_OUTPUT=TAP run_arm max i8mm $build/tests/check/test_check_$check >$build/check.log 2>&1 ||
        { cat $build/check.log; exit 1; }
done
echo "aarch64: the kernel checks pass at every level"

for options in "--temp 0 -n 60" "--seed 7 -n 60" "--seed 8 -n 40 --kv-type f32 -t 2"; do
    story=$($here/choir generate -p "Once upon a time" $options | md5sum)
    for level in reference neon dotprod i8mm; do
        found=$(run_arm max $level $build/choir generate -p "Once upon a time" $options | md5sum)
        [ "$story" = "$found" ] || { echo "aarch64: another text with $options at $level"; exit 1; }
    done
done
echo "aarch64: the built-in model tells the same stories at every level"
