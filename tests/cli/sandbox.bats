# --sandbox: the same bytes with it, and nothing can be opened.

load helper

# To tell of a type the sanitizer opens a pipe, and its leak checker makes a thread: the filter lets neither.
not_sanitized() {
    ! is_sanitized || skip "the sanitizers cannot work in the sandbox"
}

@test "generate, --jsonl, perplexity and complete give the same in the sandbox" {
    not_sanitized
    for flags in '' '--n-samples 3' '--speculate ngram --chat-template chatml --chat' '--beams 2 --json' '-t 2'; do
        choir generate -p 'Once upon' -n 12 -s 3 $flags >want
        choir generate -p 'Once upon' -n 12 -s 3 $flags --sandbox | cmp - want
    done
    printf '{"prompt": "Once", "id": 1}\n{"prompt": "The", "n": 2}\n{"bad"\n' >requests
    choir generate --jsonl -n 5 -s 1 <requests >want || [ $? -eq 3 ]
    choir generate --jsonl -n 5 -s 1 --sandbox <requests >got || [ $? -eq 3 ]
    cmp got want
    choir generate --jsonl -n 5 -s 1 --sandbox -f requests >got || [ $? -eq 3 ]
    cmp got want
    printf 'Once upon a time there was a cat. %.0s' {1..30} >text
    choir perplexity -f text -c 32 >want
    choir perplexity -f text -c 32 --sandbox | cmp - want
    printf 'Once\n/undo\n/alt 2\n1\nand\n' >lines
    choir complete -n 5 -s 1 <lines >want
    choir complete -n 5 -s 1 --sandbox <lines | cmp - want
}

@test "in the sandbox no file can be opened or made" {
    not_sanitized
    echo secret >file
    run --separate-stderr bash -c 'printf "Once\n/save made\n/load file\n/save made.kv\n/show\n" | "$0" complete "${@}" -n 2 -s 1 --sandbox' \
        "$CHOIR_BIN" "${model[@]}"
    [ "$status" -eq 0 ]
    [[ "$stderr" == *"made: Operation not permitted"* ]]
    [[ "$stderr" == *"file: Operation not permitted"* ]]
    [[ "$output" != *secret* ]]
    [ "$(ls)" = "$(printf 'file')" ]
}

@test "what would open a file later is refused, and -v tells what shuts" {
    not_sanitized
    refused 2 '--kv-save and --sandbox' choir generate -p x --sandbox --kv-save s.kv
    refused 2 '--kv-load and --sandbox' choir generate -p x --sandbox --kv-load s.kv
    echo text >text
    refused 2 '--save-logits and --sandbox' choir perplexity -f text --sandbox --save-logits base
    choir generate -p x -n 1 --sandbox -v 2>&1 >/dev/null | grep -q 'sandbox: seccomp'
}

@test "signals and a closed pipe end it as ever in the sandbox" {
    not_sanitized
    slow_model
    env --default-signal=INT "$CHOIR_BIN" generate "${model[@]}" -p x -n -1 --ignore-eos -s 1 --sandbox >out 2>err &
    pid=$!
    for ((i = 0; i < 200; i++)); do
        [ -s out ] && break
        sleep 0.05
    done
    kill -INT $pid
    wait $pid && code=0 || code=$?
    [ $code -eq 130 ]
    [ ! -s err ]
    run bash -c '"$0" "$@" | head -c 1 >/dev/null; exit ${PIPESTATUS[0]}' "$CHOIR_BIN" generate "${model[@]}" -p x -n -1 --ignore-eos --sandbox
    [ "$status" -eq 141 ]
}
