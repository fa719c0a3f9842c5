#!/bin/bash
# Builds for aarch64 and runs under qemu-user, at every level of the ladder: the kernel checks, the bits of every kernel,
# stories of the built-in model and of a random model of each type.  Bits and stories must be the same, byte for byte, as on
# this machine.
#
# The arm64 libraries are unpacked into build/aarch64-root with apt's own download, beside the system, not into it.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD/build/aarch64-root
build=build/aarch64
here=build/release
packages="libsentencepiece0 libsentencepiece-dev libjansson4 libjansson-dev libpcre2-8-0 libpcre2-posix3 libpcre2-dev
          libutf8proc2 libutf8proc-dev libedit2 libedit-dev libtinfo6 libbsd0 libmd0
          libcmocka0 libcmocka-dev libxxhash-dev"
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
trap wait EXIT # for the check that runs beside the others
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

# check NAME: it goes through all levels by itself; the emulator is slow, so not through all cases
check() {
    CMOCKA_MESSAGE_OUTPUT=TAP CHOIR_CHECK_EVERY=11 run_arm max i8mm $build/tests/check/test_check_$1 >$build/check_$1.log 2>&1 ||
        { cat $build/check_$1.log; return 1; }
}
# The longest takes as long as the others and the stories together.
check matmul &
matmul=$!
for check in $checks; do
    [ $check = matmul ] || check $check
done

# same_story NAME LEVELS OPTION...
same_story() {
    local story found level
    story=$($here/choir generate "${@:3}")
    for level in $2; do
        found=$(run_arm max $level $build/choir generate "${@:3}")
        [ "$story" = "$found" ] || { echo "aarch64: another text of $1 at $level"; return 1; }
    done
}

for options in "--temp 0 -n 60" "--seed 7 -n 60" "--seed 8 -n 40 --kv-type f32 -t 2"; do
    same_story "the built-in model with $options" "reference neon dotprod i8mm" -p "Once upon a time" $options
done
echo "aarch64: the built-in model tells the same stories at every level"

# Types that no level has of its own run the same code at dotprod and i8mm.
types="f32 f16 bf16 q8_0 q4_0 q4_1 q5_0 q5_1 q2_K q3_K q4_K q5_K q6_K"
shape="--dim 256 --hidden 512 --layers 1 --heads 4 --kv-heads 2 --vocab 300 --context 256"
for type in $types; do
    tools/make_model.py $shape --type $type -o $build/tiny.gguf
    same_story "a model of $type" "neon i8mm" -m $build/tiny.gguf -p "What is told here is long enough for tiles." --temp 0 -n 12
done
echo "aarch64: models of every type tell the same stories"

wait $matmul
echo "aarch64: the kernel checks pass at every level"
