# choir quantize.

load helper

@test "a model in, a GGUF file out that generates; -v says so" {
    need_stories
    cp "$stories/stories260K.bin" .
    cp "$stories/tok512.model" tokenizer.model
    run --separate-stderr "$CHOIR_BIN" quantize stories260K.bin small.gguf q8_0
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [ "$stderr" = "choir: warning: 172 columns are no multiple of 32: 5 matrices not quantized" ]
    cp small.gguf kept.gguf
    refused 2 'small.gguf: is the model to be read; give the new file another name' "$CHOIR_BIN" quantize small.gguf small.gguf q4_0
    cmp small.gguf kept.gguf
    rm kept.gguf
    [ "$(stat -c %s small.gguf)" -lt "$(stat -c %s stories260K.bin)" ]
    "$CHOIR_BIN" generate -m small.gguf -p 'Once upon a time' -n 5 --temp 0 >out
    printf ', there was a little' | cmp - out
    "$CHOIR_BIN" quantize stories260K.bin again.gguf -v 2>err
    grep -qx 'again.gguf: written, q8_0' err
    cmp small.gguf again.gguf
    rm tokenizer.model
    "$CHOIR_BIN" quantize stories260K.bin again.gguf --tokenizer "$stories/tok512.model"
    cmp small.gguf again.gguf
    [ "$(ls | wc -l)" -eq 5 ] # no temporary file is left
}

@test "what is refused leaves no file" {
    refused 2 'TYPE: "q9" is none of:' "$CHOIR_BIN" quantize in out.gguf q9
    refused 2 'quantize needs IN OUT.gguf' "$CHOIR_BIN" quantize in
    refused 2 'unexpected argument "d"' "$CHOIR_BIN" quantize a b c d
    refused 4 'none: No such file' "$CHOIR_BIN" quantize none out.gguf
    printf 'GGUF' >bad.gguf
    refused 3 'bad.gguf' "$CHOIR_BIN" quantize bad.gguf out.gguf
    [ ! -e out.gguf ]
    [ "$(ls | wc -l)" -eq 1 ]
    need_stories
    cp "$stories/stories260K.bin" .
    cp "$stories/tok512.model" tokenizer.model
    refused 4 'No such file' "$CHOIR_BIN" quantize -q stories260K.bin none/out.gguf
}

@test "a file size limit is an error like a full disk" {
    need_stories
    cp "$stories/stories260K.bin" .
    cp "$stories/tok512.model" tokenizer.model
    refused 4 'File too large' bash -c "ulimit -f 10; '$CHOIR_BIN' quantize -q stories260K.bin big.gguf f32"
    [ "$(ls | wc -l)" -eq 2 ]
}

@test "a model without a tokenizer: a warning" {
    need_stories
    cp "$stories/stories260K.bin" .
    run --separate-stderr "$CHOIR_BIN" quantize stories260K.bin small.gguf
    [ "$status" -eq 0 ]
    [[ "$stderr" == "choir: warning: no tokenizer found"* ]]
    run --separate-stderr "$CHOIR_BIN" quantize stories260K.bin small.gguf -q
    [ -z "$stderr" ]
}

@test "mixes of types, in any case; what cannot be had is said in one line" {
    run --separate-stderr "$CHOIR_BIN" generate --quant q4_0 -n 1 --temp 0 -p 'Once upon a'
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    run --separate-stderr "$CHOIR_BIN" generate --quant Q4_K_M -n 1 --temp 0 -p 'Once upon a'
    [ "$status" -eq 0 ]
    [ "$stderr" = "choir: warning: 192 columns are no multiple of 256: 34 matrices q5_0 instead of q4_K, 2 q8_0 instead of q6_K" ]
    run "$CHOIR_BIN" generate --quant iq4_nl
    [ "$status" -eq 2 ]
    "$CHOIR_BIN" info | grep -E '^types +q8_0 9[0-9]\.[0-9] %, f32 '
    "$CHOIR_BIN" info --json | grep -q '"types": *"q8_0 '
}

@test "any number of threads makes the same file; --pure is one type for all" {
    need_stories
    cp "$stories/stories260K.bin" in.bin
    cp "$stories/tok512.model" tokenizer.model
    "$CHOIR_BIN" quantize -q in.bin one.gguf q4_0 -t 1
    "$CHOIR_BIN" quantize -q in.bin five.gguf q4_0 -t 5
    cmp one.gguf five.gguf
    "$CHOIR_BIN" info one.gguf | grep -E '^types .*q8_0' # the output matrix
    "$CHOIR_BIN" quantize -q in.bin pure.gguf q4_0 --pure
    "$CHOIR_BIN" info pure.gguf | grep -E '^types .*q4_0'
    run "$CHOIR_BIN" info pure.gguf
    [[ "$output" != *q8_0* ]]
}

# begin_then SIGNAL: quantizes slow.bin over out.gguf and sends the signal as soon as the temporary file is there.
begin_then() {
    "$CHOIR_BIN" quantize -q slow.bin out.gguf q6_K -t 1 &
    local pid=$! i
    for ((i = 0; i < 1000; i++)); do
        ls -l /proc/$pid/fd 2>/dev/null | grep -qE "out.gguf.*(deleted|.tmp)|/#[0-9]+ \(deleted" && break
        sleep 0.01
    done
    kill -s "$1" $pid
    status=0
    wait $pid || status=$?
}

@test "killed or interrupted in the middle: the old file stays" {
    slow_model 48
    printf old >out.gguf
    begin_then KILL
    [ "$status" -eq 137 ]
    [ "$(cat out.gguf)" = old ]
    rm -f out.gguf.*.tmp
    begin_then TERM
    [ "$status" -eq 143 ]
    [ "$(cat out.gguf)" = old ]
    [ "$(ls)" = "$(printf 'out.gguf\nslow.bin')" ] # a signal that can be caught leaves no temporary file either
}

@test "a bar with bytes and rate on a terminal, nothing in a pipe" {
    need script
    slow_model 48
    TERM=xterm script -qec "'$CHOIR_BIN' quantize slow.bin out.gguf q6_K -t 1" /dev/null </dev/null >screen
    grep -aqE "quantizing \\[=*.* of [0-9]+ MiB, [0-9]+ MiB/s" screen
    run --separate-stderr "$CHOIR_BIN" quantize slow.bin out.gguf q8_0 -t 1
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [[ "$stderr" != *MiB* ]]
}

@test "the file that stdout goes to is not replaced" {
    need_stories
    echo kept >log
    run bash -c '"$0" quantize -q --tokenizer "$1/tok512.model" "$1/stories260K.bin" /dev/stdout q8_0 2>err >>log' "$CHOIR_BIN" "$stories"
    [ "$status" -eq 4 ]
    [ "$(cat log)" = kept ]
    grep -q 'stdout or stderr goes there$' err
    run bash -c '"$0" generate -p x -n 1 -q --kv-save /dev/stdout 2>err >>log' "$CHOIR_BIN"
    [ "$status" -eq 4 ]
    [[ "$(cat log)" == kept* ]]
}
