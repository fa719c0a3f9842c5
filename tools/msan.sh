#!/bin/bash
# The memory sanitizer (clang) on all but what calls SentencePiece, PCRE2 or libedit: what those write it takes for never
# written.  Of jansson it is told so, and teams are of one thread, without libomp (tests/support/msan.c).
set -u
cd "$(dirname "$0")/.."
build=build/msan
tests="kv/test_block_pool kv/test_block_table kv/test_kv_store
       unit/test_arena unit/test_bind unit/test_config unit/test_config_families unit/test_dtype unit/test_engine
       unit/test_error unit/test_experts unit/test_file unit/test_fmath unit/test_gguf_write unit/test_json unit/test_new_file
       unit/test_pack unit/test_policy unit/test_quantize_files unit/test_quants unit/test_rng unit/test_rope unit/test_sampler
       unit/test_sampler_steps unit/test_score unit/test_stops unit/test_utf8
       golden/test_heads golden/test_logits golden/test_nonfinite golden/test_prune
       bad/test_config bad/test_weights_gguf bad/test_weights_llama2c bad/test_weights_safetensors"
failed=0
make --no-print-directory -s -j"$(nproc)" BUILD=$build CC="${CCACHE:+$CCACHE }clang" CXX="${CCACHE:+$CCACHE }clang++" OPT=-O1 SANITIZE=memory \
    $(printf "$build/tests/%s " $tests) || exit 1
# whether it finds what was put in
echo 'int main(int n, char **v) { int a[4]; a[n & 1] = v != 0; return a[2] > n; }' | clang -x c -fsanitize=memory -o $build/planted - || exit 1
MSAN_OPTIONS=exitcode=66 $build/planted 2>/dev/null
[ $? -eq 66 ] || { failed=1; echo "msan: a planted use of what was never written was not found"; }
for test in $tests; do # with .c, for run.sh takes a part of a name
    CHOIR_CHECK_EVERY=11 tests/run.sh $build "$test.c" >$build/report || { failed=1; cat $build/report; }
done
[ $failed = 0 ] && echo "msan: clean; what was planted was found"
exit $failed
