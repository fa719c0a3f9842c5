#!/bin/bash
# The thread sanitizer (clang, libomp, Archer): first whether it finds races that were put in, then the tests of what runs in
# threads, then the program.  TSAN_THREADS: numbers of threads for the program (1 2 3 4).
set -u
cd "$(dirname "$0")/.."
build=build/tsan
tests="unit/test_parallel unit/test_engine unit/test_scheduler unit/test_experts unit/test_score unit/test_quantize unit/test_beam"
OMP_TOOL_LIBRARIES=$(ls /usr/lib/llvm-*/lib/libarcher.so 2>/dev/null | tail -n 1)
export OMP_TOOL_LIBRARIES
export TSAN_OPTIONS=ignore_noninstrumented_modules=1:exitcode=66
[ -n "$OMP_TOOL_LIBRARIES" ] || { echo "tsan: no libarcher.so (Debian: libomp-dev)"; exit 1; }
fixed=
setarch -R true 2>/dev/null && fixed='setarch -R' # random addresses may lie where the sanitizer keeps its own
failed=0
say() { echo "tsan: $*"; }

make --no-print-directory -s -j"$(nproc)" BUILD=$build CC="${CCACHE:+$CCACHE }clang" CXX="${CCACHE:+$CCACHE }clang++" OPT=-O1 SANITIZE=thread \
    $build/choir $build/tests/race/planted $(printf "$build/tests/%s " $tests) || exit 1

$fixed $build/tests/race/planted 0 >/dev/null 2>$build/report || { failed=1; say "a race where there is none"; cat $build/report; }
for race in 1 2 3; do
    found=0
    for try in 1 2 3 4 5; do
        $fixed $build/tests/race/planted $race >/dev/null 2>$build/report
        [ $? -eq 66 ] && found=1 && break
    done
    [ $found -eq 1 ] || { failed=1; say "planted race $race was not found"; }
done
for test in $tests; do # with .c, for run.sh takes a part of a name
    $fixed tests/run.sh $build "$test.c" >$build/report || { failed=1; cat $build/report; }
done
for n in ${TSAN_THREADS:-1 2 3 4}; do
    printf 'Once upon a time there was a cat. %.0s' {1..20} >$build/text
    printf '{"prompt": "Once", "n": 3}\n{"prompt": "The cat", "id": 2}\n{"cancel": 2}\n' >$build/lines
    $fixed $build/choir generate -p Once -n 12 -s 1 -t "$n" >/dev/null || failed=1
    $fixed $build/choir generate -f $build/text -n 8 -s 1 -t "$n" -b 64 --beams 3 >/dev/null || failed=1
    $fixed $build/choir generate --jsonl -n 8 -s 1 -t "$n" <$build/lines >/dev/null || failed=1
    $fixed $build/choir perplexity -f $build/text -c 64 -t "$n" >/dev/null || failed=1
done
[ $failed = 0 ] && say "clean; planted races found"
exit $failed
