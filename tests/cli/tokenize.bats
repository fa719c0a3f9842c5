# choir tokenize and choir info.

load helper

@test "ids and pieces, one a line; control characters escaped" {
    need_stories
    run --separate-stderr choir tokenize -p $'Once\n'
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [ "${lines[0]}" = $'1\t<s>' ]
    [ "${lines[1]}" = $'403\t▁Once' ]
    [[ "${lines[2]}" == $'13\t'* ]]
    ! printf '%s' "$output" | tr -d '\n\t' | grep -q '[[:cntrl:]]' || false
}

@test "--ids, --json and --no-bos agree" {
    need jq
    ids=$(choir tokenize -p 'Once upon a time' --ids)
    [ "$ids" = "$(choir tokenize -p 'Once upon a time' | cut -f 1 | paste -sd ' ')" ]
    [ "$ids" = "$(choir tokenize -p 'Once upon a time' --json | jq -r '.ids | join(" ")')" ]
    [ "${ids#* }" = "$(choir tokenize -p 'Once upon a time' --ids --no-bos)" ]
    [ "$(choir tokenize -p 'Once' --json | jq '.ids | length')" -eq "$(choir tokenize -p 'Once' --json | jq '.pieces | length')" ]
}

@test "--decode gives the text back, from --ids and from --json" {
    printf 'Once upon a time\n\tthere was \xc3\xa9\xf0\x9f\x98\x80 </s> <0x0A>' >text
    choir tokenize --ids -f text | choir tokenize --decode | cmp - text
    choir tokenize --json -f text | jq -c .ids | choir tokenize --decode | cmp - text
}

@test "--decode refuses what is no id" {
    refused 2 '"a" at byte 2 is not' choir tokenize --decode -p '1 a'
    refused 2 '99999999' choir tokenize --decode -p '99999999'
    refused 2 '"-1" at byte 0' choir tokenize --decode -p '-1'
    refused 2 '--decode and --ids exclude' choir tokenize --decode --ids -p 1
}

@test "text in a prompt never becomes a special token" {
    need_stories
    [[ " $(choir tokenize --ids --no-bos -p '</s><s>') " != *" 1 "* ]]
    [[ " $(choir tokenize --ids --no-bos -p '</s><s>') " != *" 2 "* ]]
}

@test "a long prompt in little time" {
    head -c 1000000 /dev/zero | tr '\0' A >long
    timeout 20 "$CHOIR_BIN" tokenize "${model[@]}" --ids -f long >ids
    choir tokenize --decode -f ids | cmp - long
}

@test "info: architecture, parts, memory" {
    need_stories
    run --separate-stderr choir info
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [[ "$output" == *"grouped-query"* ]]
    [[ "$output" == *"llama2.c"* ]]
    for part in embedding W_Q W_K W_V W_O feed-forward norms weights 'keys and values' activations total free; do
        [[ "$output" == *"  $part "* ]]
    done
}

@test "info --json: the parts add up, and memory grows with -c and --n-seqs" {
    need jq
    choir info --json >out
    jq -e '.parameters | .embedding + .wq + .wk + .wv + .wo + .ffn + .norms + .output == .total and .active == .total' out
    jq -e '.memory | .weights + .kv + .activations == .total' out
    jq -e '.memory | .kv_token_multi_head >= .kv_token and .kv_token >= .kv_token_multi_query' out
    choir info --json -c 64 >small
    choir info --json -c 64 --n-seqs 4 >four
    [ "$(jq .memory.kv four)" -eq $((4 * $(jq .memory.kv small))) ]
    [ "$(jq .memory.kv_token small)" -eq "$(jq '.memory.kv / 64' small)" ]
    [ "$(choir info --json -c 64 --kv-type f32 | jq .memory.kv)" -eq $((2 * $(jq .memory.kv small))) ]
    refused 2 ctx-size choir info -c 100000000
}

@test "info takes the model as an argument too" {
    need_stories
    "$CHOIR_BIN" info "$stories/stories260K.bin" --tokenizer "$stories/tok512.model" >out
    choir info | sed '/^  free/d' >want
    sed '/^  free/d' out | cmp - want
    refused 2 'info takes one model' choir info other
}
