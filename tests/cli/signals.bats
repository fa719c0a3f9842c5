# Signals: exit codes, what is kept, what is ignored.

load helper

# started SIGNAL-DISPOSITION ARGS...: a long generation in the background, waited for until its first byte is out; its process
# id in $pid.  (A background job of a shell starts with SIGINT ignored; env sets it back.)
started() {
    local disposition=$1
    shift
    : >out
    env "$disposition" "$CHOIR_BIN" "$@" >out 2>err </dev/null &
    pid=$!
    local tries=0
    until [ -s out ] || [ $((tries++)) -ge 200 ]; do
        sleep 0.05
    done
    [ -s out ]
}

ended() {
    wait "$pid" && code=0 || code=$?
}

@test "SIGINT, SIGTERM, SIGHUP during generation: 130, 143, 129, the text so far is kept, nothing on stderr" {
    slow_model
    for pair in INT:130 TERM:143 HUP:129; do
        started --default-signal=INT,TERM,HUP generate "${model[@]}" -p x -n -1 --ignore-eos -s 1
        kill -"${pair%:*}" $pid
        ended
        [ $code -eq "${pair#*:}" ]
        [ ! -s err ]
        iconv -f UTF-8 -t UTF-8 out >/dev/null # whole characters only
    done
}

@test "SIGINT stops within the running step" {
    slow_model
    started --default-signal=INT generate "${model[@]}" -p x -n -1 --ignore-eos -s 1 -v
    begun=$(date +%s%N)
    kill -INT $pid
    ended
    [ $code -eq 130 ]
    [ $((($(date +%s%N) - begun) / 1000000)) -lt 1500 ] # 100 ms and a lot for a busy machine
    grep -qx interrupted err
    grep -q '^prompt ' err
}

@test "SIGINT during prefill" {
    slow_model
    printf 'word %.0s' {1..390} >long
    env --default-signal=INT "$CHOIR_BIN" generate "${model[@]}" -f long --cpu reference -t 1 >out 2>err &
    pid=$!
    sleep 0.7
    kill -INT $pid
    ended
    [ $code -eq 130 ]
    [ ! -s out ]
    [ ! -s err ]
}

@test "a signal while the model is loading: at once, and nothing on stderr in a pipe" {
    slow_model 48 # half a gigabyte and more to pack: seconds
    for pair in INT:130 TERM:143 HUP:129; do
        env --default-signal=INT,TERM,HUP "$CHOIR_BIN" generate "${model[@]}" -p x --quant f16 --cpu reference -t 1 >out 2>err &
        pid=$!
        sleep 0.6
        kill -"${pair%:*}" $pid
        begun=$(date +%s%N)
        ended
        [ $code -eq "${pair#*:}" ]
        [ $((($(date +%s%N) - begun) / 1000000)) -lt 1500 ] # 100 ms and a lot for a busy machine
        [ ! -s out ]
        [ ! -s err ]
    done
}

@test "the threads are those that the affinity mask has, the context is what fits" {
    need taskset
    cpu=$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')
    taskset -c "$cpu" "$CHOIR_BIN" generate "${model[@]}" -p x -n 0 -v 2>&1 | grep -q ', 1 thread,'
    choir generate -p x -n 1 --mem-limit 3M -v 2>&1 >/dev/null | grep -qE 'context [1-4]?[0-9]?[0-9] tokens' || [ ${#model[@]} -eq 0 ]
}

@test "SIGINT while stdin is awaited, and while nobody reads stdout" {
    mkfifo in
    env --default-signal=INT "$CHOIR_BIN" generate "${model[@]}" <in >out &
    pid=$!
    exec 8>in
    sleep 0.2
    kill -INT $pid
    ended
    exec 8>&-
    [ $code -eq 130 ]
    mkfifo pipe
    env --default-signal=INT "$CHOIR_BIN" generate "${model[@]}" -p x -n -1 --ignore-eos --n-samples 1000000 >pipe &
    pid=$!
    exec 9<pipe
    sleep 1 # by now the pipe is full, and choir asleep in write
    kill -INT $pid
    ended
    exec 9<&-
    [ $code -eq 130 ]
}

@test "SIGINT while several texts are made: with --json each as far as it came, else the first" {
    need jq
    slow_model
    several=("${model[@]}" -p x -n -1 --ignore-eos -s 1 --n-samples 20 --n-seqs 4)
    started --default-signal=INT generate "${several[@]}"
    kill -INT $pid
    ended
    [ $code -eq 130 ]
    iconv -f UTF-8 -t UTF-8 out >/dev/null
    env --default-signal=INT "$CHOIR_BIN" generate "${several[@]}" --json >out 2>err </dev/null &
    pid=$!
    until [ "$(cut -d ' ' -f 14 /proc/$pid/stat)" -ge 100 ]; do # a second of its own: the texts have begun
        sleep 0.05
    done
    kill -INT $pid
    ended
    [ $code -eq 130 ]
    jq -e '[.choices[].index] == [0, 1, 2, 3]' out
    jq -e '.choices | all(.finish_reason == null and (.text | length > 0))' out
}

@test "a SIGINT or SIGHUP that was ignored at the start stays ignored" {
    slow_model
    started --ignore-signal=INT,HUP generate "${model[@]}" -p x -n 60 --ignore-eos -s 1
    kill -INT $pid
    kill -HUP $pid
    ended
    [ $code -eq 0 ]
    "$CHOIR_BIN" generate "${model[@]}" -p x -n 60 --ignore-eos -s 1 | cmp - out
}

@test "the second signal ends it at once" {
    slow_model
    started --default-signal=INT generate "${model[@]}" -p x -n -1 --ignore-eos -s 1
    kill -INT $pid
    kill -INT $pid || true
    ended
    [ $code -eq 130 ]
}

@test "--mmap: a file cut short while in use is one line and exit 4" {
    slow_model
    started --default-signal=INT generate "${model[@]}" -p x -n -1 --ignore-eos -s 1 --mmap
    truncate -s 4096 slow.bin
    ended
    [ $code -eq 4 ]
    [ "$(cat err)" = 'choir: slow.bin: file changed or became unreadable while in use' ]
}
