# Flags, values, suggestions, help.

load helper

@test "numbers are whole, decimal and in range" {
    refused 2 '-n: "-5" is not a whole number from -1 to 2147483647' choir generate -p x -n -5
    refused 2 '-n: "1e3" is not' choir generate -p x -n 1e3
    refused 2 '-n: "" is not' choir generate -p x -n ''
    refused 2 '-n: "+5" is not' choir generate -p x -n +5
    refused 2 '-n: " 5" is not' choir generate -p x -n ' 5'
    refused 2 '--max-tokens: "99999999999999999999" is not' choir generate -p x --max-tokens=99999999999999999999
    refused 2 '-c: "0x10" is not a whole number from 1' choir generate -p x -c 0x10
    refused 2 '-t: "0" is not a whole number from 1 to 1024' choir generate -p x -t 0
    refused 2 '-t: "100000" is not' choir generate -p x -t 100000
    refused 2 '-s: "18446744073709551616" is not a whole number from 0' choir generate -p x -s 18446744073709551616
    refused 2 '--kv-block: "24" is not a power of two from 1 to 256' choir generate -p x --kv-block 24
    refused 2 '--mem-limit: "1.5G"' choir generate -p x --mem-limit 1.5G
}

@test "real numbers are finite and in range" {
    refused 2 '--temp: "nan" must be a finite number, 0 or more' choir generate -p x --temp nan
    refused 2 '--temp: "-1" must be' choir generate -p x --temp -1
    refused 2 '--temp: "inf" must be' choir generate -p x --temp inf
    refused 2 '--temp: "1e99" must be' choir generate -p x --temp 1e99
    refused 2 '--temp: "0x1p3" must be' choir generate -p x --temp 0x1p3
    refused 2 '--top-p: "2" must be a number from 0 to 1' choir generate -p x --top-p 2
    refused 2 '--min-p: "-0.1" must be a number from 0 to 1' choir generate -p x --min-p -0.1
    refused 2 '--repeat-penalty: "0" must be a finite number above 0' choir generate -p x --repeat-penalty 0
    refused 2 '--logit-bias: "5" is not ID=B' choir generate -p x --logit-bias 5
}

@test "names are checked" {
    refused 2 '--cpu: "sse9" is none of: reference' choir generate -p x --cpu sse9
    refused 2 '--kv-type: "int3" is none of:' choir generate -p x --kv-type int3
    refused 2 '--quant: "q9" is none of:' choir generate -p x --quant q9
    refused 2 '--color: "red" is none of: auto always never' choir generate -p x --color red
    refused 2 'samplers' choir generate -p x --samplers 'top_k;foo'
    CHOIR_CPU=sse9 refused 2 'CHOIR_CPU: "sse9" is none of' choir generate -p x
}

@test "an unknown flag or command names the nearest" {
    refused 2 'unknown option --tmep; did you mean --temp?' choir generate --tmep 1
    refused 2 'unknown option --max-token; did you mean --max-tokens?' choir generate --max-token=1
    refused 2 'unknown option --zzzzzz (see choir generate --help)' choir generate --zzzzzz
    refused 2 'unknown option -Z' choir generate -Z
    refused 2 'unknown command genrate; did you mean generate?' "$CHOIR_BIN" genrate
    refused 2 'unknown command quantise; did you mean quantize?' "$CHOIR_BIN" quantise
    refused 2 'unknown command xyzzyx (see choir --help)' "$CHOIR_BIN" xyzzyx
    refused 2 'unknown command beads' "$CHOIR_BIN" help beads
}

@test "flags need their values, and only those" {
    refused 2 '-n needs a value: N' choir generate -p x -n
    refused 2 '--echo takes no value' choir generate --echo=1
    refused 2 '-p and -f exclude each other' choir generate -p x -f y
    refused 2 '--json and --ids exclude each other' choir tokenize -p x --json --ids
    refused 4 'choir: "": No such file or directory' choir tokenize -f ''
    refused 2 '-v and -q exclude each other' choir generate -p x -v -q
    refused 2 '--resume goes with --jsonl' choir generate -p x --resume out
    refused 2 '--n-seqs goes with --jsonl or --n-samples' choir generate -p x --n-seqs 2
    refused 2 '--jsonl and --json exclude each other' choir generate --jsonl --json
    refused 2 '--jsonl and -p exclude each other' choir generate --jsonl -p x
    refused 2 '--jsonl and --chat exclude each other' choir generate --jsonl --system x
    refused 2 '--n-samples: 129 (with --jsonl at most 128)' choir generate --jsonl --n-samples 129
    refused 2 'the string is empty' choir generate -p x --stop ''
    refused 2 'unexpected argument "Once": the prompt goes after -p' choir generate Once
    refused 2 'unexpected argument "-n"' choir generate -- -n
    refused 2 'quantize needs IN OUT' "$CHOIR_BIN" quantize x
}

@test "a short option takes its value attached too" {
    choir generate -pOnce -n5 -s7 >out
    choir generate -p Once -n 5 -s 7 | cmp - out
    refused 2 '-n: "5x" is not a whole number' choir generate -p x -n5x
    refused 2 '-n: the value of a short option follows without "="' choir generate -p x -n=5
    refused 2 'unknown option -temp; did you mean --temp?' choir generate -p x -temp=0
    refused 2 'unknown option -vq' choir generate -p x -vq
}

@test "generate on a terminal without a prompt says what to do" {
    need script
    run script -qec "'$CHOIR_BIN' generate" /dev/null
    [ "$status" -eq 2 ]
    [[ "$output" == *"no text: give -p TEXT or -f FILE"* ]]
}

@test "what arguments hold is escaped in messages, and cut" {
    refused 2 'unknown option --\x1b[2J\x0a\xff' choir generate $'--\e[2J\n\xff'
    refused 2 '...' choir generate "--$(printf 'a%.0s' {1..5000})"
    refused 4 'no\x1bsuch\x0afile: No such file or directory' choir generate -f $'no\esuch\nfile'
}

@test "--help of every command: stdout, exit 0, a screen; help NAME: the same or more, with every flag" {
    for name in complete generate bench tokenize info perplexity heads quantize; do
        run --separate-stderr "$CHOIR_BIN" "$name" --help
        [ "$status" -eq 0 ]
        [ -z "$stderr" ]
        [[ "$output" == "usage: choir $name"* ]]
        [ "${#lines[@]}" -le 24 ]
        [ "$output" = "$("$CHOIR_BIN" "$name" -n 3 -h --nonsense 2>/dev/null || "$CHOIR_BIN" "$name" -h)" ]
        printf '%s\n' "$output" >short
        "$CHOIR_BIN" help "$name" >all
        [ "$(LC_ALL=C.UTF-8 awk 'length > 79' short all | wc -l)" -eq 0 ]
        sed -nE 's/^ +(-.,)? +(--[a-z-]+) .*/\2/p' all | sort >every
        sed -nE 's/^[A-Z]?[a-z]* +(-.,)? +(--[a-z-]+) .*/\2/p' short | sort >common
        [ "$(wc -l <common)" -ge 5 ]
        [ -z "$(comm -23 common every)" ]
        if more=$(grep -oE '^[0-9]+ more: choir help [a-z]+' short); then
            [ "$more" = "$(comm -13 common every | wc -l) more: choir help $name" ]
        else
            cmp short all
        fi
    done
    for flag in --prompt --max-tokens --seed --model --temp; do
        "$CHOIR_BIN" generate --help | grep -qe " $flag "
    done
}

# value PLACEHOLDER: one that every flag with this placeholder takes.
value() {
    case $1 in
    N | N,.. | K) echo 1 ;;
    LIST) echo L0H0 ;;
    T | P | X) echo 0.5 ;;
    ID=B) echo 1=0.5 ;;
    TYPE) echo f16 ;;
    LEVEL) echo reference ;;
    BYTES) echo 4G ;;
    WHEN) echo auto ;;
    SWITCH) echo off ;;
    FORMAT) echo json ;;
    NAME) echo chatml ;;
    HOW) echo ngram:3 ;;
    TEXT | FILE | MODEL | OUT | STRING | ORDER) echo x ;;
    *) return 1 ;;
    esac
}

@test "every flag that --help lists is taken by its command, by its long and its short name" {
    for name in complete generate bench tokenize info perplexity heads quantize; do
        "$CHOIR_BIN" help "$name" >help
        "$CHOIR_BIN" "$name" --help >short
        sed -nE 's/^  (-.,|   ) --([a-z-]+)( ([A-Z][^ ]*))? +[^ ].*/\1|\2|\4/p' help >flags
        [ "$(wc -l <flags)" -eq "$(grep -c ' --' help)" ]
        [ -z "$(cut -d'|' -f2 flags | sort | uniq -d)" ]
        while IFS='|' read -r letter long argument; do
            echo "$name $letter --$long $argument"
            args=("--$long")
            [ -z "$argument" ] || args+=("$(value "$argument")")
            [[ "$letter" != -* ]] || args+=("${letter%,}" "${args[@]:1}")
            "$CHOIR_BIN" "$name" "${args[@]}" -h | cmp - short
            [ -z "$argument" ] || refused 2 "--$long needs a value: $argument" "$CHOIR_BIN" "$name" "--$long"
        done <flags
    done
}

@test "choir --help lists the commands there are and no others" {
    run --separate-stderr "$CHOIR_BIN" --help
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    for name in complete generate bench tokenize info perplexity heads quantize; do
        [[ "$output" == *"  $name "* ]]
    done
    [ "$output" = "$("$CHOIR_BIN" help)" ]
    [ "$("$CHOIR_BIN" -h | wc -l)" -le 24 ]
}

@test "--version" {
    run --separate-stderr "$CHOIR_BIN" --version
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [[ "$output" =~ ^choir\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
    [ "$("$CHOIR_BIN" -V)" = "$output" ]
    [ "$("$CHOIR_BIN" version)" = "$output" ]
}

@test "help into a full disk or a closed pipe is no success" {
    refused 4 'stdout: No space left on device' bash -c "'$CHOIR_BIN' --help >/dev/full"
    run bash -c "'$CHOIR_BIN' --help | true; echo \${PIPESTATUS[0]}"
    [[ "$output" == 0 || "$output" == 141 ]]
}
