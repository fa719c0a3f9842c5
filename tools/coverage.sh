#!/bin/bash
# The whole suite in a build that counts (gcc --coverage), then lines and branches of each part; fails when a test does or a
# part is below its goal.  COVERAGE_TESTS: patterns of the suite's tests instead of all of it, and no goals.
#
# Nothing is inlined, so that a function's branches count once and not once for each place that it is called from; assertions
# are left out: their other side is never taken.
set -u
cd "$(dirname "$0")/.."
build=build/coverage
export CFLAGS=--coverage CXXFLAGS=--coverage LDFLAGS=--coverage
make --no-print-directory -s -j"$(nproc)" BUILD=$build CC="${CCACHE:+$CCACHE }gcc" CXX="${CCACHE:+$CCACHE }g++" \
    OPT="-O1 -fno-inline -DNDEBUG" tests || exit 1
find $build -name '*.gcda' -delete
unset CFLAGS CXXFLAGS LDFLAGS
failed=0
export GCOV_ERROR_FILE=$PWD/$build/libgcov.txt # of runs that may not write: not on their stderr, which is looked at
# Without what links the library into programs that do not count, and what shows that nothing can be written.
for pattern in ${COVERAGE_TESTS:-tests}; do
    CHOIR_CHECK_EVERY=11 tests/run.sh $build "$pattern" 'cli/(install|readme|sandbox)' || failed=1
done
python3 tools/coverage.py $build || [ -n "${COVERAGE_TESTS:-}" ] || failed=1
exit $failed
