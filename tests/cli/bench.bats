# choir bench: rows, formats, comparison.  No speed is tested here, only that it is told.

load helper

@test "a Markdown table: one row for each combination, then the limits" {
    run --separate-stderr choir bench -p 8,16 -n 4 -d 0,8 -t 1,2 --n-seqs 1,2 -r 1
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [ "$(printf '%s\n' "$output" | grep -c '^| ')" -eq $((2 + 3 * 2 * 2 * 2)) ]
    for name in pp8 pp16 'pp8 @ d8' 'tg4' 'tg4 @ d8 x2' 'pp16 x2'; do
        [[ "$output" == *"| $name "* ]]
    done
    [[ "$output" == *"limits with 2 threads: read "*" GB/s, multiply-add "*" GOP/s"* ]]
}

@test "-o json has llama-bench's fields and ours, and they agree" {
    need jq
    choir bench -p 8 -n 4 -r 3 -t 1 -o json >out
    jq -e 'length == 2' out
    for field in build_commit cpu_info model_filename model_type model_size model_n_params n_threads type_k type_v n_prompt \
        n_gen n_depth test_time avg_ns stddev_ns avg_ts stddev_ts samples_ns samples_ts n_seqs first_token_ns token_p50_ns \
        token_p95_ns token_p99_ns bytes_per_token gb_per_s gop_per_s limit limit_share; do
        jq -e "all(.[]; has(\"$field\"))" out
    done
    jq -e '.[0] | .n_prompt == 8 and .n_gen == 0 and (.samples_ns | length) == 3' out
    jq -e '.[1] | .n_prompt == 0 and .n_gen == 4 and .token_p50_ns > 0 and .token_p99_ns >= .token_p50_ns' out
    jq -e 'all(.[]; ((.samples_ts | add / length) - .avg_ts | fabs) < 1e-6 * .avg_ts)' out
    jq -e '.[1] | (.samples_ns[0] * .samples_ts[0] / 1e9 - 4 | fabs) < 0.001' out
}

@test "-o jsonl and -o csv" {
    need jq
    choir bench -p 8 -n 4 -r 1 -o jsonl >out
    [ "$(wc -l <out)" -eq 2 ]
    [ "$(jq -s length out)" -eq 2 ]
    choir bench -p 8 -n 4 -r 1 -o csv >out
    [ "$(wc -l <out)" -eq 3 ]
    [ "$(awk -F, '{print NF}' out | sort -u | wc -l)" -eq 1 ]
}

@test "-p 0 and -n 0 leave a test out" {
    need jq
    [ "$(choir bench -p 0 -n 4 -r 1 -o jsonl | jq -s -c 'map(.test)')" = '["tg4"]' ]
    [ "$(choir bench -p 4 -n 0 -r 1 -o jsonl | jq -s -c 'map(.test)')" = '["pp4"]' ]
}

@test "lists and lengths are checked before anything is measured" {
    refused 2 '-p: "x" is not a whole number' choir bench -p 1,x
    refused 2 '-t: "0" is not' choir bench -t 1,0
    refused 2 'tokens, the model was made for at most' choir bench -p 100000000
    refused 2 'bench takes only: compare A.json B.json' choir bench foo
    refused 2 '-o: "xml" is none of: md json jsonl csv' choir bench -o xml
}

# row N_PROMPT SAMPLES: one test as JSON
row() {
    printf '{"model_filename":"/x/m.gguf","n_prompt":%d,"n_gen":0,"n_depth":0,"n_threads":1,"samples_ts":[%s]}' "$1" "$2"
}

@test "compare: ratio and 95 % interval of the tests that both have" {
    echo "[$(row 8 100,101,99,100),$(row 16 100,110,90,100),$(row 32 5)]" >a.json
    { row 8 200,202,198,200; echo; row 16 101,111,91,101; echo; row 32 10; } >b.json
    run --separate-stderr "$CHOIR_BIN" bench compare a.json b.json
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [[ "${lines[2]}" == *"| pp8 "*" 2.000 |"*"| faster "* ]]
    [[ "${lines[2]}" =~ 1\.9[0-9]*\ to\ +2\.0 ]]
    [[ "${lines[3]}" == *"| pp16 "*"| no difference "* ]]
    [[ "${lines[4]}" == *"| pp32 "*" 2.000 |"*"one run is no interval"* ]]
    run --separate-stderr "$CHOIR_BIN" bench compare b.json a.json
    [[ "${lines[2]}" == *" 0.500 |"*"| slower "* ]]
}

@test "compare reads what bench writes" {
    choir bench -p 4 -n 4 -r 2 -o json >a.json
    run --separate-stderr "$CHOIR_BIN" bench compare a.json a.json
    [ "$status" -eq 0 ]
    [ "$(printf '%s\n' "$output" | grep -c '| no difference ')" -eq 2 ]
}

@test "compare refuses what is no result" {
    echo '[{"n_prompt":1}]' >bad.json
    row 8 1,0 >zero.json
    row 8 1,2 >good.json
    row 9 1,2 >other.json
    echo '[' >cut.json
    refused 3 'bad.json: test 1' "$CHOIR_BIN" bench compare good.json bad.json
    refused 3 'samples_ts: element 2' "$CHOIR_BIN" bench compare good.json zero.json
    refused 3 'cut.json: line' "$CHOIR_BIN" bench compare cut.json good.json
    refused 3 'no test in common' "$CHOIR_BIN" bench compare good.json other.json
    refused 4 'none.json: No such file' "$CHOIR_BIN" bench compare good.json none.json
}

@test "a model without a tokenizer, or with one that is not supported, is measured all the same" {
    need_stories
    cp "$stories/stories260K.bin" .
    run --separate-stderr "$CHOIR_BIN" bench -m stories260K.bin -p 8 -n 4 -r 1
    [ "$status" -eq 0 ]
    [[ "$output" == *"| tg4 "* ]]
    printf 'no tokenizer' >tokenizer.model
    "$CHOIR_BIN" bench -m stories260K.bin -p 8 -n 4 -r 1
    refused 3 'tokenizer.model' "$CHOIR_BIN" generate -m stories260K.bin -p x
}

@test "nothing to measure is refused" {
    refused 2 '-p 0 and -n 0 together' choir bench -p 0 -n 0
    refused 2 '-p 0 and -n 0 together' choir bench -p 0,0 -n 0
    choir bench -p 0 -n 2 -r 1
}
