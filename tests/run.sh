#!/bin/bash
# Runs every test program (TAP through cmocka), every test_*.py (TAP) and every bats file under tests/, prints what fails and what is
# skipped with its reason, and ends with the names of what failed and "N passed, N failed, N skipped".
# Usage: tests/run.sh BUILD_DIR [PART OF A NAME [REGEX OF NAMES TO LEAVE OUT]]
# CHOIR_TEST_JOBS: how many run at a time (as many as there are processors); those that play a person at a terminal, or measure
# time, run alone afterwards.  CHOIR_TEST_AGAIN=1: what fails runs once more, alone, and is told of either way.
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
jobs=${CHOIR_TEST_JOBS:-$(nproc)}
alone='cli/(bench|complete|signals|streams)'
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

command_of() { # name: what runs it, in $command
    case $1 in
    *.py) command=(python3 "$1") ;;
    *.bats) command=(bats --tap "$1") ;;
    *) command=("$build/$1") ;;
    esac
}

run() { # name: runs it and prints what became of it, in one piece
    local name=$1 start=$SECONDS log=$results/${1//\//_} command ok bad skip
    rm -f "$log.failed"
    echo "0 1 0" >"$log.counts" # should this very shell not live to count
    command_of "$name"
    "${command[@]}" >"$log" 2>&1
    local status=$?
    skip=$(grep -ciE '^(not )?ok .*# skip' "$log") # cmocka 1.1.5 writes "not ok N # SKIP name"
    ok=$(grep '^ok ' "$log" | grep -civE '# skip')
    bad=$(grep '^not ok ' "$log" | grep -civE '# skip')
    if [ $status -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi # crashed
    if [ $status -eq 0 ] && [ $((ok + bad + skip)) -eq 0 ]; then bad=1; echo "no test ran" >>"$log"; fi
    {
        printf '%-44s %4d ok' "$name" "$ok"
        [ "$bad" -eq 0 ] || printf ' %4d FAILED' "$bad"
        [ "$skip" -eq 0 ] || printf ' %4d skipped' "$skip"
        printf '  (%d s)\n' $((SECONDS - start))
        [ "$skip" -eq 0 ] || grep -iE '# skip|^# .*(absent|missing|not there)' "$log" | sed 's/^/    /' | sort -u
        [ "$bad" -eq 0 ] || sed 's/^/    /' "$log" | tail -n 60
    } >"$log.report"
    if [ "$bad" -ne 0 ]; then
        printf '%s\n    %s\n' "$name" "$(grep '^not ok ' "$log" | grep -viE '# skip' | head -n 5 | tr '\n' ';')" >"$log.failed"
    fi
    echo "$ok $bad $skip" >"$log.counts"
    flock "$results" cat "$log.report"
}

together=() apart=()
for name in tests/*/test_*.c tests/*/test_*.py tests/*/*.bats; do
    [[ $name == *"$pattern"* ]] || continue
    [ -z "$except" ] || [[ ! $name =~ $except ]] || continue
    if [[ $name =~ $alone ]]; then apart+=("$name"); else together+=("${name%.c}"); fi
done
running=0
for name in "${together[@]}"; do
    if [ "$running" -ge "$jobs" ]; then
        wait -n
        running=$((running - 1))
    fi
    run "$name" &
    running=$((running + 1))
done
wait
for name in "${apart[@]}"; do
    run "$name"
done
if [ -n "${CHOIR_TEST_AGAIN:-}" ]; then
    for failed in "$results"/*.failed; do
        [ -f "$failed" ] || continue
        echo "again: $(cat "$failed")"
        run "$(head -n 1 "$failed")"
    done
fi
cat "$results"/*.failed 2>/dev/null
read -r passed failed skipped < <(cat "$results"/*.counts /dev/null 2>/dev/null |
    awk '{ p += $1; f += $2; s += $3 } END { printf "%d %d %d\n", p, f, s }')
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ] && [ $((passed + skipped)) -gt 0 ]
