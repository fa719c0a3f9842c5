# What goes where, and what happens when it cannot.

load helper

@test "stdout has the text alone, stderr nothing, in a pipe" {
    run --separate-stderr choir generate -p 'Once upon a time' -n 20 -s 1
    [ "$status" -eq 0 ]
    [ -n "$output" ]
    [[ "$output" != *"Once upon a time"* ]]
    [ -z "$stderr" ]
}

@test "the text is continued byte for byte, with no newline at the end" {
    need_stories
    choir generate -p 'Once upon a time' -n 300 --temp 0 --echo >out
    n=$(stat -c %s out)
    head -c "$n" "$stories/expected_greedy.txt" | head -c 400 >want
    head -c 400 out | cmp - want
    choir generate -p 'Once upon a time' -n 5 --temp 0 >out
    printf ', there was a little' | cmp - out
}

@test "-v: model, kernels, context, memory, seed and the line of timings on stderr, the same text on stdout" {
    choir generate -p 'Once upon' -n 10 -s 7 >plain
    choir generate -p 'Once upon' -n 10 -s 7 -v >out 2>err
    cmp plain out
    grep -q '^model ' err
    grep -q '^kernels .* thread' err
    grep -q '^memory: weights .* keys and values .* activations .* total .* free ' err
    grep -qx 'seed 7' err
    grep -qE '^prompt [0-9]+ tokens, [0-9.]+ ms, [0-9.]+ tok/s; generated [0-9]+ tokens, [0-9.]+ ms, [0-9.]+ tok/s; first token [0-9.]+ ms$' err
    ! grep -q $'\e' err || false
}

@test "no escape code reaches a pipe, whatever is asked for" {
    CLICOLOR_FORCE=1 TERM=xterm-256color choir generate -p x -n 3 -v --color always >out 2>err
    ! grep -q $'\e' out err || false
    run -2 --separate-stderr env CLICOLOR_FORCE=1 "$CHOIR_BIN" generate --color=always --foo
    [[ "$stderr" != *$'\e'* ]]
}

@test "colours on a terminal: NO_COLOR, TERM=dumb, CLICOLOR_FORCE, --color" {
    need script
    shown() { script -qec "$1" /dev/null </dev/null | tr -d '\r'; }
    bad="'$CHOIR_BIN' generate --foo"
    [[ "$(shown "TERM=xterm $bad")" == *$'\e['* ]]
    [[ "$(shown "TERM=xterm NO_COLOR=1 $bad")" != *$'\e'* ]]
    [[ "$(shown "TERM=dumb $bad")" != *$'\e'* ]]
    [[ "$(shown "TERM=dumb CLICOLOR_FORCE=1 $bad")" == *$'\e['* ]]
    [[ "$(shown "TERM=xterm '$CHOIR_BIN' generate --color never --foo")" != *$'\e'* ]]
}

@test "on a terminal: a final newline, one line of timings; -q leaves it out" {
    need script
    flags=("${model[@]}" -p "'Once upon'" -n 4 -s 1)
    run script -qec "TERM=dumb '$CHOIR_BIN' generate ${flags[*]}; echo end" /dev/null
    [[ "${lines[-2]}" == "prompt "* ]]
    [[ "${lines[-1]}" == end* ]]
    [ "${#lines[@]}" -ge 3 ]
    run script -qec "TERM=dumb '$CHOIR_BIN' generate -q ${flags[*]}; echo end" /dev/null
    [[ "$output" != *"prompt "* ]]
    [[ "${lines[-1]}" == end* ]]
}

@test "/dev/full, a closed stdout, a closed stdin" {
    refused 4 'stdout: No space left on device' bash -c '"$0" "$@" >/dev/full' "$CHOIR_BIN" generate "${model[@]}" -p x -n 3
    refused 4 'stdout: Bad file descriptor' bash -c '"$0" "$@" >&-' "$CHOIR_BIN" generate "${model[@]}" -p x -n 3
    refused 4 'stdin: Bad file descriptor' bash -c '"$0" "$@" <&-' "$CHOIR_BIN" generate "${model[@]}" -n 3
    for command in tokenize info bench; do
        refused 4 'stdout: No space left on device' bash -c '"$0" "$@" >/dev/full' "$CHOIR_BIN" $command "${model[@]}" \
            $([ $command = tokenize ] && echo -p x) $([ $command = bench ] && echo -p 4 -n 0 -r 1)
    done
}

@test "a closed stderr loses nothing of stdout" {
    choir generate -p x -n 5 -s 1 >want
    choir generate -p x -n 5 -s 1 -v >out 2>&-
    cmp want out
}

@test "a reader that goes away ends it quietly with 141" {
    run --separate-stderr bash -c '"$0" "$@" | head -c 10 >/dev/null; exit ${PIPESTATUS[0]}' \
        "$CHOIR_BIN" generate "${model[@]}" -p x -n -1 --ignore-eos --n-samples 1000000
    [ "$status" -eq 141 ]
    [ -z "$stderr" ]
}

@test "a slow reader gets everything, also through a non-blocking pipe" {
    choir generate -p x -n 40 -s 1 >want
    choir generate -p x -n 40 -s 1 | (sleep 0.3; cat) | cmp - want
}

@test "the text is flushed token by token" {
    slow_model
    mkfifo pipe
    choir generate -p x -n -1 --ignore-eos >pipe &
    pid=$!
    exec 9<pipe
    timeout 20 head -c 1 <&9 >first # comes long before the 2,000 tokens are done
    [ "$(stat -c %s first)" -eq 1 ]
    kill -0 $pid
    exec 9<&-
    wait $pid || [ $? -eq 141 ]
}

# packets ARGS...: choir's stdout through a pipe that keeps writes apart; one line for each, as JSON.
packets() {
    cat >packets.py <<'END'
import json, os, subprocess, sys
r, w = os.pipe2(os.O_DIRECT)
child = subprocess.Popen(sys.argv[1:], stdout=w, stdin=subprocess.DEVNULL)
os.close(w)
while data := os.read(r, 65536):
    print(json.dumps(data.decode("utf-8")))  # a part of a character is an exception
sys.exit(child.wait())
END
    python3 packets.py "$CHOIR_BIN" "$@"
}

@test "each token is one write, at once; no write ends within a character" {
    need_stories
    need python3 jq
    python3 -c 'import os; os.pipe2(os.O_DIRECT)' || skip 'no pipes that keep writes apart'
    packets generate "${model[@]}" -p 'Once upon a time' -n 30 --temp 0 >writes
    [ "$(wc -l <writes)" -eq 30 ]
    choir generate -p 'Once upon a time' -n 30 --temp 0 --json --logprobs 0 | jq -c '.choices[0].logprobs.tokens[]' | cmp - writes
    # tokens that are bytes: e9, then the two of a character, three of one that is cut by the end
    slow_model
    packets generate "${model[@]}" -p x -n 300 --ignore-eos -s 1 >writes
    [ "$(wc -l <writes)" -gt 100 ]
    jq -j . writes >joined
    choir generate -p x -n 300 --ignore-eos -s 1 | cmp - joined
    grep -q '\\u' writes # some are not ASCII
}

@test "a reader that goes away ends the other commands with 141, too" {
    yes 'one two three four' | head -c 300000 >long
    for command in 'tokenize -f long' 'tokenize --json -f long' 'generate -n 0 --echo -f small'; do
        head -c 100 long >small
        # shellcheck disable=SC2086
        run --separate-stderr bash -c 'trap "" PIPE; { sleep 0.2; "$0" "$@"; echo $? >code; } | true' "$CHOIR_BIN" ${command%% *} "${model[@]}" ${command#* }
        [ "$(cat code)" = 141 ]
        [ -z "$stderr" ]
    done
}

@test "a prompt that is too long names a context that is enough" {
    need jq
    printf 'word %.0s' {1..60} >prompt
    refused 6 'tokens, context is 16; raise --ctx-size to ' choir generate -f prompt -c 16
    n=$(sed -E 's/.*prompt is ([0-9]+) tokens.*/\1/' <<<"$stderr")
    [ "$n" -eq "$(choir tokenize -f prompt --ids | wc -w)" ]
    [[ "$stderr" == *"--ctx-size to $((n + 1))" ]]
    choir generate -f prompt -c $((n + 1)) -n 1 --ignore-eos >out
    [ -s out ]
    choir generate -f prompt -c $((n + 1)) -n -1 --ignore-eos --json >out
    jq -e '.choices[0].finish_reason == "length"' out
    yes 'one two three' | head -c 20000 >prompt
    refused 6 ', all that the model was made for; --infinite takes any' choir generate -f prompt
    choir generate -f prompt --infinite -n 1 --ignore-eos >out
    [ -s out ]
}

@test "-- ends the flags, and an empty CHOIR_MODEL is none" {
    need_stories
    cp "$stories/stories260K.bin" ./-z.bin
    cp "$stories/tok512.model" tokenizer.model
    "$CHOIR_BIN" info -- -z.bin | grep -q llama2.c
    refused 2 'unknown option -z.bin' "$CHOIR_BIN" info -z.bin
    CHOIR_MODEL= "$CHOIR_BIN" info | grep -q built-in
    printf 'Once' | CHOIR_MODEL=./-z.bin "$CHOIR_BIN" >out # alone in a pipe
    [ -s out ]
    head -c 4 out | grep -qv Once
}

@test "stdin: read when it is no terminal; -f -, -f FILE and -p give the same" {
    choir generate -p 'Once upon' -n 10 -s 3 >want
    echo 'Once upon' | choir generate -n 10 -s 3 | cmp - want
    printf 'Once upon' | choir generate -n 10 -s 3 -f - | cmp - want
    echo 'Once upon' >file
    choir generate -n 10 -s 3 -f file | cmp - want
    echo 'other text' | choir generate -n 10 -s 3 -p 'Once upon' | cmp - want
    echo 'Once upon' | "$CHOIR_BIN" "${model[@]}" -n 10 -s 3 | cmp - want # no command, in a pipe
}

@test "one final newline is dropped, --raw keeps it" {
    [ "$(printf 'a b\n\n' | choir generate -n 0 --echo | od -An -c | tr -d ' \n')" = 'ab\n' ]
    [ "$(printf 'a b\n\n' | choir generate -n 0 --echo --raw | od -An -c | tr -d ' \n')" = 'ab\n\n' ]
}

@test "an empty stdin is an empty prompt" {
    choir generate -n 8 -s 2 </dev/null >out
    [ -s out ]
    choir generate -n 8 -s 2 -p '' | cmp - out
    [ "$(head -c 1 out)" != ' ' ]
}

@test "stdin that cannot be read" {
    refused 4 'stdin: Is a directory' bash -c '"$0" "$@" </' "$CHOIR_BIN" generate "${model[@]}"
    refused 4 'none: No such file or directory' choir generate -f none
    refused 4 '/: Is a directory' choir generate -f /
}

@test "invalid UTF-8 is refused with its offset, --lossy replaces it" {
    for bytes in '\xff' '\xc0\x80' '\xed\xa0\x80' '\xf4\x90\x80\x80' '\xe2\x82'; do
        printf "0123456789abcdefg$bytes" >bad
        refused 6 'stdin: invalid UTF-8 at byte 17' bash -c '"$0" "$@" <bad' "$CHOIR_BIN" generate "${model[@]}"
    done
    refused 6 'bad: invalid UTF-8 at byte 17' choir generate -f bad
    refused 6 '-p: invalid UTF-8 at byte 1' choir generate -p $'a\xffb'
    [ "$(choir generate -p $'a\xffb' --lossy --echo -n 0)" = $'a\xef\xbf\xbdb' ]
}

@test "NUL and any other character go through a prompt" {
    printf 'a\0b\xc3\xa9\xf0\x9f\x98\x80' >prompt
    choir generate -n 0 --echo -f prompt | cmp - prompt
    choir tokenize --ids -f prompt | choir tokenize --decode | cmp - prompt
}

@test "a prompt above 1 GiB is refused" {
    [ "$(awk '/MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo)" -ge 4 ] || skip 'less than 4 GiB free'
    refused 6 'stdin: prompt larger than 1073741824 bytes' bash -c '"$0" "$@" </dev/zero' "$CHOIR_BIN" generate "${model[@]}"
}

@test "a FIFO is read as a prompt, and not waited for in the hub's cache" {
    choir tokenize -f <(printf 'Once upon') >out
    choir tokenize -p 'Once upon' | cmp - out
    mkdir -p hub/models--a--b/refs hub/models--a--b/snapshots
    mkfifo hub/models--a--b/refs/f
    HF_HUB_CACHE=$PWD/hub refused 4 'revision f is not in' timeout 10 "$CHOIR_BIN" info a/b@f
}

@test "a stdin that is non-blocking is waited for" {
    need python3
    cat >feed <<'END'
import os, subprocess, sys, time
r, w = os.pipe()
os.set_blocking(r, False)
child = subprocess.Popen(sys.argv[1:], stdin=r)
os.close(r)
time.sleep(0.3)
os.write(w, b"Once\n")
time.sleep(0.3)
os.close(w)
sys.exit(child.wait())
END
    python3 feed "$CHOIR_BIN" tokenize "${model[@]}" >out
    choir tokenize -p Once | cmp - out
    python3 feed "$CHOIR_BIN" complete "${model[@]}" -n 4 --temp 0 >out
    printf 'Once\n' | choir complete -n 4 --temp 0 | cmp - out
}
