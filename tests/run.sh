#!/bin/bash
# Runs every test program (TAP through cmocka), every test_*.py (TAP) and every bats file under tests/, prints what fails and what is
# skipped with its reason, and ends with "N passed, N failed, N skipped".
# Usage: tests/run.sh BUILD_DIR [PART OF A NAME [REGEX OF NAMES TO LEAVE OUT]]
set -u
cd "$(dirname "$0")/.."
build=$1
pattern=${2:-}
except=${3:-}
export CHOIR_BIN=$PWD/$build/choir
export CHOIR_TESTDATA=${CHOIR_TESTDATA:-$PWD/../shared/testdata}
export CHOIR_BUILD=$PWD/$build
export CMOCKA_MESSAGE_OUTPUT=TAP
unset CHOIR_MODEL CHOIR_CPU NO_COLOR CLICOLOR_FORCE OMP_NUM_THREADS
passed=0 failed=0 skipped=0

run() { # name command...
    local name=$1 start=$SECONDS log ok bad skip
    shift
    [[ "$name" == *"$pattern"* ]] || return
    [ -z "$except" ] || [[ ! "$name" =~ $except ]] || return
    log=$(mktemp)
    "$@" >"$log" 2>&1
    local status=$?
    skip=$(grep -ciE '^(not )?ok .*# skip' "$log") # cmocka 1.1.5 writes "not ok N # SKIP name"
    ok=$(grep '^ok ' "$log" | grep -civE '# skip')
    bad=$(grep '^not ok ' "$log" | grep -civE '# skip')
    if [ $status -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi # crashed
    if [ $status -eq 0 ] && [ $((ok + bad + skip)) -eq 0 ]; then bad=1; echo "no test ran" >>"$log"; fi
    passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
    printf '%-44s %4d ok' "$name" "$ok"
    [ "$bad" -eq 0 ] || printf ' %4d FAILED' "$bad"
    [ "$skip" -eq 0 ] || printf ' %4d skipped' "$skip"
    printf '  (%d s)\n' $((SECONDS - start))
    [ "$skip" -eq 0 ] || grep -iE '# skip|^# .*(absent|missing|not there)' "$log" | sed 's/^/    /' | sort -u
    [ "$bad" -eq 0 ] || { sed 's/^/    /' "$log" | tail -n 60; }
    rm -f "$log"
}

for source in tests/*/test_*.c; do
    run "${source%.c}" "$build/${source%.c}"
done
for script in tests/*/test_*.py; do
    run "$script" python3 "$script"
done
for suite in tests/*/*.bats; do
    run "$suite" bats --tap "$suite"
done
printf '%d passed, %d failed, %d skipped\n' $passed $failed $skipped
[ $failed -eq 0 ]
