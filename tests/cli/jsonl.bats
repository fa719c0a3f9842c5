# generate --jsonl: a request a line in, an answer a line out.

load helper

# answers CODE ARGS...: stdin through --jsonl, into out; it ends with CODE and nothing on stderr.
answers() {
    local code=0 wanted=$1
    shift
    choir generate --jsonl "$@" >out 2>err || code=$?
    echo "exit code $code"
    cat err
    [ $code -eq "$wanted" ]
    [ ! -s err ]
}

# texts: what out says, a JSON string a line.
texts() {
    jq -c '.choices[].text' out
}

# requests N: lines with ids 0 to N-1, of different lengths, some alike.
requests() {
    seq 0 $(($1 - 1)) | jq -c '{id: ., prompt: ("Once upon a time there was a " + (["cat", "dog", "big red bird", ""][. % 4])),
        max_tokens: (1 + . % 13), seed: (. % 50)}'
}

setup_file() {
    command -v jq >/dev/null || skip "jq is not installed"
}

@test "an answer is OpenAI's completion object: all of it" {
    echo '{"prompt": "Once upon a time", "id": "x", "max_tokens": 5, "temperature": 0}' | answers 0
    text=$(choir generate -p 'Once upon a time' -n 5 --temp 0 | jq -Rs .)
    [ "$(jq -cS 'del(.model, .usage)' out)" = '{"choices":[{"finish_reason":"length","index":0,"logprobs":null,"text":'"$text"'}],"id":"x","object":"text_completion"}' ]
    [ "$(jq -c 'keys_unsorted' out)" = '["id","object","model","choices","usage"]' ]
    jq -e '.usage | .completion_tokens == 5 and .total_tokens == .prompt_tokens + 5' out
    jq -e '.model | length > 0' out
}

@test "each text is what generate makes of it alone, whatever runs beside it" {
    requests 40 >in
    answers 0 --n-seqs 7 <in
    [ "$(jq .id out)" = "$(seq 0 39)" ]
    while read -r line; do
        choir generate -p "$(jq -r .prompt <<<"$line")" -n "$(jq .max_tokens <<<"$line")" -s "$(jq .seed <<<"$line")" --json |
            jq -c '.choices[].text'
    done <in >want
    texts | cmp - want
    cp out first
    answers 0 --n-seqs 1 --no-prefix-cache <in
    cmp first out
    answers 0 --n-seqs 16 -b 3 -t 1 --kv-block 1 <in
    cmp first out
}

@test "what a line leaves out is as the flags say; every key does what its flag does" {
    echo '{"prompt": "Once"}' | answers 0 -n 20 -s 9 --temp 1.5 --top-k 0 --min-p 0 --stop e
    choir generate -p Once -n 20 -s 9 --temp 1.5 --top-k 0 --min-p 0 --stop e | jq -Rs . >want
    texts | cmp - want
    echo '{"prompt": "Once", "max_tokens": 20, "seed": 9, "temperature": 1.5, "top_k": 0, "min_p": 0, "top_p": 1, "stop": ["zz", "e"],
        "typical": 0.5, "repeat_penalty": 1.3, "presence_penalty": 0.5, "frequency_penalty": 0.25, "ignore_eos": true,
        "model": "any", "user": "me", "metadata": {}, "logprobs": null}' | tr -d '\n' | answers 0 -n 3 --stop a
    choir generate -p Once -n 20 -s 9 --temp 1.5 --top-k 0 --min-p 0 --top-p 1 --stop zz --stop e --typical 0.5 --repeat-penalty 1.3 \
        --presence-penalty 0.5 --frequency-penalty 0.25 --ignore-eos | jq -Rs . >want
    texts | cmp - want
    echo '{"prompt": "Once", "stop": "upon", "temperature": 0}' | answers 0
    [ "$(jq -c '.choices[0] | [.text, .finish_reason]' out)" = '[" ","stop"]' ]
}

@test "n texts of a prompt, which is counted once" {
    echo '{"prompt": "Once upon", "n": 3, "max_tokens": 30, "seed": 4}' | answers 0
    choir generate -p 'Once upon' --n-samples 3 -n 30 -s 4 --json >want
    [ "$(jq -c .choices want)" = "$(jq -c .choices out)" ]
    [ "$(jq -c .usage want)" = "$(jq -c .usage out)" ]
    echo '{"prompt": "Once upon", "max_tokens": 30, "seed": 4}' | answers 0 --n-samples 3
    [ "$(jq -c .choices want)" = "$(jq -c .choices out)" ]
}

@test "logprobs: of each text's tokens, as generate --json has them; streamed, each piece has its own" {
    echo '{"prompt": "Once upon", "n": 3, "max_tokens": 12, "seed": 4, "logprobs": 2, "stop": ["the"]}' | answers 0
    choir generate -p 'Once upon' --n-samples 3 -n 12 -s 4 --stop the --json --logprobs 2 >want
    [ "$(jq -c .choices want)" = "$(jq -c .choices out)" ]
    printf '{"prompt": "Once", "max_tokens": 3%s}\n' '' ', "logprobs": null' ', "logprobs": 0' | answers 0 -s 1 --logprobs 1
    [ "$(jq -c '.choices[0].logprobs.top_logprobs | type' out)" = '"array"
"array"
"null"' ]
    jq -se 'all(.choices[0].logprobs.token_logprobs | length == 3)' out
    request='{"prompt": "Once", "max_tokens": 40, "seed": 2, "ignore_eos": true, "logprobs": 1, "n": 2'
    echo "$request}" | answers 0
    jq -c '[.choices[].logprobs]' out >whole
    echo "$request, \"stream\": true}" | answers 0
    # the pieces' tokens, text by text, one after another
    jq -sc '[range(2) as $i | [.[].choices[] | select(.index == $i).logprobs | values] |
        {tokens: map(.tokens) | add, token_logprobs: map(.token_logprobs) | add, top_logprobs: map(.top_logprobs) | add,
         text_offset: map(.text_offset) | add}]' out | cmp - whole
    [ "$(jq -c 'select(.choices[0].logprobs.tokens | length > 0)' out | wc -l)" -gt 20 ]
}

@test "echo: the prompt is part of every text" {
    ids=$(choir tokenize -p 'Once upon' --json | jq -c .ids)
    printf '{"prompt": %s, "echo": true, "max_tokens": 5, "seed": 4, "n": 2}\n' '"Once upon"' "$ids" | answers 0
    choir generate -p 'Once upon' --echo --n-samples 2 -n 5 -s 4 --json >want
    [ "$(head -n 1 out | jq -c .choices)" = "$(jq -c .choices want)" ]
    [ "$(tail -n 1 out | jq -c .choices)" = "$(jq -c .choices want)" ]
    echo '{"prompt": "Once upon", "max_tokens": 5, "seed": 4, "n": 2}' | answers 0 --echo
    [ "$(jq -c .choices out)" = "$(jq -c .choices want)" ]
    printf '{"prompt": %s, "echo": true}\n' '[1, 999999999]' | answers 3
    jq -e '.error.message | startswith("id 999999999 is not in the vocabulary")' out
}

@test "echo with logprobs: those of the prompt too, whoever else runs" {
    ids=$(choir tokenize -p 'Once upon a time there' --json | jq -c .ids)
    request='"echo": true, "max_tokens": 5, "seed": 4, "n": 2, "logprobs": 2'
    {
        echo '{"prompt": "One day", "max_tokens": 30, "seed": 1}'
        echo "{\"prompt\": \"Once upon a time there\", $request}"
        echo "{\"prompt\": $ids, $request, \"stream\": true}"
        echo '{"prompt": "Once upon a time there", "echo": true, "max_tokens": 0, "logprobs": 2}'
    } | answers 0 --n-seqs 3 -b 5
    choir generate -p 'Once upon a time there' --echo --n-samples 2 -n 5 -s 4 --json --logprobs 2 >want
    [ "$(sed -n 2p out | jq -c .choices)" = "$(jq -c .choices want)" ]
    # in pieces: the prompt's tokens come with its text
    sed -n '3,$p' out | jq -sc '[.[] | select(.id == "cmpl-3") | .choices[] | select(.index == 1) |
        [.text, .logprobs.tokens]] | (.[0][1] | length) > 5 and (.[0][0] | startswith("Once upon a time there"))' | grep -qx true
    [ "$(jq -sc '[.[] | select(.id == "cmpl-3") | .choices[] | select(.index == 1).logprobs | values | .token_logprobs] | add' out)" = \
        "$(jq -c '.choices[1].logprobs.token_logprobs' want)" ]
    n=$(jq length <<<"$ids")
    [ "$(jq -c 'select(.id == "cmpl-4").choices[0] | [.text, .logprobs.token_logprobs]' out)" = \
        "$(jq -c --argjson n "$n" '["Once upon a time there", .choices[0].logprobs.token_logprobs[:$n]]' want)" ]
}

@test "without a seed the same prompt twice has two answers" {
    printf '{"prompt": "Once upon a time", "max_tokens": 60}\n%.0s' 1 2 3 4 | answers 0 --temp 2 --top-k 0 --min-p 0 --top-p 1
    [ "$(texts | sort -u | wc -l)" -eq 4 ]
}

@test "a prompt of ids, an empty one, one with NUL" {
    ids=$(choir tokenize -p 'Once upon' --json | jq -c .ids)
    printf '{"prompt": %s, "max_tokens": 9, "seed": 1}\n' "$ids" '"Once upon"' '""' '"a\u0000b"' | answers 0
    [ "$(texts | sed -n 1p)" = "$(texts | sed -n 2p)" ]
    [ "$(texts | sed -n 3p)" = "$(choir generate -p '' -n 9 -s 1 | jq -Rs .)" ]
    [ "$(texts | sed -n 4p)" = "$(printf 'a\0b' | choir generate --raw -n 9 -s 1 | jq -Rs .)" ]
}

@test "a bad line has an error in its place, the others are answered, the exit code is 3" {
    {
        echo '{"prompt": "Once", "id": 1}'
        echo 'nonsense'
        echo
        echo '{"prompt": "Once", "id": 2, "temprature": 1}'
        echo '{"prompt": "Once", "n": -5}'
        echo '{"prompt": "Once", "n": 99999999999}'
        echo '{"prompt": "Once", "max_tokens": 1.5}'
        echo '{"prompt": "Once", "temperature": -1}'
        echo '{"prompt": "Once", "temperature": 1e300}'
        echo '{"prompt": [1, 2, 999999999]}'
        echo '{"prompt": [[1]]}'
        echo '{"id": [3]}'
        echo '{"prompt": "a", "prompt": "b"}'
        printf '{"prompt": "\xff"}\n'
        echo '[]'
        echo '{"cancel": 1, "id": 2}'
        echo '{"prompt": "Once", "stop": ["a", ""]}'
        echo '{"prompt": "Once", "stream": 1}'
        echo '{"prompt": "Once", "seed": "x"}'
        jq -nc '{prompt: ("word " * 70000), id: "long"}'
        printf '{"prompt": "Once", "id": "last"}' # without a newline
    } | answers 3 -n 4 --temp 0
    [ "$(wc -l <out)" -eq 20 ]
    [ "$(jq -c 'select(.choices) | [.id, .choices[0].text]' out)" = \
        "$(choir generate -p Once -n 4 --temp 0 | jq -Rsc '[1, .], ["last", .]')" ]
    [ "$(jq -c 'select(.error) | [.id, .error.line]' out | sed -n '1p;2p;12p;$p')" = '["cmpl-2",2]
[2,4]
["cmpl-14",14]
["long",20]' ]
    jq -r 'select(.error) | .error.message' out | sed -E '$s/(prompt is|context is) [0-9]+/\1 N/g; s/\(0 to [0-9]+\)/(0 to N)/; $s/ \(.*//' >messages
    diff - messages <<'END'
byte 8: '[' or '{' expected near 'nonsense'
unknown key "temprature"
n: -5 (1 to 128 allowed)
n: 99999999999 (1 to 128 allowed)
max_tokens: a whole number is needed
temp: -1 must be a finite number, 0 or more
temperature: 1e+300 is out of range
id 999999999 is not in the vocabulary (0 to N)
prompt: a text, or a list of ids, is needed
prompt missing
byte 24: duplicate object key near '"prompt"'
byte 12: unable to decode byte 0xff near '"'
an object is needed
cancel goes alone in its line
stop: a text that is not empty is needed
stream: true or false is needed
seed: a whole number is needed
prompt is N tokens, context is N, all that the model was made for
END
}

@test "nesting of 64 levels is read on a small stack, 65 are refused" {
    nested() { # levels
        local open close
        open=$(printf "%0$(($1 - 1))d" 0 | tr 0 '[')
        close=$(printf "%0$(($1 - 1))d" 0 | tr 0 ']')
        echo "{\"prompt\": \"Once\", \"id\": $open$close}"
    }
    { nested 64; nested 65; nested 100000; } >lines
    (is_sanitized || ulimit -s 256; answers 3 -n 1 <lines) # the kernels' frames are larger under a sanitizer
    [ "$(jq -c .error.message out | tr '\n' ' ')" = 'null "byte 88: nested deeper than 64" "byte 88: nested deeper than 64" ' ]
    [ "$(sed -n 1p out | tr -dc '[' | wc -c)" -eq 64 ] # its id, and choices
}

@test "OpenAI's batch lines" {
    {
        echo '{"custom_id": "a", "method": "POST", "url": "/v1/completions", "body": {"model": "m", "prompt": "Once", "max_tokens": 3, "temperature": 0}}'
        echo '{"custom_id": "b", "body": {"prompt": "Once", "top_p": 3}}'
        echo '{"custom_id": "c", "body": {"messages": []}}'
    } | answers 3
    [ "$(jq -c '[.custom_id, .response.status_code, .error]' out)" = '["a",200,null]
["b",400,null]
["c",400,null]' ]
    [ "$(jq -r 'select(.custom_id == "a") | .response.body.choices[0].text' out)" = "$(choir generate -p Once -n 3 --temp 0)" ]
    [ "$(jq -r 'select(.custom_id == "a") | .id, .response.body.id' out)" = 'batch_req_1
cmpl-1' ] # the line's id stands outside
    jq -se '.[1].response.body.error.message | startswith("top_p: 3")' out
    jq -se '.[2].response.body.error.message | startswith("messages: ")' out
}

# started ARGS...: choir as a co-process: lines go to >&$to, answers come from <&$from.
started() {
    mkfifo to from
    env --default-signal=INT "$CHOIR_BIN" generate "${model[@]}" --jsonl "$@" <to >from 2>err &
    pid=$!
    exec {to}>to {from}<from
    rm to from
}

say() {
    printf '%s\n' "$1" >&$to
}

# heard: the next line, in $line; it comes within a minute.
heard() {
    IFS= read -r -t 60 -u $from line
}

# ended CODE: input and answers end, and so does choir.
ended() {
    local code=0
    exec {to}>&-
    wait $pid || code=$?
    exec {from}<&-
    echo "exit code $code"
    [ $code -eq "$1" ]
    [ ! -s err ]
}

@test "a conversation with a co-process: every line is answered before the next is said" {
    started -n 4 --temp 0
    want=$(choir generate -p Once -n 4 --temp 0 | jq -Rs .)
    for i in 1 2 3; do
        say '{"prompt": "Once", "id": '$i'}'
        heard
        [ "$(jq -c '[.id, .choices[0].text]' <<<"$line")" = "[$i,$want]" ]
        say 'nonsense'
        heard
        [ "$(jq -r '.error.line' <<<"$line")" -eq $((2 * i)) ]
    done
    printf '{"prompt": "On' >&$to # a line may come in parts
    sleep 0.3
    say 'ce"}'
    heard
    [ "$(jq -c '.choices[0].text' <<<"$line")" = "$want" ]
    ended 3
}

@test "stream: a text in pieces, then an object with reason and usage" {
    started -s 3
    say '{"prompt": "Once", "id": "s", "stream": true, "max_tokens": 40, "ignore_eos": true}'
    : >pieces
    while heard; do
        jq -e '.id == "s" and .object == "text_completion"' <<<"$line"
        jq -e '.choices[0].finish_reason == null' <<<"$line" || break
        jq -e 'has("usage") | not' <<<"$line"
        jq -j '.choices[0].text' <<<"$line" >>pieces
        echo >>lines
    done
    [ "$(jq -c '[.choices[0].text, .choices[0].finish_reason, .usage.completion_tokens]' <<<"$line")" = '["","length",40]' ]
    [ "$(wc -l <lines)" -gt 10 ]
    choir generate -p Once -n 40 -s 3 --ignore-eos | cmp - pieces
    ended 0
}

@test "cancel: one that runs, one that waits, one that is not there" {
    slow_model
    started --n-seqs 1 -n 2 -s 1
    say '{"prompt": "Once", "id": ["a"], "max_tokens": -1, "ignore_eos": true, "stream": true}'
    heard
    [ "$(jq -c .id <<<"$line")" = '["a"]' ]
    say '{"prompt": "Once", "id": "b", "max_tokens": -1, "ignore_eos": true}'
    say '{"prompt": "Once", "id": "c", "ignore_eos": true}'
    say '{"cancel": "nobody"}'
    say '{"cancel": "b"}'
    say '{"cancel": ["a"]}'
    while heard && jq -e '.choices[0].finish_reason == null' <<<"$line" >/dev/null; do :; done
    [ "$(jq -c '[.id, .choices[0].finish_reason]' <<<"$line")" = '[["a"],"cancelled"]' ]
    jq -e '.usage.completion_tokens > 0' <<<"$line"
    heard
    [ "$(jq -c '[.id, .choices[0].text, .choices[0].finish_reason]' <<<"$line")" = '["b","","cancelled"]' ]
    heard
    [ "$(jq -c '[.id, .usage.completion_tokens]' <<<"$line")" = '["c",2]' ]
    ended 0
}

@test "cancel is heard although many answers wait behind the one that is cancelled" {
    slow_model 2
    started --n-seqs 2 -n 1 -s 1
    say '{"prompt": "Once", "id": "long", "max_tokens": -1, "ignore_eos": true}'
    for i in {1..60}; do
        say '{"prompt": "Once", "id": '$i'}'
    done
    say '{"cancel": "long"}'
    heard
    [ "$(jq -c '[.id, .choices[0].finish_reason]' <<<"$line")" = '["long","cancelled"]' ]
    for i in {1..60}; do
        heard
        [ "$(jq .id <<<"$line")" -eq $i ]
    done
    ended 0
}

@test "2,000 lines: in order, each right, and no more memory than 200 take" {
    requests 2000 >in
    head -n 200 in >few
    need python3
    peak() {
        python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[2:], stdin=open(sys.argv[1]), stdout=open("out", "w"), check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$@"
    }
    few=$(peak few "$CHOIR_BIN" generate "${model[@]}" --jsonl -t 1)
    many=$(peak in "$CHOIR_BIN" generate "${model[@]}" --jsonl -t 1)
    echo "peak memory $few KB for 200 lines, $many KB for 2000"
    is_sanitized || [ "$many" -le $((few + few / 10)) ]
    [ "$(jq .id out)" = "$(seq 0 1999)" ]
    # lines that are alike (the prompts repeat every 4, lengths every 13, seeds every 50) have the same text
    jq -se '[range(700) | . as $i | $all[$i].choices[0].text == $all[$i + 1300].choices[0].text] | all' --slurpfile all out <<<''
}

@test "killed and resumed: the file is that of a run nobody disturbed" {
    slow_model 2
    requests 60 | sed '7s/.*/nonsense/' >in
    answers 3 --n-seqs 4 <in
    mv out want
    [ "$(wc -l <want)" -eq 60 ]
    : >got
    mkfifo line
    for stop in 5 20 40; do
        "$CHOIR_BIN" generate "${model[@]}" --jsonl --n-seqs 4 --resume got <line &
        pid=$!
        exec 8>line # stays open: the program cannot end before it is killed
        head -n $((stop + 8)) in >&8
        until [ "$(wc -l <got)" -ge $stop ]; do sleep 0.02; done
        kill -9 $pid
        wait $pid || [ $? -eq 137 ]
        exec 8>&-
        head -c "$(stat -c %s got)" want | cmp - got
        printf '{"id":99,"object":"text' >>got # as a line that was being written
    done
    run -3 "$CHOIR_BIN" generate "${model[@]}" --jsonl --n-seqs 4 --resume got <in
    [ -z "$output" ]
    cmp want got
    run -3 "$CHOIR_BIN" generate "${model[@]}" --jsonl --resume got <in # nothing is left to do
    cmp want got
}

@test "--resume: pieces without an end are cut off, as is half a line; what is not ours is left alone" {
    printf '{"prompt":"Once","id":%d,"stream":true,"max_tokens":3,"seed":1}\n' 1 2 >in
    answers 0 <in
    last=$(jq -c 'select(.id == 2)' out | tail -n 1)
    cp out want
    jq -c 'select(.id == 1)' want >got
    jq -c 'select(.id == 2)' want | head -n -1 >>got
    choir generate --jsonl --resume got <in
    [ "$(jq -c 'select(.id == 1)' got)" = "$(jq -c 'select(.id == 1)' want)" ]
    [ "$(tail -n 1 got)" = "$last" ]
    [ "$(jq -j 'select(.id == 2) | .choices[0].text' got)" = "$(jq -j 'select(.id == 2) | .choices[0].text' want)" ]
    cp in other
    refused 3 'other: line 1 is no answer' choir generate --jsonl --resume other <in
    cmp in other
    printf 'my notes' >notes
    refused 3 'notes: line 1 is no answer' choir generate --jsonl --resume notes <in
    [ "$(cat notes)" = 'my notes' ]
    sed 's/"id":1/"id":3/' in >wrong
    refused 3 'got: answer 1 is for id 1, the input has 3 there' choir generate --jsonl --resume got <wrong
    refused 3 'got: 2 answers, but the input has 1 requests' bash -c 'head -n 1 in | "$0" "$@"' "$CHOIR_BIN" generate "${model[@]}" \
        --jsonl --resume got
    refused 4 '/dev/null: --resume needs a file' choir generate --jsonl --resume /dev/null <in
    refused 4 'no/such: No such file' choir generate --jsonl --resume no/such <in
}

@test "SIGINT: 130, whole lines only, nothing on stderr" {
    slow_model
    started -n -1 --ignore-eos --temp 2 --top-k 0 --min-p 0
    for i in {1..5}; do
        say '{"prompt": "Once", "stream": true, "n": 2}'
    done
    heard
    kill -INT $pid
    cat <&$from >rest &
    reader=$!
    ended 130
    wait $reader || true
    jq -e .id rest >/dev/null
    started -n 1 # while it waits for a line
    say '{"prompt": "Once"}'
    heard
    kill -INT $pid
    code=0
    wait $pid || code=$?
    [ $code -eq 130 ]
}

@test "a full disk, a reader that goes away, an input that cannot be read" {
    echo '{"prompt": "Once", "max_tokens": 3}' >in
    refused 4 'stdout: No space left on device' bash -c '"$0" "$@" <in >/dev/full' "$CHOIR_BIN" generate "${model[@]}" --jsonl
    run --separate-stderr bash -c 'yes "$(cat in)" | "$0" "$@" | head -n 2 >/dev/null; exit ${PIPESTATUS[1]}' \
        "$CHOIR_BIN" generate "${model[@]}" --jsonl
    [ "$status" -eq 141 ]
    [ -z "$stderr" ]
    refused 4 'choir: nowhere: No such file' choir generate --jsonl -f nowhere
    refused 4 'choir: .: Is a directory' choir generate --jsonl -f .
    choir generate --jsonl -s 1 <in | cmp - <(choir generate --jsonl -s 1 -f in)
    run --separate-stderr choir generate --jsonl </dev/null
    [ "$status" -eq 0 ]
    [ -z "$output$stderr" ]
}

@test "a line of 64 MB is the longest; the next ones are answered" {
    {
        head -c 70000000 /dev/zero | tr '\0' x
        echo
        printf '{"user": "%s", "prompt": "Once"}\n' "$(head -c 3000000 /dev/zero | tr '\0' x)"
        echo '{"prompt": "Once"}'
    } | answers 3 -n 2 -s 1
    [ "$(jq -c '[.error.message, .error.line]' out | head -n 1)" = '["line is longer than 67108864 bytes",1]' ]
    [ "$(texts | uniq | wc -l)" -eq 1 ]
    [ "$(wc -l <out)" -eq 3 ]
}
