# What does not fit into memory: told in one line with the account, and with flags that then work.

load helper

# advised COMMAND ARGS...: the command is refused for want of memory; each flag that the message names makes it work.
# The flags are left in $flags, one a line.
advised() {
    refused 5 '; this fits: ' "$@"
    [[ "$stderr" == *needs*": weights "*", keys and values "*" tokens, activations "*" allowed by --mem-limit; "* ]]
    flags=$(sed 's/.*this fits: //; s/ or /\n/g' <<<"$stderr")
    local flag
    while read -r flag; do
        echo "tried: $flag"
        # shellcheck disable=SC2086
        run --separate-stderr "$@" $flag # a flag given twice: the last one counts
        echo "status $status, stderr [$stderr]"
        [ "$status" -eq 0 ]
    done <<<"$flags"
}

@test "a context that does not fit: -c, -b, --kv-type and --mem-limit that do" {
    need_stories
    advised choir generate -p x -n 1 -c 512 --mem-limit 2M -q
    [[ "$flags" == *"-c "* && "$flags" == *"-b "* && "$flags" == *"--mem-limit "* ]]
    account=$(choir info --json -c 512 -b 16 | jq -r .memory.total)
    advised choir generate -p x -n 1 -c 512 -b 16 --mem-limit $((account - 10000)) -q
    [[ "$flags" == *"--kv-type q8_0"* ]]
    account=$(choir info --json -c 512 -b 16 --kv-type f32 | jq -r .memory.total)
    advised choir generate -p x -n 1 -c 512 -b 16 --kv-type f32 --mem-limit $((account - 10000)) -q
    [[ "$flags" == *"--kv-type f16"* ]]
    # the number is the largest
    n=$(sed -n 's/^-c //p' <<<"$flags")
    choir generate -p x -n 1 -c "$n" -b 16 --kv-type f32 --mem-limit $((account - 10000))
    refused 5 'this fits' choir generate -p x -n 1 -c $((n + 1)) -b 16 --kv-type f32 --mem-limit $((account - 10000))
}

@test "a short context that nobody asked for is told of, and -b makes it longer" {
    need_stories
    choir generate -p x -n 1 --mem-limit 1800K -v >out 2>err
    n=$(sed -nE 's/^choir: warning: memory has room for a context of ([0-9]+) tokens only; a smaller -b .*/\1/p' err)
    [ "$n" -lt 256 ]
    grep -q "context $n tokens" err
    choir generate -p x -n 1 --mem-limit 1800K -b 8 >out 2>err
    [ ! -s err ]
    choir generate -p x -n 1 -c 32 --mem-limit 1800K >out 2>err # asked for
    [ ! -s err ]
}

@test "weights that do not fit: --quant, --mmap and --mem-limit that do" {
    need_stories
    advised choir generate -p x -n 1 -c 16 --mem-limit 1000000 -q # 1.05 MB of f32
    [[ "$flags" == *"--quant q8_0"* && "$flags" == *"--mem-limit "* ]]
    cd "$stories"
    advised "$CHOIR_BIN" generate -m stories260K.bin --tokenizer tok512.model -p x -n 1 -c 16 --mem-limit 900K -q
}

@test "the same from complete, bench and perplexity" {
    need_stories
    printf 'Once upon a time there was a girl. %.0s' {1..100} >text
    echo 'Once' | advised choir complete -n 1 -c 512 --mem-limit 2M -q
    advised choir perplexity -c 256 -f text --mem-limit 2M -q
    refused 5 'keys and values 2.5 MiB for 16 texts of 256 tokens' choir bench -p 256 -n 0 -r 1 --mem-limit 3M --n-seqs 16
    [[ "$stderr" == *'this fits: -p, -n and -d of '*' tokens together or --n-seqs '*' or --mem-limit '* ]]
    n=$(sed 's/.*-d of //; s/ .*//' <<<"$stderr")
    seqs=$(sed 's/.*--n-seqs //; s/ .*//' <<<"${stderr#*fits: }")
    limit=${stderr##* }
    choir bench -p "$n" -n 0 -r 1 --mem-limit 3M --n-seqs 16 -q
    choir bench -p 256 -n 0 -r 1 --mem-limit 3M --n-seqs "$seqs" -q
    choir bench -p 256 -n 0 -r 1 --mem-limit "$limit" --n-seqs 16 -q
}

@test "a context too long is refused before the weights are read" {
    need python3
    slow_model # 129 MiB of weights, 32 MiB of keys and values
    refused 5 'this fits: -c ' choir generate -p x -c 2048 --mem-limit 140M
    python3 - "$CHOIR_BIN" generate "${model[@]}" -p x -c 2048 --mem-limit 140M <<'END'
import resource, subprocess, sys
assert subprocess.run(sys.argv[1:]).returncode == 5
kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
assert kib < 100000, kib
END
}

@test "-v tells the account: weights + keys and values + activations = total, and that of bench" {
    need_stories
    choir generate -p x -n 1 -c 512 -v 2>err >out
    grep -qE '^memory: weights 1.0 MiB, keys and values 320 KiB \(640 B a token, f16\), activations [0-9.]+ MiB, total [0-9.]+ MiB; free .+' err
    sed -nE 's/.*activations ([0-9.]+) MiB, total ([0-9.]+) MiB.*/\1 \2/p' err | awk '{d = $2 - $1 - 1.36; exit !(d > -0.11 && d < 0.11)}'
    choir bench -p 4 -n 0 -r 1 --n-seqs 1,2 -v 2>err >out
    [ "$(grep -c '^memory: weights 1.0 MiB, keys and values ' err)" -eq 2 ]
}

# swept ARGS...: with little address space, and ever more, the text is the same, or one line says what it is too little for.
swept() {
    local mib code
    "$CHOIR_BIN" generate -p "Once upon a time" -n 20 -s 7 "$@" >whole
    for mib in 20 22 24 26 28 30 32 36 40 48 56 64 68 72 80 88 96 128; do
        (ulimit -v $((mib * 1024)) && exec "$CHOIR_BIN" generate -p "Once upon a time" -n 20 -s 7 "$@" >out 2>err) && code=0 || code=$?
        echo "$mib MiB: $code, $(cat err)"
        [ $code -eq 0 ] || [ $code -eq 5 ]
        grep -v '^choir: warning: ' err >said || true
        if [ $code -eq 0 ]; then
            cmp whole out
            [ ! -s said ]
        else
            [ ! -s out ]
            [ "$(wc -l <said)" -eq 1 ]
            grep -q '^choir: ' said
        fi
    done
    [ $code -eq 0 ] # 128 MiB are enough
}

@test "address space from 20 to 128 MiB: the whole text or one line, never a signal" {
    ! is_sanitized || skip "a sanitizer takes the address space for itself"
    swept
    swept --kv-type f32 -c 1024 -t 8
}
