# What tests at a terminal share: tmux, whose screen is looked at, and tests/support/pty.py, which sees every byte.

teardown() {
    if [ -n "${tmux_socket:-}" ]; then
        tmux -S "$tmux_socket" kill-server 2>/dev/null || true
    fi
}

n_terminals=0

# terminal COMMAND [COLUMNS [ROWS]]: a new terminal that runs COMMAND; keys and screen talk to it.
terminal() {
    need tmux
    export XDG_STATE_HOME=$PWD/state
    tmux_socket=$BATS_TEST_TMPDIR/tmux$((++n_terminals)) # a killed server may still hold the last one
    tmux -S "$tmux_socket" -f /dev/null new-session -d -x "${2:-100}" -y "${3:-50}" \
        "$1; echo \"left \$?\"; sleep 60"
}

keys() {
    tmux -S "$tmux_socket" send-keys "$@"
}

# typed TEXT: types it and waits until it is shown.
typed() {
    keys -l -- "$1"
    sees "$1"
}

# pasted FILE: pastes it as terminals do that say so.
pasted() {
    tmux -S "$tmux_socket" load-buffer "$1"
    tmux -S "$tmux_socket" paste-buffer -p
}

screen() {
    tmux -S "$tmux_socket" capture-pane -p -S -200 "$@"
}

# until_true COMMAND...: waits until it succeeds, 30 s at most.
until_true() {
    local tries=0
    until "$@"; do
        if [ $((tries++)) -ge 300 ]; then
            echo "never true: $*"
            screen
            return 1
        fi
        sleep 0.1
    done
}

shows() {
    screen | grep -qF -- "$1"
}

# line LINE [TIMES]: whether the screen has the line, so many times at least.
line() {
    [ "$(screen | grep -cxF -- "$1")" -ge "${2:-1}" ]
}

# sees TEXT: waits until the screen shows it.
sees() {
    until_true shows "$1"
}

# sees_line LINE [TIMES]: waits until the screen has it as a line of its own, so many times.
sees_line() {
    until_true line "$@"
}

# at_terminal STEP... -- ARGS...: choir complete at a terminal of pty.py; its exit code in $code, what came out in log.
at_terminal() {
    need python3
    export XDG_STATE_HOME=$PWD/state TERM=${TERM_FOR_TEST:-xterm-256color}
    local steps=()
    while [ "$1" != -- ]; do
        steps+=("$1")
        shift
    done
    shift
    code=0
    python3 "$BATS_TEST_DIRNAME/../support/pty.py" ${sides:-} log "${steps[@]}" -- \
        "$CHOIR_BIN" complete "${model[@]}" "$@" || code=$?
    tr -d '\r' <log >shown
    cat -v log
}
