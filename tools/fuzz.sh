#!/bin/bash
# Every parser with libFuzzer, one after another, under ASan and UBSan: tools/fuzz.sh [-f] [-k] SECONDS [TARGET...]
# -f: comparisons are not traced, which gives several times as many runs, but finds fewer ways into a format.
# What it begins with: tests/fuzz/seeds.py, tests/fuzz/corpus and what earlier runs left in build/fuzz-corpus.  -k: what is new
# goes, minimised, into tests/fuzz/corpus.  A finding stays in build/fuzz-found; ends with the runs of each target.
set -u
cd "$(dirname "$0")/.."
keep='' build=build/fuzz sanitize=fuzzer-no-link,address,undefined optimize=-O2
while getopts fk flag; do
    case $flag in
    f) build=build/fuzz-fast sanitize=address,undefined optimize='-O2 -fsanitize-coverage=inline-8bit-counters,pc-table' ;;
    k) keep=yes ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
seconds=$1
shift
names="gguf safetensors index config llama2c tokenizer_json sp_model added state jsonl options utf8 encode"
# the reference kernels: none of the others reads what comes from a file
make --no-print-directory -s -j"$(nproc)" BUILD=$build CC="${FUZZ_CC:-clang}" CXX="${FUZZ_CXX:-clang++}" OPT="$optimize" ARCH_DIR=src/kernels/none \
    SANITIZE=$sanitize fuzz-programs || exit 1
python3 tests/fuzz/seeds.py build/fuzz-corpus || exit 1
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1:quarantine_size_mb=8:malloc_context_size=3 UBSAN_OPTIONS=print_stacktrace=1

longest() { # of an input, where short ones reach all there is
    case $1 in
    utf8) echo 48 ;;
    options | index | jsonl | encode | added) echo 400 ;;
    llama2c | safetensors) echo 1000 ;;
    tokenizer_json) echo 9000 ;;
    *) echo 5000 ;;
    esac
}

failed=0 all=0
for name in ${*:-$names}; do
    mkdir -p "build/fuzz-corpus/$name" "build/fuzz-found/$name" "tests/fuzz/corpus/$name"
    options=(-max_len="$(longest "$name")" -timeout=2 -rss_limit_mb=1024 -malloc_limit_mb=64 -print_final_stats=1)
    [ -f tests/fuzz/dict/$name.dict ] && options+=(-dict=tests/fuzz/dict/$name.dict)
    log=build/fuzz-found/$name.log
    $build/fuzz/"$name" -max_total_time="$seconds" "${options[@]}" -artifact_prefix="build/fuzz-found/$name/" \
        "build/fuzz-corpus/$name" "tests/fuzz/corpus/$name" >"$log" 2>&1
    status=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    printf '%-16s %12s runs  %s\n' "$name" "${runs:-?}" "$(grep -oE 'cov: [0-9]+ ft: [0-9]+' "$log" | tail -n 1)"
    all=$((all + ${runs:-0}))
    if [ $status -ne 0 ]; then
        failed=$((failed + 1))
        grep -E 'broken promise|ERROR|SUMMARY|Test unit written' "$log"
    elif [ -n "$keep" ]; then
        # what reaches code that the rest does not, so that it stays small
        $build/fuzz/"$name" -merge=1 -use_counters=0 -use_cmp=0 -max_len="$(longest "$name")" "tests/fuzz/corpus/$name" \
            "build/fuzz-corpus/$name" >/dev/null 2>&1
    fi
done
printf '%d runs, %d targets failed\n' $all $failed
[ $failed -eq 0 ]
