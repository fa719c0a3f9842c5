#!/bin/bash
# The memory sanitizer (clang) on the parts that call no library but the C one: what jansson, PCRE2 and SentencePiece write
# it takes for never written.
set -u
cd "$(dirname "$0")/.."
build=build/msan
tests="kv/test_block_pool kv/test_block_table kv/test_kv_store
       unit/test_arena unit/test_dtype unit/test_error unit/test_file unit/test_fmath unit/test_pack
       unit/test_rng unit/test_utf8 unit/test_stops unit/test_quants unit/test_policy
       unit/test_sampler_steps bad/test_weights_gguf bad/test_weights_llama2c"
failed=0
make --no-print-directory -s -j"$(nproc)" BUILD=$build CC="${CCACHE:+$CCACHE }clang" CXX="${CCACHE:+$CCACHE }clang++" OPT=-O1 SANITIZE=memory \
    $(printf "$build/tests/%s " $tests) || exit 1
for test in $tests; do # with .c, for run.sh takes a part of a name
    CHOIR_CHECK_EVERY=11 tests/run.sh $build "$test.c" >$build/report || { failed=1; cat $build/report; }
done
[ $failed = 0 ] && echo "msan: clean"
exit $failed
