# choir complete: turns through a pipe.

load helper

@test "through a pipe: no prompts, no escapes, text and turns; the first turn is what generate gives" {
    printf 'Once upon a time\n' | choir complete -n 12 -s 4 >out 2>err
    [ ! -s err ]
    choir generate -p 'Once upon a time' -n 12 -s 4 >want
    echo >>want
    cmp want out
}

@test "an empty line goes on where the text ended" {
    need_stories
    printf 'Once upon a time\n\n\n' | choir complete -n 6 --temp 0 >out
    choir generate -p 'Once upon a time' -n 18 --temp 0 >want
    tr -d '\n' <out | cmp - want
}

@test "typing goes on from the text so far; /show, /undo, /redo" {
    need_stories
    printf 'Once upon a time\n The dog\n/show\n/undo\n/show\n/undo\n/undo\n/redo\n/redo\n/show\n/redo\n' |
        choir complete -n 6 --temp 0 >out 2>err
    one=$(choir generate -p 'Once upon a time' -n 6 --temp 0)
    two=$(choir generate -p "Once upon a time$one The dog" -n 6 --temp 0)
    whole="Once upon a time$one The dog$two"
    printf '%s\n' "$one" "$two" "$whole" "Once upon a time$one" "$whole" | cmp - out
    printf 'choir: /undo: this is the first state\nchoir: /redo: this is the last state\n' | cmp - err
}

@test "after /undo the next turn is another one" {
    printf 'One day\n/undo\nOne day\n' | choir complete -n 40 -s 4 >out
    choir generate -p 'One day' -n 40 -s 4 >first
    head -c "$(stat -c %s first)" out | cmp - first
    [ "$(tail -c +$(($(stat -c %s first) + 2)) out | head -c "$(stat -c %s first)")" != "$(cat first)" ]
}

@test "/set has the checks of the flags; names with _ and letters work" {
    printf '/set temp 0\n/set max_tokens 5\nOnce upon a time\n/set n 2\n\n' | choir complete >out
    choir generate -p 'Once upon a time' -n 7 --temp 0 >want
    tr -d '\n' <out | cmp - want
    printf '/set temp -1\n/set tmp 1\n/set nonsense 1\n/set ignore-eos maybe\n/set samplers foo\n/nonsense\n/hlp\n' |
        choir complete >out 2>err
    [ ! -s out ]
    grep -qx 'choir: temp: "-1" must be a finite number, 0 or more' err
    grep -qx 'choir: /set: unknown name tmp; did you mean temp?' err
    grep -qx 'choir: /set: unknown name nonsense' err
    grep -q 'ignore-eos: on or off' err
    grep -q 'unknown step "foo"' err
    grep -qx 'choir: unknown command /nonsense (see /help)' err
    grep -qx 'choir: unknown command /hlp; did you mean /help? (see /help)' err
    printf '/set seed 5\n/set stop a b\n/set\n' | choir complete >out
    grep -qE '^seed +5$' out
    grep -qE '^stop +"a b" *$' out
    grep -qE '^top-k +40$' out
}

@test "/save and /load, many lines between three quotes, a text that begins with a slash" {
    printf '"""one\n  two"""\n/save f\n' | choir complete -n 0
    printf 'one\n  two' | cmp - f
    printf '/load f\n/show\n/undo\n//x\n/show\n/load none\n/save\n' | choir complete -n 0 >out 2>err
    printf 'one\n  two\n/x\n' | cmp - out
    printf 'choir: none: No such file or directory\nchoir: /save needs a file\n' | cmp - err
    mkdir home
    printf 'here\n/save ~/kept\n/load f\n/load ~/kept\n/show\n' | HOME=$PWD/home choir complete -n 0 >out
    [ "$(cat home/kept)" = here ]
    [ "$(tail -n 1 out)" = here ]
}

@test "/save that fails leaves the file that was there" {
    echo old >f
    yes 'Once upon a time' | head -n 90 >long
    run --separate-stderr bash -c 'ulimit -f 1; printf "/load long\n/save f\n" | "$0" complete "$@"' "$CHOIR_BIN" -n 0
    [[ "$stderr" == *'choir: f: File too large'* ]]
    [ "$(cat f)" = old ]
    [ "$(ls)" = "$(printf 'f\nlong')" ]
}

@test "/top: the most likely tokens; greedy takes the first" {
    need_stories
    printf 'Once upon a time\n/top 3\n\n' | choir complete -n 5 --temp 0 >out
    [ "$(sed -n '2,4p' out | grep -cE '^ *[0-9.]+ %  +[0-9]+  .')" -eq 3 ]
    choir generate -p 'Once upon a time' -n 10 --temp 0 >want
    sed '2,4d' out | tr -d '\n' | cmp - want
}

@test "/alt: alternatives, and one of them picked" {
    printf 'Once upon a time\n/alt 2\n2\n/show\n/alt 2\nnone\n' | choir complete -n 9 -s 4 >out
    grep -q '^\[1\] ' out
    second=$(sed -n '/^\[2\] /{s/^\[2\] //;p;q}' out)
    [[ "$(cat out)" == *"$second"* ]]
    [ "$(grep -c '^\[1\] ' out)" -eq 2 ]
}

@test "/alt: the alternatives are those of any other run, together or not; nothing typed picks none" {
    need_stories
    printf 'Once upon a time\n/alt 16\n\n/show\n' | choir complete -n 9 -s 4 >out
    [ "$(grep -c '^\[[0-9]*\] ' out)" -eq 16 ]
    printf 'Once upon a time\n/alt 2\n\n/show\n' | choir complete -n 9 -s 4 -t 1 --kv-block 1 >two
    [ "$(grep '^\[[12]\] ' out)" = "$(grep '^\[[12]\] ' two)" ]
    [ "$(tail -n 1 out)" = "$(tail -n 1 two)" ]
}

@test "/undo and /redo are forks: what was computed is not computed again, and blocks are shared" {
    need_stories
    printf 'Once upon a time\n The dog\n/undo\n\n/undo\n/redo\n/blocks\n' |
        choir complete -n 20 -s 4 -v --no-prefix-cache >out 2>err
    # the last token of a turn is computed by the next one, so one is pending after /undo
    [ "$(sed -n 's/^prompt \([0-9]*\) tokens.*/\1/p' err | tail -n 1)" -eq 1 ]
    grep -qE '^[0-9]+ blocks of 16 tokens: [0-9]+ held, 0 cached, [0-9]+ free' out
    grep -qE '^text +[0-9]+ tokens \[0(-[0-9]+)?\]x3 ' out
    grep -qE '^> state 2 +[0-9]+ tokens ' out
    [ "$(awk '{ if (length > 80) print }' out | grep -c ' tokens ')" -eq 0 ]
}

@test "/undo when the pool was too small to hold every state: the same texts, computed again" {
    need_stories
    for i in 1 2 3 4 5 6; do
        echo ' and'
    done >turns
    undo=$(printf '/undo\n%.0s' 1 2 3)
    { echo 'Once upon a time'; cat turns; echo "$undo"; echo; echo /show; } >script
    choir complete -n 8 -s 4 --temp 0 <script >want
    choir complete -n 8 -s 4 --temp 0 -c 80 --kv-block 1 <script | cmp - want
    choir complete -n 8 -s 4 --temp 0 -c 80 --kv-block 64 <script | cmp - want
    choir complete -n 8 -s 4 --temp 0 --no-prefix-cache <script | cmp - want
}

@test "/top after /undo: the tokens of the text as it is" {
    need_stories
    printf 'Once upon a time\n/top 3\n' | choir complete -n 5 --temp 0 >want
    printf 'Once upon a time\n The dog\n/undo\n/top 3\n/show\n' | choir complete -n 5 --temp 0 >out
    [ "$(sed '2d;$d' out)" = "$(cat want)" ]
}

@test "/alt has room until the context is full, and from a full one it says so" {
    printf 'Once upon a time there was a\n/alt 2\n1\n/alt 3\n1\n/alt\n1\n/alt\n1\n/alt\n' |
        choir complete -c 32 -n 8 -s 1 --ignore-eos >out 2>err
    cat err
    [ -z "$(grep -vE '^choir: (warning: the context is full|prompt is [0-9]+ tokens, context is 32.*)$' err)" ]
    [ "$(grep -c '^\[1\] ' out)" -ge 2 ]
    [ "$(grep -c '^\[3\] ' out)" -ge 1 ]
}

# draws_bytes TEXT: options that make the model write TEXT's bytes, each as its own token; TEXT is one character
# that is not in the vocabulary.
draws_bytes() {
    local ids bias=1000
    read -ra ids <<<"$(choir tokenize --ids --no-bos -p "$1")"
    drawn=(--temp 0 --presence-penalty 900)
    for id in "${ids[@]: -$(printf %s "$1" | wc -c)}"; do
        drawn+=(--logit-bias "$id=$bias")
        bias=$((bias - 100))
    done
}

@test "a character that the length limit cuts is not kept; a U+FFFD that the model writes is" {
    draws_bytes 😀
    for n in 1 2 3; do
        printf 'One\n/show\n' | choir complete "${drawn[@]}" -n $n >out
        [ "$(tail -n 1 out)" = One ]
    done
    printf 'One\n/show\n' | choir complete "${drawn[@]}" -n 4 >out
    [ "$(tail -n 1 out)" = One😀 ]
    draws_bytes $'\uFFFD'
    printf 'One\n/show\n' | choir complete "${drawn[@]}" -n 3 >out
    [ "$(tail -n 1 out)" = $'One\uFFFD' ]
}

@test "/help lists what there is" {
    run --separate-stderr bash -c 'echo /help | "$0" complete "$@"' "$CHOIR_BIN" "${model[@]}"
    for name in undo redo alt blocks top set show save load help quit; do
        [[ "$output" == *"  /$name "* ]]
    done
    [ "${#lines[@]}" -le 20 ]
    [ "$(awk 'length > 79' <<<"$output" | wc -l)" -eq 0 ]
}

@test "/quit and the end of input end it with 0; an empty text is told" {
    printf '/quit\n/show\nnever read\n' | choir complete >out
    [ ! -s out ]
    choir complete </dev/null
    printf 'Once' | choir complete -n 3 >out # a last line without a newline counts
    [ -s out ]
    refused 2 '-f -: complete reads' choir complete -f -
    refused 4 'stdin: Is a directory' bash -c '"$0" complete "$@" </' "$CHOIR_BIN" "${model[@]}"
}

@test "a line that is no UTF-8 or too long is refused, and the text stays" {
    printf 'One\n\xff\n/show\n' | choir complete -n 0 >out 2>err
    grep -q 'invalid UTF-8 at byte 0' err
    [ "$(cat out)" = One ]
    { echo One; printf 'word %.0s' {1..100}; printf '\n/show\n'; } | choir complete -n 0 -c 32 >out 2>err
    grep -q 'context is 32' err
    [ "$(cat out)" = One ]
}

@test "a refused line is no state: /redo has what it had before" {
    { printf 'One\n two\n/undo\n'; printf 'word %.0s' {1..100}; printf '\n/show\n/redo\n/show\n/redo\n'; } |
        choir complete -n 0 -c 32 >out 2>err
    printf 'One\nOne two\n' | cmp - out
    [ "$(sed -n '$p' err)" = 'choir: /redo: this is the last state' ]
    [ "$(wc -l <err)" -eq 2 ]
}

@test "an empty line to which nothing comes is no state" {
    printf 'One\n\n/redo\n/undo\n/undo\n' | choir complete -n 0 2>err
    printf 'choir: /redo: this is the last state\nchoir: /undo: this is the first state\n' | cmp - err
}

@test "errors of stdout end it: 4 and 141" {
    run -4 --separate-stderr bash -c 'echo x | "$0" complete "$@" >/dev/full' "$CHOIR_BIN" "${model[@]}" -n 3
    [ "$stderr" = 'choir: stdout: No space left on device' ]
    run -141 bash -c 'yes | "$0" complete "$@" | head -c 5 >/dev/null; exit ${PIPESTATUS[1]}' "$CHOIR_BIN" "${model[@]}" -n 3
}

@test "/set logit-bias is held against the model, and cleared without a value or with none" {
    need_stories
    printf '/set logit-bias 99999=1\nOnce\n' | choir complete -n 4 --temp 0 >out 2>err
    grep -q 'id 99999 is not below' err
    [ "$(wc -l <err)" -eq 1 ]
    printf 'Once\n' | choir complete -n 4 --temp 0 | cmp - out
    for none in '' ' none'; do
        printf '/set logit-bias 5=50\n/set logit-bias%s\nOnce\n' "$none" | choir complete -n 4 --temp 0 | cmp - out
    done
}

@test "/load refuses a text that is too long at once, and the text so far stays" {
    need_stories
    printf 'word %.0s' {1..600} >long
    printf 'Once\n/load long\n/show\n' | choir complete -n 4 --temp 0 >out 2>err
    grep -qE '^choir: long: [0-9]+ tokens, the context is 512$' err
    printf 'Once\n/show\n' | choir complete -n 4 --temp 0 | cmp - out
}

@test "the end of input closes a block" {
    printf '"""Once\nupon' | choir complete -n 0 >out
    printf '"""Once\nupon"""\n' | choir complete -n 0 | cmp - out
    printf '"""Once\nupon' | choir complete -n 6 --temp 0 >out
    printf '"""Once\nupon"""\n' | choir complete -n 6 --temp 0 | cmp - out
    [ -s out ]
}

@test "/save and /load of FILE.kv keep the text with its cache" {
    printf 'Once upon a time\n/save s.kv\n/show\n' | choir complete -n 10 -s 1 --ignore-eos >one
    printf '/load s.kv\n/show\n/undo\n/redo\n\n' | choir complete -n 10 -s 1 --ignore-eos -v >two 2>err
    head -c 16 two | grep -q 'Once upon a time'
    grep -q 'prompt 1 tokens' err
    printf '/load s.kv\n' | choir complete --kv-type f32 2>&1 | grep -q 's.kv: saved with f16'
}
