# choir generate --beams: the most likely texts, their scores, Ctrl-C.

load helper

@test "--beams: the best text on stdout, whatever the seed and the threads; one beam is greedy as long as no text ends" {
    choir generate -p 'Once upon a time' -n 30 --beams 1 >one
    choir generate -p 'Once upon a time' -n 30 --temp 0 | cmp - one
    choir generate -p 'Once upon a time' -n 30 --beams 4 -s 1 >best
    choir generate -p 'Once upon a time' -n 30 --beams 4 -s 2 -t 3 --kv-block 1 --no-prefix-cache | cmp - best
    [ -s best ]
}

@test "--beams --json: scores, best first; --n-samples gives the best of them" {
    choir generate -p 'Once upon a time' -n 30 --beams 4 --n-samples 3 --json >out
    [ "$(jq '.choices | length' out)" -eq 3 ]
    [ "$(jq '[.choices[].score] == ([.choices[].score] | sort | reverse)' out)" = true ]
    [ "$(jq '[.choices[] | (.log_prob / .tokens - .score | fabs) < 1e-9] | all' out)" = true ]
    choir generate -p 'Once upon a time' -n 30 --beams 4 | cmp - <(jq -j '.choices[0].text' out)
    choir generate -p 'Once upon a time' -n 30 --beams 4 --n-samples 2 |
        cmp - <(jq -j '.choices[0].text, "\n", .choices[1].text' out)
    choir generate -p 'Once upon a time' -n 30 --beams 4 --echo |
        cmp - <(printf 'Once upon a time'; jq -j '.choices[0].text' out)
    greedy=$(choir generate -p 'Once upon a time' -n 30 --beams 1 --json | jq '.choices[0].score')
    [ "$(jq ".choices[0].score >= $greedy" out)" = true ]
}

@test "--length-penalty: what length is worth" {
    choir generate -p 'Once upon a time' -n 30 --beams 3 --length-penalty 0 --json >out
    [ "$(jq '.choices[0].score == .choices[0].log_prob' out)" = true ]
}

@test "--beams stops at a stop string and takes no more than the context" {
    choir generate -p 'Once upon a time' -n 30 --beams 3 --stop ' ' >out
    ! grep -q ' ' out || false
    choir generate -p 'Once upon a time' -n -1 -c 32 --beams 3 --ignore-eos --json >out
    [ "$(jq -r '.choices[0].finish_reason' out)" = length ]
    [ "$(jq '.usage.total_tokens' out)" -eq 32 ]
}

@test "--beams refuses what makes no sense" {
    refused 2 '--n-samples 5: --beams 4 finds at most 4 texts' choir generate -p x --beams 4 --n-samples 5
    refused 2 'a beam search has no penalties' choir generate -p x --beams 4 --repeat-penalty 1.2
    refused 2 '--logprobs: not with --beams' choir generate -p x --beams 2 --json --logprobs 1
    refused 2 '--speculate: not with --beams' choir generate -p x --beams 2 --speculate ngram
    refused 2 '--jsonl and --beams exclude each other' choir generate --jsonl --beams 2
    refused 2 '--beams' choir generate -p x --beams 0
    refused 2 '--length-penalty' choir generate -p x --beams 2 --length-penalty 1000
}

@test "Ctrl-C in a beam search prints the best so far, 130" {
    slow_model
    env --default-signal=INT "$CHOIR_BIN" generate "${model[@]}" -p "Once upon a time" -n 2000 --beams 2 --ignore-eos >out 2>err &
    pid=$!
    until [ "$(cut -d ' ' -f 14 /proc/$pid/stat)" -ge 100 ]; do # a second of its own: the search has begun
        sleep 0.05
    done
    kill -INT $pid
    status=0
    wait $pid || status=$?
    [ "$status" -eq 130 ]
    [ -s out ]
}
