# choir complete at a terminal, byte for byte: colours, escapes, what comes on which side of a pipe.

load helper
load terminal

escape=$'\e'

@test "the text comes in one colour, which is set once a turn: nothing is drawn twice" {
    at_terminal 'see:> ' 'send:Once upon a time\r' 'see:tok/s' 'see:> ' 'send:\x04' -- -n 30 -s 4
    [ $code -eq 0 ]
    [ "$(grep -o "$escape\[36m" log | wc -l)" -eq 1 ]
    text=$(choir generate -p 'Once upon a time' -n 30 -s 4)
    [[ "$(cat shown)" == *"$escape[36m$text"* ]]
    # what a turn writes besides the text: two codes around it, two around the line on its speed
    [ "$(sed -n "/36m/,/tok.s/p" log | grep -o "$escape" | wc -l)" -eq 4 ]
}

@test "NO_COLOR and --color never: no colours; a bracketed paste is the one mode that is set, and reset" {
    for flag in '' '--color never'; do
        NO_COLOR=${flag:+} at_terminal 'see:> ' 'send:Once\r' 'see:tok/s' 'see:> ' 'send:/nonsense\r' 'see:unknown' 'see:> ' 'send:\x04' -- \
            -n 4 -s 4 $flag
        [ $code -eq 0 ]
        if [ -z "$flag" ]; then
            continue
        fi
        ! grep -qE "$escape\[[0-9;]*[1-9][0-9;]*m" log || false
    done
    NO_COLOR=1 at_terminal 'see:> ' 'send:Once\r' 'see:tok/s' 'see:> ' 'send:\x04' -- -n 4 -s 4
    ! grep -qE "$escape\[[0-9;]*[1-9][0-9;]*m" log || false
    [ "$(grep -o "$escape\[?2004[hl]" log | tr -d '\n')" = "$escape[?2004h$escape[?2004l" ]
}

@test "TERM=dumb, and none: no escapes at all; the same turns" {
    for TERM_FOR_TEST in dumb unset; do
        [ $TERM_FOR_TEST != unset ] || { unset TERM; export TERM_FOR_TEST=; }
        TERM_FOR_TEST=${TERM_FOR_TEST:-dumb} at_terminal 'see:> ' 'send:Once upon a time\n' 'see:tok/s' 'see:> ' 'send:/top 2\n' \
            'see:%' 'see:> ' 'send:\t\n' 'see:tok/s' 'see:> ' 'send:\x04' -- -n 3 -s 1
        [ $code -eq 0 ]
        ! grep -q "$escape" log || false
        grep -q '^> ' shown
    done
}

@test "stdin is a terminal and stdout a pipe: the text alone goes there, prompts go to stderr" {
    sides=--out-pipe at_terminal 'see:> ' 'send:Once upon a time\n' 'see:> ' 'send:/show\n' 'see:> ' 'send:\x04' -- -n 9 -s 4
    [ $code -eq 0 ]
    ! grep -q "$escape" log || false
    text=$(choir generate -p 'Once upon a time' -n 9 -s 4)
    printf '%s\nOnce upon a time%s\n' "$text" "$text" | cmp - log.out
}

@test "stdin is a pipe and stdout a terminal: the text, no prompts, no escapes" {
    sides=--in-pipe at_terminal 'send:Once upon a time\n' -- -n 9 -s 4
    [ $code -eq 0 ]
    printf '%s\n' "$(choir generate -p 'Once upon a time' -n 9 -s 4)" | cmp - shown
}

@test "Ctrl-C in a text whose stdout is a pipe gives the prompt back" {
    slow_model
    sides=--out-pipe at_terminal 'see:> ' 'send:x\n' 'send:\x03' 'see:> ' 'send:/quit\n' -- -n -1 --ignore-eos -s 1
    [ $code -eq 0 ]
}

@test "what is typed while the model writes is not echoed into its text; it waits at the prompt" {
    slow_model
    at_terminal 'see:> ' 'send:x\r' 'see:\x1b[36m' 'send:typed ahead' 'see:tok/s' 'see:> ' 'see:typed ahead' 'send:\x15\x04' -- \
        -n 30 --ignore-eos -s 1
    [ $code -eq 0 ]
    [ "$(grep -ao 'typed ahead' log | wc -l)" -eq 1 ]
}

@test "a hangup ends it with 129 and leaves the history; SIGTERM resets what was set" {
    at_terminal 'see:> ' 'send:remember this\r' 'see:tok/s' 'see:> ' close: -- -n 2
    echo "code $code"
    [ $code -eq 129 ]
    grep -q 'remember.*this' state/choir/history
    at_terminal 'see:> ' 'send:half' 'see:half' kill:TERM -- -n 2
    [ $code -eq 143 ]
    [[ "$(tail -n 1 log)" == *"$escape[?2004l" ]]
}

@test "/quit, Ctrl-D on an empty line and the end of a line that is typed" {
    at_terminal 'see:> ' 'send:/quit\r' --
    [ $code -eq 0 ]
    at_terminal 'see:> ' 'send:\x04' --
    [ $code -eq 0 ]
}

@test "an unknown command names the nearest one, at the terminal too" {
    at_terminal 'see:> ' 'send:/sohw\r' 'see:did you mean /show?' 'see:> ' 'send:\x04' -- -n 0
    [ $code -eq 0 ]
}

# prompts FILE: the numbers of tokens that each turn had to compute, from -v.
prompts() {
    sed -n 's/^prompt \([0-9]*\) tokens.*/\1/p' "$1" | tr '\n' ' '
}

@test "nothing is computed twice: going on, typing, /undo, /redo" {
    need_stories
    printf 'Once upon a time\n\n and\n/undo\n\n/undo\n/redo\n\n/undo\n/undo\n the dog\n' |
        choir complete -n 8 -s 4 -v --no-prefix-cache >out 2>err
    new() { choir tokenize --ids --no-bos -p "$1" | wc -w; }
    first=$(choir tokenize --ids -p 'Once upon a time' | wc -w)
    # a turn computes the last token of the one before it, and what is typed
    [ "$(prompts err)" = "$first 1 $((1 + $(new and))) 1 1 $((1 + $(new 'the dog'))) " ]
}

@test "nothing is computed twice, whatever pieces the model drew: ids are kept as drawn" {
    need_stories
    # without the piece for "the" the model spells it; the tokenizer would not
    the=$(choir tokenize --ids --no-bos -p 'the')
    was=$(choir tokenize --ids --no-bos -p 'was')
    printf 'Once upon a time\n\n\n and\n\n' |
        choir complete -n 20 -s 4 -v --no-prefix-cache --logit-bias "${the%% *}=-inf" --logit-bias "${was%% *}=-inf" >out 2>err
    counts=($(prompts err))
    [ "${counts[*]:1:2}" = '1 1' ]
    [ "${counts[3]}" -le 4 ]
    [ "${counts[4]}" -eq 1 ]
}

@test "control characters that the model writes are shown, not acted upon; the text has them" {
    need_stories
    esc=$(choir tokenize --ids --no-bos -p $'\e' | awk '{print $NF}')
    at_terminal 'see:> ' 'send:Once\r' 'see:\\x1b' 'see:> ' 'send:/save out\r' 'see:> ' 'send:\x04' -- \
        -n 1 --status off --temp 0 --logit-bias "$esc=1000"
    [ $code -eq 0 ]
    printf 'Once\e' | cmp - out
}
