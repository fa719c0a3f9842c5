#!/bin/bash
# Valgrind's memcheck on short runs of the built-in model: no invalid access, nothing undefined used, nothing lost.
# (libgomp's threads keep memory to the end; --show-leak-kinds leaves out what is still reachable.)
set -u
cd "$(dirname "$0")/.."
build=build/release
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0
make --no-print-directory -s -j"$(nproc)" BUILD=$build CC="${CCACHE:+$CCACHE }gcc" CXX="${CCACHE:+$CCACHE }g++" $build/choir || exit 1
printf 'Once upon a time there was a cat. %.0s' {1..4} >$scratch/text
check() { # command...
    valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect \
        --errors-for-leak-kinds=definite,indirect $build/choir "$@" >/dev/null 2>$scratch/report </dev/null ||
        { failed=1; echo "valgrind: choir $*"; cat $scratch/report; }
}
check generate -p Once -n 3 -s 1 -t 1
check generate -p Once -n 3 -s 1 -t 2 --quant q4_0 --kv-type q8_0
check generate -p Once -n 3 --beams 2 -t 1 --json
check perplexity -f $scratch/text -c 16 --chunks 1 -t 1
check tokenize -f $scratch/text --json
check quantize weights/tales/tales.gguf $scratch/out.gguf q4_0 -t 1 -q
[ $failed = 0 ] && echo "valgrind: clean"
exit $failed
