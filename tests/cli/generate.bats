# choir generate: length, stops, seeds, samples, JSON.

load helper

@test "-n: exactly so many tokens, 0 too; --n-predict is the same flag" {
    need_stories
    [ "$(choir generate -p 'Once upon a time' -n 5 --temp 0)" = ', there was a little' ]
    [ "$(choir generate -p 'Once upon a time' --n-predict 5 --temp 0)" = ', there was a little' ]
    [ -z "$(choir generate -p 'Once upon a time' -n 0)" ]
    choir generate -p 'Once upon a time' -n 5 --temp 0 -v 2>&1 >/dev/null | grep -q 'generated 5 tokens'
}

@test "the same seed gives the same text, another one another" {
    choir generate -p 'One day' -n 60 -s 5 >a
    choir generate -p 'One day' -n 60 -s 5 >b
    choir generate -p 'One day' -n 60 -s 6 >c
    cmp a b
    ! cmp -s a c || false
    choir generate -p 'One day' -n 60 -s 18446744073709551615 >a
}

@test "without -s the seed is random, and -v tells it" {
    choir generate -p 'One day' -n 40 -v >a 2>err
    seed=$(sed -n 's/^seed //p' err)
    choir generate -p 'One day' -n 40 -s "$seed" | cmp - a
    choir generate -p 'One day' -n 0 -v 2>err2 >/dev/null
    [ "$seed" != "$(sed -n 's/^seed //p' err2)" ]
}

@test "threads, batch, block size and kernel level do not change a byte" {
    long='Once upon a time there was a little dog who lived in a big house with a red door'
    choir generate -p "$long" -n 80 -s 9 -t 1 >want
    choir generate -p "$long" -n 80 -s 9 -t 2 | cmp - want
    choir generate -p "$long" -n 80 -s 9 -b 1 | cmp - want
    choir generate -p "$long" -n 80 -s 9 -b 7 --kv-block 4 | cmp - want
    choir generate -p "$long" -n 80 -s 9 --kv-block 256 | cmp - want
    for level in reference avx2 avxvnni avx512 neon dotprod i8mm; do # one of another processor is the reference
        choir generate -p "$long" -n 80 -s 9 --cpu $level | cmp - want
    done
    CHOIR_CPU=reference choir generate -p "$long" -n 80 -s 9 | cmp - want
    OMP_NUM_THREADS=2 choir generate -p "$long" -n 80 -s 9 | cmp - want
    OMP_NUM_THREADS=1,2 choir generate -p x -n 1 -v 2>&1 >/dev/null | grep -q ' 1 thread,'
    CHOIR_CPU=reference choir generate -p x -n 1 -v 2>&1 >/dev/null | grep -q '^kernels reference,'
}

@test "--kv-type q8_0: less memory, and the same bytes whatever computes it" {
    choir generate -p 'Once upon a time' -n 80 -s 9 --kv-type q8_0 >want
    [ "$(wc -c <want)" -gt 100 ]
    choir generate -p 'Once upon a time' -n 80 -s 9 --kv-type q8_0 -t 1 -b 3 --kv-block 2 | cmp - want
    choir generate -p 'Once upon a time' -n 80 -s 9 --kv-type q8_0 --cpu reference | cmp - want
    f16=$(choir info --json -c 64 | jq .memory.kv)
    q8=$(choir info --json -c 64 --kv-type q8_0 | jq .memory.kv)
    [ $((q8 * 100)) -le $((f16 * 65)) ] # a head of 8 numbers: 10 bytes instead of 16
    [ $((q8 * 100)) -ge $((f16 * 50)) ]
}

@test "locales do not change a byte" {
    choir generate -p 'Hé' -n 30 -s 9 --temp 0.9 >want
    for locale in C C.UTF-8 de_DE.UTF-8 tr_TR.UTF-8 nonsense; do
        LC_ALL=$locale choir generate -p 'Hé' -n 30 -s 9 --temp 0.9 | cmp - want
    done
}

@test "CHOIR_MODEL names the model, -m goes first" {
    need_stories
    choir generate -p 'One day' -n 9 -s 1 >want
    CHOIR_MODEL=$stories/stories260K.bin "$CHOIR_BIN" generate --tokenizer "$stories/tok512.model" -p 'One day' -n 9 -s 1 |
        cmp - want
    CHOIR_MODEL=none.bin choir generate -p 'One day' -n 9 -s 1 | cmp - want
    CHOIR_MODEL=none.bin refused 4 'none.bin' "$CHOIR_BIN" generate -p x
}

@test "--stop: never printed, also when split over tokens; repeatable; -r is the same" {
    need_stories
    [ "$(choir generate -p 'Once upon a time' -n 50 --temp 0 --stop 'girl named')" = ', there was a little ' ]
    [ "$(choir generate -p 'Once upon a time' -n 50 --temp 0 -r 'tle g')" = ', there was a lit' ]
    [ "$(choir generate -p 'Once upon a time' -n 50 --temp 0 --stop 'nowhere' --stop=little)" = ', there was a ' ]
    [ "$(choir generate -p 'Once upon a time' -n 5 --temp 0 --stop 'little girl')" = ', there was a little' ] # held back, then shown
}

@test "--echo prints the prompt, exactly" {
    choir generate -p ' One  day ' -n 7 -s 1 >rest
    { printf ' One  day '; cat rest; } >want
    choir generate -p ' One  day ' -n 7 -s 1 --echo | cmp - want
}

@test "--n-samples: the first is the text without it; the others differ" {
    choir generate -p 'One day' -n 40 -s 3 >first
    choir generate -p 'One day' -n 40 -s 3 --n-samples 3 --json >three
    jq -j '.choices[0].text' three | cmp - first
    [ "$(jq '.choices | length' three)" -eq 3 ]
    [ "$(jq -r '.choices[].text' three | sort -u | wc -l)" -ge 2 ]
    [ "$(jq '.usage.completion_tokens' three)" -le 120 ]
    jq -j '.choices[] | .text + (if .index < 2 then "\n" else "" end)' three >want
    choir generate -p 'One day' -n 40 -s 3 --n-samples 3 | cmp - want
}

@test "--n-samples: each text is the same whoever runs beside it, in any order of their ends" {
    need jq
    choir generate -p 'Once upon a time' -n 60 -s 3 --n-samples 9 --stop cat --stop . --json >want
    [ "$(jq '[.choices[].index] == [range(9)]' want)" = true ]
    [ "$(jq '[.choices[].text | length] | unique | length > 3' want)" = true ] # they end at different times
    for args in '--n-seqs 1' '--n-seqs 4 -t 2' '-t 3 --kv-block 1' '-t 1 --kv-block 64 -b 2' '-c 80 --no-prefix-cache' \
        '-c 80 --n-seqs 2 --kv-block 4' '--speculate ngram'; do
        echo "$args"
        choir generate -p 'Once upon a time' -n 60 -s 3 --n-samples 9 --stop cat --stop . --json $args | cmp - want
        choir generate -p 'Once upon a time' -n 60 -s 3 --n-samples 9 --stop cat --stop . --echo $args >text
        jq -j '.choices[] | (if .index > 0 then "\n" else "" end) + "Once upon a time" + .text' want | cmp - text
    done
    choir generate -p 'Once upon a time' -n 60 -s 3 --n-samples 9 -v 2>&1 >/dev/null | grep -q '^prompt 5 tokens'
}

@test "--n-samples: the first is streamed while others are made" {
    slow_model 2
    mkfifo pipe
    choir generate -p x -n -1 --ignore-eos --n-samples 3 >pipe &
    pid=$!
    exec 9<pipe
    timeout 20 head -c 1 <&9 >first # comes long before 3 texts of 2,000 tokens are done
    [ "$(stat -c %s first)" -eq 1 ]
    kill $pid
    wait $pid || [ $? -eq 143 ]
    exec 9<&-
}

@test "--json: one completion object" {
    need jq
    choir generate -p $'a "quoted"\nline' -n 6 -s 3 --json >out
    [ "$(wc -l <out)" -eq 1 ]
    jq -e '.object == "text_completion" and (.id | type) == "string" and (.model | type) == "string"' out
    jq -e '.choices[0] | .index == 0 and .logprobs == null and .finish_reason == "length"' out
    jq -e '.usage | .prompt_tokens + .completion_tokens == .total_tokens and .completion_tokens == 6' out
    choir generate -p $'a "quoted"\nline' -n 6 -s 3 >text
    jq -j '.choices[0].text' out | cmp - text
    choir generate -p 'Once upon a time' -n 200 --temp 0 --stop . --json | jq -e '.choices[0].finish_reason == "stop"'
}

@test "the context: filling it ends the text with 0, a longer prompt is refused with the numbers" {
    run --separate-stderr choir generate -p 'Once upon a time' -c 16 -n -1 --ignore-eos -s 1
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    choir generate -p 'Once upon a time' -c 16 -n -1 --ignore-eos -s 1 -v 2>&1 >/dev/null | grep -qx 'stopped: context full'
    choir generate -p x -c 16 -n 1 -v 2>&1 >/dev/null | grep -q 'context 16 tokens'
    refused 6 'context is 16' choir generate -p "$(printf 'word %.0s' {1..200})" -c 16
    refused 2 'ctx-size' choir generate -p x -c 1000000000
}

@test "--infinite: beyond the context, the same text by any way, memory flat, prompts of any length" {
    run --separate-stderr choir generate -p 'Once upon a time' -c 32 --infinite -n 120 --ignore-eos -s 1
    [ "$status" -eq 0 ]
    [ "$output" = "$(choir generate -p 'Once upon a time' -c 32 --infinite -n 120 --ignore-eos -s 1 --kv-block 1 -t 1 -b 5)" ]
    [ "$output" != "$(choir generate -p 'Once upon a time' -c 32 --infinite --sinks 0 -n 120 --ignore-eos -s 1)" ]
    choir generate -p 'Once upon a time' -c 32 --infinite -n 120 --ignore-eos -s 1 -v 2>&1 >/dev/null | grep -q 'generated 120 tokens'
    yes | head -c 20000 | choir generate -c 64 --infinite -n 20 --ignore-eos -s 1 -v 2>err >out
    [ -s out ]
    grep -Eq 'prompt [0-9]{5} tokens' err
    refused 2 'sinks' choir generate -p x -c 4 --infinite
    refused 2 'sinks' choir generate -p x --infinite --sinks 513
    refused 2 'speculate' choir generate -p x --infinite --speculate ngram
    refused 2 '--infinite and --n-samples exclude each other' choir generate -p x --infinite --n-samples 2
}

@test "--kv-save and --kv-load: a text goes on where it was, by its bytes and by its cache" {
    choir generate -p 'Once upon a time' -n 60 -s 1 --ignore-eos >whole
    choir generate -p 'Once upon a time' -n 30 -s 1 --ignore-eos --kv-save s.kv >first
    choir generate --kv-load s.kv -n 30 -s 1 --ignore-eos --kv-block 64 -t 1 --kv-save s.kv -v </dev/null >second 2>err
    cat first second | cmp - whole
    grep -q '^choir: prompt 1 tokens' err || grep -q 'prompt 1 tokens' err
    # also with the prompt's log-probabilities, for which it is computed apart
    choir generate -p 'Once upon a time' -n 30 -s 1 --ignore-eos --json --echo --logprobs 0 --kv-save told.kv >told.json
    choir generate --kv-load told.kv -n 30 -s 1 --ignore-eos </dev/null | cmp - second
    # what is given comes after what was kept, as it would in one text
    choir generate -f whole --kv-save long.kv -n 0
    choir generate --kv-load long.kv -p ' The end of it. And' -n 5 --temp 0 -v 2>err >more
    { cat whole; printf ' The end of it. And'; } >joined
    choir generate -f joined --raw -n 5 --temp 0 | cmp - more
    grep -Eq 'prompt ([0-9]|1[0-9]) tokens' err
    [ "$(choir generate --kv-load s.kv -n 4 -s 1 --n-samples 2 --json </dev/null | jq '.choices | length')" = 2 ]
    refused 3 'not a choir state file' choir generate --kv-load whole -p x
    refused 3 'saved with f16 keys and values' choir generate --kv-load s.kv --kv-type f32 -p x
    refused 3 'context is 16' choir generate --kv-load s.kv -c 16 -p x
    refused 4 'none.kv' choir generate --kv-load none.kv -p x
    refused 2 'kv-save' choir generate -p x --kv-save s.kv --infinite
    refused 2 'kv-save' choir generate -p x --kv-save s.kv --n-samples 2
    run choir generate -p x -n 1 --kv-save none/s.kv
    [ "$status" -eq 4 ]
    cp s.kv before.kv
    (ulimit -f 8; run choir generate --kv-load s.kv -n 9 -s 1 --kv-save s.kv; [ "$status" -eq 4 ])
    cmp s.kv before.kv
    [ "$(echo *.tmp)" = '*.tmp' ]
}

@test "a limit on memory, and a model that is not there" {
    refused 5 'mem-limit' choir generate -p x --mem-limit 1000
    refused 4 'none.gguf' "$CHOIR_BIN" generate -m none.gguf -p x
    refused 4 'No such file' "$CHOIR_BIN" generate -m '' -p x
    refused 4 'ORG/NAME' env HF_HUB_CACHE="$PWD/hub" "$CHOIR_BIN" generate -m ORG/NAME -p x
    : >empty.gguf
    refused 3 'empty.gguf' "$CHOIR_BIN" generate -m empty.gguf -p x
}

@test "ORG/NAME[@REVISION] is looked up in the Hugging Face cache" {
    repo=hub/models--some--model
    mkdir -p $repo/refs $repo/snapshots/abc123 $repo/snapshots/def456
    printf abc123 >$repo/refs/main
    : >$repo/snapshots/abc123/model.gguf
    : >$repo/snapshots/def456/other.gguf
    refused 3 'abc123/model.gguf' env HF_HUB_CACHE="$PWD/hub" "$CHOIR_BIN" info -m some/model
    refused 3 'def456/other.gguf' env HF_HUB_CACHE="$PWD/hub" "$CHOIR_BIN" info -m some/model@def456
    refused 3 'abc123/model.gguf' env HF_HOME="$PWD" "$CHOIR_BIN" info -m some/model
    refused 4 'revision nope' env HF_HUB_CACHE="$PWD/hub" "$CHOIR_BIN" info -m some/model@nope
}
