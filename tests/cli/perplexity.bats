# choir perplexity.

load helper

# A text of 3,171 tokens of the built-in model, always the same.
make_text() {
    local i names=(Tom Anna "the old fox" "a little bird" Grandma) things=(apple boat lamp kite stone drum hat)
    for ((i = 0; i < 170; i++)); do
        printf 'Once upon a time %s found a %s near the %s. ' "${names[i % 5]}" "${things[i % 7]}" \
            "${things[(3 * i + 1) % 7]}"
        ((i % 4)) || printf '"What is it for?" asked %s, and nobody knew.\n' "${names[(i + 2) % 5]}"
    done >text
}

# near A B: within 0.5 percent.
near() {
    awk -v a="$1" -v b="$2" 'BEGIN { exit !(a > b * 0.995 && a < b * 1.005) }'
}

@test "perplexity: the numbers that llama.cpp gives for the built-in model" {
    need jq
    make_text
    [ "$(md5sum <text)" = "0ec956cd3b67b8447ff6e0ea6529f0c0  -" ]
    "$CHOIR_BIN" perplexity -f text -c 256 --json >half
    near "$(jq .perplexity half)" 170.0826
    near "$(jq .stderr half)" 21.54889
    "$CHOIR_BIN" perplexity -f text -c 768 --stride 100 --json >stride
    near "$(jq .perplexity stride)" 256.8142
}

@test "perplexity: one line, and the same in JSON" {
    need jq
    make_text
    run --separate-stderr "$CHOIR_BIN" perplexity -f text -c 128 --chunks 9
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [[ "$output" =~ ^'perplexity '([0-9.]+)' +/- '([0-9.]+)' (9 chunks of 128 tokens, 567 scored)'$ ]]
    "$CHOIR_BIN" perplexity -c 128 --chunks 9 --json <text >json
    [ "$(jq -r '.perplexity * 10000 | round' json)" -eq "$(tr -d . <<<"${BASH_REMATCH[1]}")" ]
    jq -e '(.nll | exp) / .perplexity - 1 | fabs < 1e-12' json
    jq -e '.perplexity * .nll_stderr / .stderr - 1 | fabs < 1e-12' json
    jq -e '.tokens == 567 and .chunks == 9 and .ctx == 128 and .stride == 0 and .text_tokens > 2000 and .seconds > 0' json
    [ "$(jq -r .model json)" = "(built-in)" ]
}

@test "perplexity: the same numbers for any threads, batch, block size and kernels" {
    need jq
    make_text
    want=$("$CHOIR_BIN" perplexity -f text -c 200 --chunks 3 --json | jq -c 'del(.seconds)')
    for flags in "-t 1" "-t 3" "-b 7" "-b 64 -t 2" "--kv-block 1" "--cpu reference"; do
        # shellcheck disable=SC2086
        [ "$("$CHOIR_BIN" perplexity -f text -c 200 --chunks 3 --json $flags | jq -c 'del(.seconds)')" = "$want" ]
    done
}

@test "perplexity: a text that is too short, and windows with nothing to score, are refused with numbers" {
    refused 6 'the text has 4 tokens; windows of 512 need at least 1024' "$CHOIR_BIN" perplexity -p 'Once upon a'
    refused 6 'the text has 1 tokens' "$CHOIR_BIN" perplexity -f /dev/null
    refused 2 'windows of 3 tokens' "$CHOIR_BIN" perplexity -p 'Once upon a time there was' -c 3
    refused 2 '--stride: 8 is not below the window of 8' "$CHOIR_BIN" perplexity -p 'Once upon a time' -c 8 --stride 8
    refused 2 'the model was made for at most' "$CHOIR_BIN" perplexity -f <(yes 'a b' | head -n 90000) -c 30000
    refused 2 'exclude each other' "$CHOIR_BIN" perplexity -p x --save-logits a --kl b
    "$CHOIR_BIN" perplexity -p 'Once upon a time there was a' -c 4
}

@test "perplexity --kl: a model beside itself is no way off, beside a smaller one some" {
    need jq
    make_text
    "$CHOIR_BIN" perplexity -f text -c 128 --chunks 6 --save-logits base >one
    [ "$(stat -c %s base)" -eq $((48 + 6 * (63 * 2048 * 4 + 8))) ]
    "$CHOIR_BIN" perplexity -f text --kl base --json >self
    jq -e '.kl | .mean == 0 and .max == 0 and .top1 == 1 and .delta_p_rms == 0 and .ppl_ratio == 1' self
    jq -e '.perplexity == .kl.base_perplexity and .ctx == 128 and .chunks == 6' self
    "$CHOIR_BIN" perplexity -f text --kl base --quant q4_0 --json >small
    jq -e '.kl | .mean > 0.001 and .min >= 0 and .min < .median and .median < .p90 and .p90 < .p95 and .p95 < .p99
                 and .p99 < .p99_9 and .p99_9 < .max and .top1 > 0.5 and .top1 < 1 and .stderr > 0' small
    jq -e '(.perplexity / .kl.base_perplexity - .kl.ppl_ratio) | fabs < 1e-12' small
    [ "$(jq .perplexity self)" = "$(jq .kl.base_perplexity small)" ]
    jq -c 'del(.seconds)' small >want
    "$CHOIR_BIN" perplexity -f text --kl base --quant q4_0 --json -t 1 -b 33 --cpu reference | jq -c 'del(.seconds)' | cmp - want
    run --separate-stderr "$CHOIR_BIN" perplexity -f text --kl base --quant q4_0
    [[ "$output" == *$'\ndivergence, mean'*' nats'* ]]
    [[ "$output" == *$'\nsame best token'* ]]
    # fewer chunks than the file has
    "$CHOIR_BIN" perplexity -f text --kl base --chunks 2 --json >two
    jq -e '.chunks == 2 and .kl.mean == 0 and .tokens == 126' two
}

@test "perplexity --kl with a stride" {
    need jq
    make_text
    "$CHOIR_BIN" perplexity -f text -c 128 --stride 32 --chunks 5 --save-logits base >/dev/null
    "$CHOIR_BIN" perplexity -f text --kl base --json >self
    jq -e '.kl.mean == 0 and .stride == 32 and .tokens == 160' self
    refused 3 'base: saved with a stride of 32, --stride is 16' "$CHOIR_BIN" perplexity -f text --kl base --stride 16
}

@test "perplexity --kl: a file of something else is refused" {
    make_text
    "$CHOIR_BIN" perplexity -f text -c 128 --chunks 4 --save-logits base >/dev/null
    refused 3 'base: saved with windows of 128 tokens, --ctx-size is 64' "$CHOIR_BIN" perplexity -f text --kl base -c 64
    refused 3 'base: has 4 chunks, --chunks is 5' "$CHOIR_BIN" perplexity -f text --kl base --chunks 5
    refused 3 'no stride, 0, --stride is 9' "$CHOIR_BIN" perplexity -f text --kl base --stride 9
    sed 's/fox/cat/' text >other
    refused 3 'base: saved from another text' "$CHOIR_BIN" perplexity -f other --kl base
    refused 4 'base2: No such file' "$CHOIR_BIN" perplexity -f text --kl base2
    refused 4 'Is a directory' "$CHOIR_BIN" perplexity -f text --kl .
    refused 3 'text: not a file of logits' "$CHOIR_BIN" perplexity -f text --kl text
    : >empty
    refused 3 'empty: not a file of logits' "$CHOIR_BIN" perplexity -f text --kl empty
    mkfifo pipe
    refused 4 'pipe: not a regular file' timeout 10 "$CHOIR_BIN" perplexity -f text --kl pipe
    need_stories
    refused 3 'saved with a vocabulary of 2048, the model has 512' "$CHOIR_BIN" perplexity "${model[@]}" -f text --kl base
}

@test "perplexity --kl: a damaged file is refused whole" {
    make_text
    "$CHOIR_BIN" perplexity -f text -c 64 --chunks 3 --save-logits base >/dev/null
    size=$(stat -c %s base)
    for n in 1 8 11; do
        head -c $n base >cut
        refused 3 'cut: not a file of logits' "$CHOIR_BIN" perplexity -f text --kl cut
    done
    for n in 12 47 48 1000 $((size - 8)) $((size - 1)); do
        head -c "$n" base >cut
        refused 3 'cut: truncated' "$CHOIR_BIN" perplexity -f text --kl cut
    done
    { cat base; echo; } >long
    refused 3 'long: too long' "$CHOIR_BIN" perplexity -f text --kl long
    flip() { # offset: one bit
        cp base flipped
        byte=$(od -An -tu1 -j "$1" -N 1 base)
        printf "\\x$(printf %x $((byte ^ 16)))" | dd of=flipped bs=1 seek="$1" conv=notrunc status=none
    }
    flip 0
    refused 3 'not a file of logits' "$CHOIR_BIN" perplexity -f text --kl flipped
    flip 8
    refused 3 'version 17 of the format' "$CHOIR_BIN" perplexity -f text --kl flipped
    for at in 12 16 20 24 28 32 40 47; do
        flip $at
        refused 3 'flipped: header: checksum mismatch' "$CHOIR_BIN" perplexity -f text --kl flipped
    done
    window=$((31 * 2048 * 4 + 8))
    for at in 48 $((48 + window - 1)); do
        flip $at
        refused 3 'flipped: chunk 1: checksum mismatch' "$CHOIR_BIN" perplexity -f text --kl flipped
    done
    flip $((48 + 2 * window + 777))
    refused 3 'flipped: chunk 3: checksum mismatch' "$CHOIR_BIN" perplexity -f text --kl flipped
    # also when only a part is asked for
    refused 3 'flipped: chunk 3: checksum mismatch' "$CHOIR_BIN" perplexity -f text --kl flipped --chunks 1
}

@test "perplexity --save-logits: whole or not at all" {
    make_text
    echo mine >kept
    mkdir folder
    refused 4 'folder: Is a directory' "$CHOIR_BIN" perplexity -f text -c 64 --chunks 2 --save-logits folder
    refused 4 'not a regular file' "$CHOIR_BIN" perplexity -f text -c 64 --chunks 2 --save-logits /dev/null
    refused 4 'No such file' "$CHOIR_BIN" perplexity -f text -c 64 --chunks 2 --save-logits nowhere/base
    (ulimit -f 8; refused 4 'kept: File too large' "$CHOIR_BIN" perplexity -f text -c 64 --chunks 2 --save-logits kept)
    [ "$(cat kept)" = mine ]
    [ -z "$(find . -name '*.tmp')" ]
    "$CHOIR_BIN" perplexity -f text -c 64 --chunks 2 --save-logits kept
    [ "$(stat -c %s kept)" -eq $((48 + 2 * (31 * 2048 * 4 + 8))) ]
}

@test "perplexity: Ctrl-C ends it with 130 and leaves nothing behind" {
    slow_model 16
    model=("${model[@]:0:4}")
    yes 'Once upon a time there was a fox. ' | head -n 3000 >long
    # a job of a script starts with SIGINT ignored
    env --default-signal=INT "$CHOIR_BIN" perplexity "${model[@]}" -f long -c 512 --save-logits base >out 2>err &
    pid=$!
    for ((i = 0; i < 200; i++)); do
        if ls -l /proc/$pid/fd | grep -qE '/base|/#[0-9]+ \(deleted'; then # the new file, with a name or without
            break
        fi
        sleep 0.05
    done
    [ "$i" -lt 200 ]
    sleep 0.3
    kill -INT $pid
    code=0
    wait $pid || code=$?
    [ $code -eq 130 ]
    [ ! -s out ]
    [ -z "$(ls | grep '^base')" ]
}
