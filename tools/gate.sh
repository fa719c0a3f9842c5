#!/bin/bash
# The longer checks: house rules, the whole suite under ASan and UBSan, and the reference kernels on aarch64 under qemu with
# the same bits as here.  Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/.."
jobs=$(nproc)
passed=0 failed=0

step() { # name command...
    local name=$1 start=$SECONDS
    shift
    echo "== $name"
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "== $name FAILED"
    fi
    echo "== $name: $((SECONDS - start)) s"
}

sanitizers() {
    make --no-print-directory -s -j"$jobs" BUILD=build/asan OPT=-O1 SANITIZE=address,undefined tests || return 1
    # without what mostly waits, what tests other programs, and long sums that other tests go through more briefly; all of it:
    # `make asan`
    CHOIR_CHECK_EVERY=41 CHOIR_FAULTS=2 ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 \
        UBSAN_OPTIONS=print_stacktrace=1 tests/run.sh build/asan '' 'complete_terminal|readme|tests/tools|determinism|cli/perplexity|heads_page|infinite'
}

step lint tools/lint.sh
step "address and undefined-behaviour sanitizers" sanitizers
step valgrind tools/valgrind.sh
step "aarch64 under qemu" tools/aarch64.sh
printf '%d passed, %d failed\n' $passed $failed
[ $failed -eq 0 ]
