# Guesses at the next tokens, and log-probabilities.

load helper

long='Once upon a time there was a little dog. The little dog had a red ball. One day the little dog'

@test "--speculate: the text is the one without, greedy and sampled, with penalties, stops, samples and JSON" {
    for args in '--temp 0' '-s 3' '-s 4 --temp 1.5 --repeat-penalty 1.2' '-s 5 --stop dog --ignore-eos' '-s 6 -n 1' \
        '-s 7 --kv-type q8_0 --kv-block 1 -t 3' '-s 8 -b 3' '-s 9 --n-samples 3' '-s 10 -n -1 -c 90 --ignore-eos'; do
        echo "$args"
        choir generate -p "$long" -n 90 $args >want
        choir generate -p "$long" -n 90 $args --speculate ngram | cmp - want
        choir generate -p "$long" -n 90 $args --speculate ngram:1 | cmp - want
        choir generate -p "$long" -n 90 $args --speculate ngram:40 | cmp - want
    done
}

@test "--speculate: -v and --json tell how many guesses were right" {
    choir generate -p "$long" -n 200 --temp 0 --ignore-eos --speculate ngram -v 2>&1 >/dev/null |
        grep -qE '^guessed [1-9][0-9]* tokens, [0-9]+ right \([0-9.]+ %\)$'
    choir generate -p "$long" -n 200 --temp 0 --ignore-eos --speculate ngram --json |
        jq -e '.usage.completion_tokens_details | .accepted_prediction_tokens + .rejected_prediction_tokens > 0'
    choir generate -p "$long" -n 20 --json | jq -e '.usage | has("completion_tokens_details") | not'
}

@test "--draft: a model guesses for itself, and is always right; one with other tokens is refused" {
    choir generate -p "$long" -n 60 -s 2 >want
    draft=${model[1]:-$BATS_TEST_DIRNAME/../../weights/tales/tales.gguf}
    choir generate -p "$long" -n 60 -s 2 --draft "$draft" -v >got 2>err
    cmp got want
    grep -qE '^guessed [1-9][0-9]* tokens, [0-9]+ right \(100.0 %\)$' err
    need_stories
    "$CHOIR_BIN" quantize -q --tokenizer "$stories/tok512.model" "$stories/stories260K.bin" other.gguf q8_0
    refused 2 'other.gguf has other tokens than (built-in): ' "$CHOIR_BIN" generate -p x --draft other.gguf
}

@test "--speculate and --draft: what cannot be" {
    refused 2 '--speculate: "ngra" is neither ngram nor ngram:K, K from 1 to 63' choir generate -p x --speculate ngra
    refused 2 '--speculate: "ngram:" is neither' choir generate -p x --speculate ngram:
    refused 2 '--speculate: "ngram:64" is neither' choir generate -p x --speculate ngram:64
    refused 2 '--speculate and --draft exclude each other' choir generate -p x --speculate ngram --draft x
    refused 4 'No such file or directory' choir generate -p x --draft ./nothing.gguf
}

@test "--logprobs: OpenAI's arrays, as long as there are tokens; the sampler and speculation change none" {
    choir generate -p 'One day' -n 12 -s 3 --ignore-eos --json --logprobs 3 >out
    jq -e '.choices[0].logprobs | (.tokens, .token_logprobs, .top_logprobs, .text_offset) | length == 12' out
    jq -e '.choices[0] | .text == (.logprobs.tokens | join(""))' out
    jq -e '.choices[0].logprobs | .text_offset[0] == 0 and .token_logprobs[0] <= 0 and
        ([.tokens, .token_logprobs, .top_logprobs] | transpose | all(.[1] == .[2][.[0]])) and
        (.top_logprobs | all(length == 3 or length == 4))' out
    choir generate -p 'One day' -n 12 -s 3 --ignore-eos --json --logprobs 3 --speculate ngram >guessed
    cmp <(jq .choices out) <(jq .choices guessed)
    choir generate -p 'One day' -n 12 -s 3 --ignore-eos --json --logprobs 0 |
        jq -e '.choices[0].logprobs | .top_logprobs == null and (.token_logprobs | length == 12)'
    # greedy: the token is the likeliest one, also when the temperature would change its probability
    choir generate -p 'One day' -n 5 --temp 0 --json --logprobs 1 | jq -e '.choices[0].logprobs.top_logprobs | all(length == 1)'
    refused 2 'give --json too' choir generate -p x --logprobs 2
}

@test "--echo --logprobs: the prompt's tokens first, whatever the chunks, the cache and the samples" {
    choir generate -p "$long" -n 4 -s 3 --ignore-eos --json --logprobs 2 --echo >out
    jq -e '.usage.prompt_tokens as $n | .choices[0].logprobs |
        (.tokens | length == $n + 4) and .token_logprobs[0] == null and .top_logprobs[0] == null and
        (.token_logprobs[1:] | all(. <= 0))' out
    [ "$(jq -r '.choices[0].logprobs.tokens[1:] | join("")' out)" = "$(jq -r '.choices[0].text' out)" ]
    jq -e '.choices[0] | (.logprobs.text_offset | last) < (.text | length)' out
    choir generate -p "$long" -n 4 -s 3 --ignore-eos --json --logprobs 2 --echo -b 5 --kv-block 1 | cmp - out
    choir generate -p "$long" -n 4 -s 3 --ignore-eos --json --logprobs 2 --echo --n-samples 2 >two
    cmp <(jq '.choices[0]' out) <(jq '.choices[0]' two)
    jq -e '[.choices[].logprobs.tokens | length] | .[0] == .[1]' two
    choir generate -p "$long" -n 0 --json --logprobs 0 --echo | jq -e '.choices[0].logprobs.tokens | length > 5'
}

@test "--logprobs: a token that is part of a character is told as bytes" {
    need_stories
    choir generate -p 'é😀' -n 0 --json --logprobs 0 --echo >out
    jq -e '.choices[0].logprobs | .tokens | any(startswith("bytes:\\x"))' out
    jq -e '.choices[0].logprobs.text_offset as $o | [range(1; $o | length)] | all($o[.] >= $o[. - 1])' out
    jq -e '(.choices[0].logprobs.text_offset | max) <= 2' out
}
