# What the tests of the program share.  $CHOIR_BIN is the program; the model is stories260K where the test data is, else the
# one built in.

bats_require_minimum_version 1.5.0

setup() {
    unset CHOIR_MODEL CHOIR_CPU NO_COLOR CLICOLOR_FORCE OMP_NUM_THREADS
    stories=${CHOIR_TESTDATA:-}/stories260K
    if [ -f "$stories/stories260K.bin" ]; then
        model=(-m "$stories/stories260K.bin" --tokenizer "$stories/tok512.model")
    else
        model=()
    fi
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
}

need_stories() {
    [ -f "$stories/stories260K.bin" ] || skip "stories260K is not there (CHOIR_TESTDATA)"
}

# need PROGRAM...: skips the test when one is not installed.
need() {
    local program
    for program; do
        command -v "$program" >/dev/null || skip "$program is not installed"
    done
}

# Whether the program was built with the address sanitizer, whose own memory hides the program's.
is_sanitized() {
    nm "$CHOIR_BIN" 2>/dev/null | grep -q __asan_init
}

# choir COMMAND ARGS...: with the model.
choir() {
    local command=$1
    shift
    "$CHOIR_BIN" "$command" "${model[@]}" "$@"
}

# refused CODE TEXT COMMAND...: the command ends with CODE, an empty stdout and one line on stderr that begins with
# "choir: ", holds TEXT and has at most 400 bytes.
refused() {
    local code=$1 text=$2
    shift 2
    run --separate-stderr "$@"
    echo "status $status, stdout [$output], stderr [$stderr]"
    [ "$status" -eq "$code" ]
    [ -z "$output" ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ "$stderr" == "choir: "* ]]
    [[ "$stderr" == *"$text"* ]]
    [ "$(printf '%s\n' "$stderr" | wc -c)" -le 400 ]
}

# slow_model [LAYERS]: a model of zeros in slow.bin (a sparse file) that takes milliseconds a token, for tests that
# interrupt; it draws every token with the same probability, but the byte ESC (piece 30): a terminal might swallow what
# follows it.
slow_model() {
    need_stories
    local layers=${1:-8}
    # dim 512, feed-forward 2048, the layers, 8 heads, 8 key/value heads, 512 pieces, context 2048; little-endian int32
    printf '\0\2\0\0\0\10\0\0\'"$(printf %o "$layers")"'\0\0\0\10\0\0\0\10\0\0\0\0\2\0\0\0\10\0\0' >slow.bin
    # embedding, norms, attention, feed-forward, last norm, two RoPE tables; 4 bytes each
    local floats=$((512 * 512 + layers * (2 * 512 + 4 * 512 * 512 + 3 * 512 * 2048) + 512 + 2048 * 64))
    truncate -s $((28 + 4 * floats)) slow.bin
    model=(-m slow.bin --tokenizer "$stories/tok512.model" --logit-bias 30=-inf)
}
