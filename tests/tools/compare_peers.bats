# tools/compare_peers.py against programs that only say what the real ones were seen to say.

load ../cli/helper

setup_file() {
    command -v python3 >/dev/null || skip "python3 is not installed"
}

compare() {
    "$BATS_TEST_DIRNAME/../../tools/compare_peers.py" "$@"
}

# program NAME: stdin becomes an executable script that first notes its arguments in "called"
program() {
    mkdir -p "$(dirname "$1")"
    { echo '#!/bin/bash'; echo 'echo "$(basename "$(dirname "$0")")/${0##*/} $*" >>called'; cat; } >"$1"
    chmod +x "$1"
}

# The n-th call says the n-th speed of the file "speeds.NAME", the last one for ever.
next_speed='next() { local f=speeds.$1 v; v=$(head -n 1 "$f"); [ "$(wc -l <"$f")" -gt 1 ] && sed -i 1d "$f"; echo "$v"; }'

# fake_choir: `choir bench -o json`, with speeds.choir
fake_choir() {
    program here/choir <<EOF
$next_speed
while [ \$# -gt 0 ]; do
    case \$1 in -p) p=\$2 ;; -n) n=\$2 ;; -d) d=\$2 ;; --n-seqs) seqs=\$2 ;; esac
    shift
done
echo "["
comma=
for s in \${seqs//,/ }; do
    v=\$(next choir)
    echo "\$comma{\"model_filename\":\"m.gguf\",\"limit\":\"read\",\"n_threads\":2,\"n_prompt\":\$p,\"n_gen\":\$n,\"n_depth\":\$d,\"n_seqs\":\$s,\"limit_share\":0.875,\"samples_ns\":[1],\"samples_ts\":[\$v]}"
    comma=,
done
echo "]"
EOF
    printf '%s\n' "$@" >speeds.choir
}

# fake_llama DIR SPEED...: llama.cpp's llama-bench
fake_llama() {
    local dir=$1
    shift
    program "$dir/llama-bench" <<EOF
$next_speed
case \$1 in --help) echo '  -d, --n-depth <n>                                 (default: 0)'; exit ;; esac
while [ \$# -gt 0 ]; do
    case \$1 in -p) p=\$2 ;; -n) n=\$2 ;; esac
    shift
done
echo 'load_backend: loaded CPU backend' >&2
cat <<END
[
  {
    "build_commit": "1652066",
    "n_batch": 2048,
    "n_prompt": \$p,
    "n_gen": \$n,
    "n_depth": 0,
    "avg_ts": 1.5,
    "samples_ns": [ 7176972 ],
    "samples_ts": [ \$(next $dir) ]
  }
]
END
EOF
    printf '%s\n' "$@" >"speeds.$dir"
}

setup() {
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    echo model >m.gguf
    fake_choir 10
}

@test "medians, extremes, the median of the rounds' ratios, Choir's share" {
    fake_choir 30 10 20
    fake_llama a 10 10 5
    run --separate-stderr compare -m m.gguf -t 2 -r 3 --choir here/choir --peer a=a/llama-bench --tests pp512
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 3 ]
    [[ "${lines[2]}" =~ m.gguf\ +\|\ 2\ \|\ pp512\ +\|\ tok/s\ +\|\ +20.0\ \(10.0..30.0\)\ \|\ +88\ %\ read\ \|\ +10.0\ \(5.00..10.0\)\ \|\ +3.00\ \| ]]
    [ "$(grep -c round <<<"$stderr")" -eq 6 ]
}

@test "one after the other, with the same model and threads" {
    fake_llama a 5
    fake_llama b 5
    compare -m m.gguf -t 1,2 -r 2 --choir here/choir --choir-args '--cpu avx2' --peer a=a/llama-bench --peer b=b/llama-bench --tests tg64
    grep -v -e --help called | awk '{print $1}' | tr '\n' ' ' >order
    [ "$(cat order)" = "here/choir a/llama-bench b/llama-bench here/choir a/llama-bench b/llama-bench here/choir a/llama-bench b/llama-bench here/choir a/llama-bench b/llama-bench " ]
    grep -qx 'here/choir bench -m m.gguf -t 1 -r 1 -o json -d 0 -p 0 -n 64 --n-seqs 1 --cpu avx2' called
    grep -qx 'a/llama-bench -m m.gguf -t 2 -fa 1 -r 1 -o json -p 0 -n 64' called
}

@test "at a depth: -d, or -gp where there is none; what the depth costs" {
    fake_choir 100 50 # 10 ms more at the depth
    fake_llama a 50 20 # 30 ms more
    program ik/llama-bench <<'EOF'
case $1 in --help) echo '  -gp <pp,tg>                         (default: )'; exit ;; esac
case "$*" in *-gp*) p=4096 ;; *) p=0 ;; esac
echo 'warning: asserts [enabled], performance may be affected'
echo "[ { \"n_prompt\": $p, \"n_gen\": 64, \"samples_ts\": [ 25.0 ] } ]"
EOF
    run --separate-stderr compare -m m.gguf -t 2 -r 1 --choir here/choir --peer a=a/llama-bench --peer ik=ik/llama-bench --tests tg64,tg64@4096,tg64
    [ "$status" -eq 0 ]
    grep -q '^a/llama-bench .* -p 0 -n 64 -d 4096$' called
    grep -q '^ik/llama-bench .* -p 0 -n 0 -gp 4096,64$' called
    echo "$output"
    [[ "$output" =~ ms\ of\ d4096\ +\|\ ms\ +\|\ +10.0\ \(10.0..10.0\)\ \|\ +-\ \|\ +30.0\ \(30.0..30.0\)\ \|\ +0.00\ \(0.00..0.00\)\ \|\ +3.00\ \|\ +-\ \| ]]
}

@test "several sequences: one process for all, totals" {
    fake_choir 10 40 80
    fake_llama a 5
    program a/llama-batched-bench <<'EOF'
cat <<END
0.00.044.207 W llama_context: n_ctx is not divisible by n_seq_max - rounding down to 1024

llama_batched_bench: n_kv_max = 1024, n_batch = 2048, n_ubatch = 512, flash_attn = 1, is_pp_shared = 0, n_threads = 2

|    PP |     TG |    B |   N_KV |   T_PP s | S_PP t/s |   T_TG s | S_TG t/s |      T s |    S t/s |
|-------|--------|------|--------|----------|----------|----------|----------|----------|----------|
|     1 |     64 |    1 |     65 |    0.940 |     4.26 |    3.112 |     9.50 |    4.052 |     2.96 |
|     1 |     64 |    4 |    260 |    0.021 |   749.52 |    0.003 |    16.00 |    0.025 |  1949.24 |
|     1 |     64 |   16 |   1040 |    0.021 |   749.52 |    0.003 |    20.00 |    0.025 |  1949.24 |
END
EOF
    run --separate-stderr compare -m m.gguf -t 2 -r 1 --choir here/choir --peer a=a/llama-bench --tests tg64x1,tg64x4,tg64x16
    [ "$status" -eq 0 ]
    [[ "$output" =~ tg64\ x4\ +\|\ tok/s\ +\|\ +40.0.*\ 16.0\ .*\ 2.50\ \| ]]
    [[ "$output" =~ tg64\ x16\ +\|\ tok/s\ +\|\ +80.0.*\ 20.0\ .*\ 4.00\ \| ]]
    grep -q 'here/choir .* --n-seqs 1,4,16$' called
    grep -q 'a/llama-batched-bench -m m.gguf -t 2 -fa 1 -c [0-9]* -b 2048 -ub 512 -npp 1 -ntg 64 -npl 1,4,16$' called
    [ "$(grep -oE ' -c [0-9]+' called | grep -oE '[0-9]+')" -ge $((16 * 65)) ]
}

@test "llama2.c: the .bin beside the GGUF file, runq for a quantized one" {
    echo model >m.bin
    for name in run runq; do
        program c/$name <<<'echo "Once [1,2] upon"; echo "achieved tok/s: 4.000000" >&2; [ "$OMP_NUM_THREADS" = 2 ]'
    done
    run --separate-stderr compare -m m.gguf -t 2 -r 1 --choir here/choir --peer c=c/run --tests tg64,tg64x4
    [ "$status" -eq 0 ]
    [[ "$output" =~ tg64\ .*\ 2.50\ \| ]]
    grep -qx 'c/run m.bin -t 0 -n 64 -z c/tokenizer.bin' called
    printf '24ka\2\0\0\0' >m.bin
    compare -m m.gguf -t 2 -r 1 --choir here/choir --peer c=c/run --tests tg64
    grep -q '^c/runq m.bin' called
}

@test "load and peak of a whole run" {
    program here/choir <<<'exec true'
    fake_llama a 5
    program a/llama-completion <<<'sleep 0.3'
    run --separate-stderr compare -m m.gguf -t 2 -r 1 --choir here/choir --peer a=a/llama-bench --tests load,peak
    [ "$status" -eq 0 ]
    [[ "$output" =~ load\ \|\ ms\ +\|.*\|\ +([3-9][0-9][0-9]|[0-9]{4,})\.?[0-9]*\ \(.*\|\ +[0-9.]+\ \| ]]
    [[ "$output" =~ peak\ \|\ MB\ +\|\ +[0-9.]+\ \( ]]
    [ "$(grep -c '^a/llama-completion .* -no-cnv$' called)" -eq 1 ]
}

@test "a failure is one line, is not tried again, and leaves the others their figures" {
    fake_llama good 5
    program broken/llama-bench <<<'[ "$1" = --help ] && exit; echo "main: loading"; seq 100 >&2; echo "error: failed to load model" >&2; exit 1'
    program killed/llama-bench <<<'[ "$1" = --help ] && exit; kill -KILL $$'
    program babble/llama-bench <<<'[ "$1" = --help ] && exit; echo "[{\"samples_ts\": 3}]"'
    program empty/llama-bench <<<'[ "$1" = --help ] && exit; echo "[]"'
    program zero/llama-bench <<<'[ "$1" = --help ] && exit; echo "[{\"n_prompt\":512,\"n_gen\":0,\"samples_ts\":[0]}]"'
    local peers=()
    for name in good broken killed babble empty zero; do peers+=(--peer "$name=$name/llama-bench"); done
    run --separate-stderr compare -m m.gguf -t 2 -r 2 --choir here/choir "${peers[@]}" --tests pp512 --json out.json
    [ "$status" -eq 0 ]
    [[ "$output" =~ \|\ +2.00\ \|\ +-\ \|\ +-\ \|\ +-\ \|\ +-\ \|\ +-\ \| ]]
    [[ "$stderr" == *"broken: m.gguf, 2 threads, pp512: broken/llama-bench ended with 1: error: failed to load model"* ]]
    [[ "$stderr" == *"killed: m.gguf, 2 threads, pp512: killed/llama-bench was killed by SIGKILL"* ]]
    [[ "$stderr" == *"babble: m.gguf, 2 threads, pp512: no result in the output"* ]]
    [[ "$stderr" == *"empty: m.gguf, 2 threads, pp512: 0 results of pp512 in the output"* ]]
    [[ "$stderr" == *"zero: m.gguf, 2 threads, pp512: a result is missing"* ]]
    [[ "$stderr" != *Traceback* ]]
    [ "$(grep -vc -e busy -e round <<<"$stderr")" -eq 5 ]
    python3 -c '
import json
d = json.load(open("out.json"))
assert len(d["failures"]) == 5 and len(d["rows"]) == 1, d
row = d["rows"][0]
assert row["figure"]["good"] == dict(median=5, min=5, max=5, rounds=[5, 5]) and row["figure"]["killed"] is None, row
assert row["ratio"]["good"]["median"] == 2 and row["limit_share"] == 0.875, row
'
}

@test "without Choir's figures there is no comparison" {
    program here/choir <<<'echo "choir: m.gguf: cut short" >&2; exit 3'
    fake_llama a 5
    run --separate-stderr compare -m m.gguf -t 2 -r 1 --choir here/choir --peer a=a/llama-bench --tests pp512
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"choir: m.gguf, 2 threads, pp512: here/choir ended with 3: choir: m.gguf: cut short"* ]]
}

@test "Ctrl-C shows what was measured so far" {
    program a/llama-bench <<'EOF'
[ "$1" = --help ] && exit
[ "$(grep -c '^a/llama-bench -m' called)" -lt 2 ] || { touch second; exec sleep 60; }
echo '[{"n_prompt":512,"n_gen":0,"samples_ts":[5]}]'
EOF
    run --separate-stderr timeout -s INT 6 "$BATS_TEST_DIRNAME/../../tools/compare_peers.py" -m m.gguf -t 1,2 -r 3 \
        --choir here/choir --peer a=a/llama-bench --tests pp512
    [ -e second ] || skip "the machine is too slow now"
    [ "$status" -eq 124 ] # timeout's own
    [ "${#lines[@]}" -eq 3 ]
    [[ "${lines[2]}" == *" 2.00 |" ]]
    [[ "$stderr" == *"interrupted: the table holds what was measured so far"* ]]
    [[ "$stderr" != *Traceback* ]]
}

@test "OpenVINO GenAI is skipped with the reason where it is not there" {
    program bin/python3.9 <<<'echo "openvino_genai is not there (No module named '"'x'"')" >&2; exit 1'
    run --separate-stderr compare -m m.gguf -t 2 -r 1 --choir here/choir --peer ov=bin/python3.9 --tests tg64
    [ "$status" -eq 0 ]
    [[ "$stderr" == *"ov: m.gguf, 2 threads, tg64: bin/python3.9 ended with 1: openvino_genai is not there"* ]]
    program bin/python3.9 <<<'echo loading; echo 2.5'
    run --separate-stderr compare -m m.gguf -t 2 -r 1 --choir here/choir --peer ov=bin/python3.9 --tests tg64
    [[ "$output" =~ \ 4.00\ \| ]]
}

@test "peers are found on the PATH, and what is not there is said" {
    fake_llama a 5
    local python
    python=$(python3 -c 'import sys; print(sys.executable)')
    ln -s "$(dirname "$BATS_TEST_DIRNAME")/../tools/compare_peers.py" compare
    PATH=$PWD/a:/usr/bin:/bin run --separate-stderr "$python" -I compare -m m.gguf -t 2 -r 1 --choir here/choir --tests pp512
    [ "$status" -eq 0 ]
    [[ "${lines[0]}" == *"| choir / llama.cpp |"* ]]
    PATH=/usr/bin:/bin run --separate-stderr "$python" -I compare -m m.gguf -t 2 -r 1 --choir here/choir --tests pp512
    [[ "$stderr" == *"llama.cpp: skipped, no llama-bench on the PATH"* ]]
}

@test "arguments are checked before anything is measured" {
    fake_llama a 5
    run compare -m m.gguf --choir here/choir --peer a=a/llama-bench --tests pp512,tgx
    [ "$status" -eq 2 ]
    [[ "$output" == *"'tgx' is no test"* ]]
    run compare -m m.gguf --choir here/choir --peer a=none/llama-bench
    [ "$output" = "compare_peers.py: none/llama-bench: no such program" ]
    run compare -m m.gguf --choir here/choir --peer a=/bin/true
    [ "$output" = "compare_peers.py: /bin/true: neither llama-bench, run, python nor choir" ]
    run compare -m m.gguf --choir here/choir --peer a/llama-bench
    [[ "$output" == "compare_peers.py: --peer a/llama-bench: NAME=PATH"* ]]
    run compare -m none.gguf --choir here/choir --peer a=a/llama-bench
    [[ "${lines[-1]}" == "compare_peers.py: none.gguf: No such file or directory" ]]
    run compare -m m.gguf -t 0 --choir here/choir --peer a=a/llama-bench
    [ "$status" -eq 2 ]
    [ ! -e called ]
}
