# Masked heads, and choir heads.

load helper
load terminal

@test "--mask-heads: changes the text, takes lists and stars, and is the same however it is given" {
    "$CHOIR_BIN" generate -p 'Once upon a time' --temp 0 -n 24 >bare
    "$CHOIR_BIN" generate -p 'Once upon a time' --temp 0 -n 24 --mask-heads L0H1,L2H* >masked
    "$CHOIR_BIN" generate -p 'Once upon a time' --temp 0 -n 24 --mask-heads l2h* --mask-heads L0H1 -t 1 -b 3 >again
    ! cmp -s bare masked || false
    cmp masked again
}

@test "--mask-heads: what is no list, and heads that are not there, are refused" {
    refused 2 '--mask-heads: "L1" is not a list of heads' "$CHOIR_BIN" generate -p x --mask-heads L1
    refused 2 '--mask-heads: "L1H2,"' "$CHOIR_BIN" generate -p x --mask-heads L1H2,
    refused 2 '--mask-heads: "L*H1"' "$CHOIR_BIN" generate -p x --mask-heads 'L*H1'
    refused 2 'the model has layers 0 to' "$CHOIR_BIN" generate -p x --mask-heads L999H0
    refused 2 '--mask-heads: head 999 to be masked: the model has heads 0 to' "$CHOIR_BIN" generate -p x --mask-heads L0H999
}

@test "--mask-heads: perplexity and complete have it too; a kept text goes on only with the same heads" {
    for i in {1..60}; do printf 'Tom has a red ball %s. ' "$i"; done >text
    bare=$("$CHOIR_BIN" perplexity -f text -c 64 --chunks 2)
    [ "$("$CHOIR_BIN" perplexity -f text -c 64 --chunks 2 --mask-heads 'L1H*')" != "$bare" ]
    printf 'Once upon a time\n' | "$CHOIR_BIN" complete --temp 0 -n 8 --mask-heads 'L1H*' >/dev/null
    "$CHOIR_BIN" generate -p 'Once upon a time' -n 4 --temp 0 --mask-heads 'L1H*' --kv-save kept >/dev/null
    "$CHOIR_BIN" generate -n 4 --temp 0 --mask-heads 'L1H*' --kv-load kept >/dev/null </dev/null
    refused 3 'kept' "$CHOIR_BIN" generate -n 4 --temp 0 --kv-load kept </dev/null
}

@test "heads map: every row of every head has its tokens and adds up to 1" {
    need jq
    "$CHOIR_BIN" heads map -p 'Tom has a ball. Tom has' --json >json
    jq -e '(.tokens | length) as $n | .n_prompt == $n and (.ids | length) == $n and (.tokens | join("")) == "<s> Tom has a ball. Tom has"
        and ([.layers[].layer] == [range(.layers | length)])
        and all(.layers[].heads[].weights; length == $n)
        and all(.layers[].heads[].weights | to_entries[]; (.value | length) == .key + 1 and ((.value | add) - 1 | fabs) < 1e-5)' json
    "$CHOIR_BIN" heads map -p 'Tom has a ball. Tom has' --json --layer 1,0 --head 2 >some
    jq -e --slurpfile all json '[.layers[].layer] == [0, 1] and all(.layers[]; [.heads[].head] == [2])
        and .layers[1].heads[0].weights == $all[0].layers[1].heads[2].weights' some
}

@test "heads map: the same for any threads, batch and block size; the model can go on first" {
    "$CHOIR_BIN" heads map -p 'Tom has a ball. Tom has' --csv >want
    head -n 1 want | grep -qx 'layer,head,query,key,weight'
    for flags in '-t 1' '-t 3 -b 5' '--kv-block 2' '--cpu reference'; do
        # shellcheck disable=SC2086
        "$CHOIR_BIN" heads map -p 'Tom has a ball. Tom has' --csv $flags | cmp - want
    done
    need jq
    [ "$("$CHOIR_BIN" heads map -p 'Once upon' -n 3 --json --layer 0 --head 0 | jq -r '.tokens[.n_prompt:] | join("")')" = \
        "$("$CHOIR_BIN" generate -p 'Once upon' -n 3 --temp 0)" ]
}

@test "heads map: --from leaves the rows before out, of the text or of what the model wrote" {
    need jq
    "$CHOIR_BIN" heads map -p 'Tom has a ball. Tom has' -n 3 --csv >all
    n=$(tail -n 1 all | cut -d, -f3) # the last token
    for from in $((n - 2)) -3; do
        "$CHOIR_BIN" heads map -p 'Tom has a ball. Tom has' -n 3 --csv --from=$from >some
        awk -F, -v from=$((n - 2)) 'NR == 1 || $3 >= from' all | cmp - some
    done
    "$CHOIR_BIN" heads map -p 'Tom has a ball. Tom has' -n 3 --csv --from -99 | cmp - all
    "$CHOIR_BIN" heads map -p 'Tom has a ball. Tom has' -n 3 --json --from -3 |
        jq -e --argjson n "$n" '.from == $n - 2 and (.tokens | length) == $n + 1
            and all(.layers[].heads[].weights; [.[] | length] == [$n - 1, $n, $n + 1])'
    "$CHOIR_BIN" heads map -p 'Tom has a ball. Tom has' -n 3 --from -3 --layer 0 --head 0,1 --pgm - >maps.pgm
    [ "$(sed -n 2p maps.pgm)" = "$((2 * (n + 1) + 1)) 3" ]
    "$CHOIR_BIN" heads map -p 'Tom has a ball. Tom has' --from -3 >picture
    head -n 1 picture | grep -q '^the last 3 of'
    # three lines of each head, and below its name no more
    [ "$(awk '/L0H0/ { at = NR } at && NF == 0 { print NR - at - 1; exit }' picture)" -eq 3 ]
    "$CHOIR_BIN" heads map -p 'Tom has a ball. Tom has' --layer 0 --head 0 --from -3 >picture
    "$CHOIR_BIN" heads map -p 'Tom has a ball. Tom has' --layer 0 --head 0 | tail -n 3 | cmp - <(tail -n 3 picture)
    [ "$(wc -l <picture)" -eq $(($("$CHOIR_BIN" heads map -p 'Tom has a ball. Tom has' --layer 0 --head 0 | wc -l) - n + 5)) ]
    "$CHOIR_BIN" heads map -p 'Tom has a ball. Tom has' --layer 0 --head 0 --top 1 --from -3 >top
    [ "$(grep -c '←' top)" -eq 3 ]
    refused 2 '--from 9: the text has ' "$CHOIR_BIN" heads map -p x --from 9
    refused 2 '--from 999: the text has ' "$CHOIR_BIN" heads map -p x --from 999 -n 300
    # of a text that is wider than the window the late rows are lines of their own, each with its token
    for _ in {1..30}; do printf 'Tom has a red ball and a big dog. '; done >long
    "$CHOIR_BIN" heads map -f long --layer 0 --head 0 --from -3 >picture
    [ "$(tail -n 4 picture | head -n 3 | awk '{ print $1 }' | tr '\n' ' ')" = '·dog . · ' ]
    tail -n 1 picture | grep -q 'tokens in a cell from left to right'
    refused 2 'heads report has no use for --from' "$CHOIR_BIN" heads report -p x --from 1
}

@test "heads map: pictures, in the terminal and as PGM" {
    "$CHOIR_BIN" heads map -p 'Tom has a ball. Tom has' >all
    grep -q 'L1H1' all
    [ "$(awk '{ if (length($0) > most) most = length($0) } END { print most }' all)" -le 250 ] # bytes
    "$CHOIR_BIN" heads map -p 'Tom has a ball. Tom has' --layer 0 --head 1 >one
    grep -q 'layer 0, head 1' one
    [ "$(grep -c '·Tom ' one)" -eq 2 ]
    "$CHOIR_BIN" heads map -p 'Tom has a ball. Tom has' --layer 0 --head 1 --top 2 >top
    [ "$(grep -c '←' top)" -eq "$("$CHOIR_BIN" tokenize -p 'Tom has a ball. Tom has' | wc -l)" ]
    "$CHOIR_BIN" heads map -p 'Tom has a ball.' --layer 0,1 --head 1 --pgm maps.pgm >out
    [ ! -s out ]
    "$CHOIR_BIN" heads map -p 'Tom has a ball.' --layer 0,1 --head 1 --pgm - | cmp - maps.pgm
    n=$("$CHOIR_BIN" tokenize -p 'Tom has a ball.' | wc -l)
    [ "$(sed -n 2p maps.pgm)" = "$n $((2 * n + 1))" ]
    [ "$(wc -c <maps.pgm)" -eq $((9 + ${#n} + $(echo -n $((2 * n + 1)) | wc -c) + n * (2 * n + 1))) ]
}

@test "heads: what is not there is refused" {
    need jq
    refused 2 'heads needs map' "$CHOIR_BIN" heads
    refused 2 'there is no mop; did you mean map?' "$CHOIR_BIN" heads mop
    refused 2 '--layer: the model has 0 to' "$CHOIR_BIN" heads map -p x --layer 99
    refused 2 '--head: the model has 0 to' "$CHOIR_BIN" heads map -p x --head 99 -n 60000
    refused 2 '--json, --csv, --pgm - and --html - exclude each other' "$CHOIR_BIN" heads map -p x --json --csv
    refused 2 'exclude each other' "$CHOIR_BIN" heads map -p x --csv --pgm -
    refused 2 '--pgm and --html both go to x' "$CHOIR_BIN" heads map -p x --pgm x --html x
    refused 2 '--pgm and --html both go to x' "$CHOIR_BIN" heads map -p x --pgm x --html ./x
    refused 2 '--top lists tokens as text' "$CHOIR_BIN" heads map -p x --top 2 --json
    refused 2 'heads prune has no use for --quant' "$CHOIR_BIN" heads prune x.gguf --mask-heads L0H0 --quant q4_0
    refused 2 'heads cost has no use for --mem-limit' "$CHOIR_BIN" heads cost --mem-limit 1M
    refused 2 'heads map has no use for --rerank' "$CHOIR_BIN" heads map -p x --rerank
    refused 4 'No such file' "$CHOIR_BIN" heads map -p x --pgm none/at.pgm
    refused 4 'not a regular file' "$CHOIR_BIN" heads map -p x --pgm /dev/null
    refused 2 'no head left' "$CHOIR_BIN" heads prune-scan -f "$BATS_TEST_FILENAME" -c 48 --chunks 1 \
        --mask-heads "$("$CHOIR_BIN" heads cost --json | jq -r '[range(.n_layers) | "L\(.)H*"] | join(",")')"
    refused 2 'heads cost has no use for --layer' "$CHOIR_BIN" heads cost --layer 1
    refused 2 'heads map has no use for --chunks' "$CHOIR_BIN" heads map -p x --chunks 1
    refused 2 'heads prune has no use for a text' "$CHOIR_BIN" heads prune x.gguf -p x
    refused 2 'heads map: an argument is too many' "$CHOIR_BIN" heads map x
}

@test "heads map: maps keep to --mem-limit beside model and engine" {
    for _ in {1..60}; do printf 'Tom has a red ball and a big dog. '; done >text
    refused 5 'are left: choose fewer with --layer, --head and --from' "$CHOIR_BIN" heads map -f text --csv -t 1 --mem-limit 30M
    "$CHOIR_BIN" heads map -f text --csv -t 1 --mem-limit 30M --layer 0 --head 0 >/dev/null
    "$CHOIR_BIN" heads map -f text --csv -t 1 --mem-limit 30M --from -5 >/dev/null
    # a page stands beside the maps
    "$CHOIR_BIN" heads map -f text --csv -t 1 --mem-limit 60M >/dev/null
    refused 5 'are left: choose fewer with --layer, --head and --from' "$CHOIR_BIN" heads map -f text -t 1 --mem-limit 60M --html x.html
}

@test "heads cost: the known figures of GPT-3 and of a model with eight key/value heads" {
    need jq
    mkdir gpt3 llama
    echo '{"model_type":"gpt2","n_embd":12288,"n_layer":96,"n_head":96,"n_positions":2048,"vocab_size":50257,
        "activation_function":"gelu_new","layer_norm_epsilon":1e-5}' >gpt3/config.json
    "$CHOIR_BIN" heads cost gpt3/config.json -c 4096 --json >json
    jq -e '.parameters.total == 57982058496 and .parameters_layer.wq == 150994944 and .kv_bytes == 18 * 1073741824
        and (.kv_forms[] | select(.n_kv_heads == 1).bytes) == 18 * 1073741824 / 96
        and .operations_token.projections == 2 * .parameters.total and .operations_token.scores == 2 * 96 * 12288 * 4096' json
    "$CHOIR_BIN" heads cost gpt3 -c 4096 | grep -q '18.0 GiB.*multi-head'
    echo '{"model_type":"llama","hidden_size":8192,"intermediate_size":28672,"num_hidden_layers":80,"num_attention_heads":64,
        "num_key_value_heads":8,"vocab_size":32000,"max_position_embeddings":4096,"hidden_act":"silu","rms_norm_eps":1e-5,
        "rope_theta":10000.0,"tie_word_embeddings":false}' >llama/config.json
    "$CHOIR_BIN" heads cost llama --json >json
    jq -e '.parameters_layer == {wq: 67108864, wk: 8388608, wv: 8388608, wo: 67108864, total: 150994944}
        and .kv_bytes == 1342177280 and (.kv_forms[] | select(.n_kv_heads == 64).bytes) == 8 * .kv_bytes' json
    "$CHOIR_BIN" heads cost --json -m llama --kv-type q8_0 | jq -e '.kv_bytes == 1342177280 / 2 * 34 / 32'
    "$CHOIR_BIN" heads cost | grep -q "grouped-query, the model's"
}

# A text of 1,200 tokens or so, always the same.
make_text() {
    local i
    for ((i = 0; i < 60; i++)); do
        printf 'Once upon a time there was a little girl who had %d red balls. She saw a big dog. ' "$i"
    done >text
}

@test "heads report: each head's figures are in range, its kind follows from them, one looks at the token before" {
    need jq
    make_text
    "$CHOIR_BIN" heads report -f text --chunks 2 --json >json
    jq -e '(.heads | length) == .n_layers * .n_heads and .windows == 2 and .window == 256 and .tokens == 512
        and all(.heads[]; . as $h | all(.entropy_share, .sink, .previous, .self, .same_token, .induction, .sharpness, .local;
                . >= 0 and . <= 1.00001)
            and .entropy >= 0 and .entropy <= 8 and .distance >= 0 and .distance <= 255
            and ((.kind == "uniform") == (.entropy_share >= 0.98))
            and (.kind != "previous-token" or .previous >= 0.4) and (.kind != "sink" or .sink >= 0.4))
        and any(.heads[]; .previous >= 0.25)
        and (.divergence | length) == (.heads | length) and all(.layers[]; .collapsed == false and .inside >= 0 and .across <= 1)' json
    jq -e '. as $r | all(range(.heads | length); . as $a | $r.divergence[$a][$a] == 0
        and all(range($r.heads | length); $r.divergence[$a][.] == $r.divergence[.][$a]))' json
    "$CHOIR_BIN" heads report -f text --chunks 2 >table
    [ "$(grep -cE '^L[0-9]+H[0-9]+ ' table)" -eq "$(jq '.heads | length' json)" ]
    grep -q 'most on the previous token' table
    "$CHOIR_BIN" heads report -f text --chunks 2 --json -t 3 -b 100 | cmp - json
    refused 6 'a window of 4 tokens says nothing' "$CHOIR_BIN" heads report -p 'Tom has a'
}

@test "heads report: the built-in model has heads that look at the token before, and heads that rest on the first" {
    need jq
    for seed in 1 2 3; do
        "$CHOIR_BIN" generate -p 'Once upon a time' --seed $seed -n 400 -c 512
        echo
    done >text
    "$CHOIR_BIN" heads report -f text -c 200 --json >json
    jq -e '[.heads[].kind] | index("previous-token") and index("sink")' json
}

@test "heads report: the progress bar counts windows" {
    make_text
    for _ in {1..40}; do cat text; done >long
    terminal "'$CHOIR_BIN' heads report -f long --chunks 1000 --cpu reference -t 1"
    sees '%  window ' # of so many, and no bytes
    keys C-c
    sees 'left 130'
}

@test "heads: in a window of 50 columns no line is broken by the terminal" {
    make_text
    terminal "{ '$CHOIR_BIN' heads report -f text --chunks 1; '$CHOIR_BIN' heads explain -p 'Once upon a'; \
        '$CHOIR_BIN' heads cost; '$CHOIR_BIN' heads map -p 'Tom has a ball. Tom'; \
        '$CHOIR_BIN' heads map -p 'Tom has a ball. Tom' --layer 1 --head 1; }" 50 40
    sees 'left 0'
    screen | grep -q '^L4H0  '
    [ "$(screen | wc -l)" -eq "$(screen -J | wc -l)" ]
}

@test "heads report: a model whose heads look at nothing is told so" {
    local vocabulary
    vocabulary=$(dirname "$BATS_TEST_FILENAME")/../golden/tokenizers/added/tokenizer.model
    # llama2.c: dim 64, feed-forward 64, 2 layers, 4 heads, 4 key/value heads, 500 pieces, context 128; all weights 0
    printf '\100\0\0\0\100\0\0\0\2\0\0\0\4\0\0\0\4\0\0\0\364\1\0\0\200\0\0\0' >zeros.bin
    truncate -s $((28 + 4 * (500 * 64 + 2 * (2 * 64 + 4 * 64 * 64 + 3 * 64 * 64) + 64 + 128 * 16))) zeros.bin
    make_text
    "$CHOIR_BIN" heads report -m zeros.bin --tokenizer "$vocabulary" -f text --chunks 1 >table
    [ "$(grep -c '^L[01]H[0-3] *uniform ' table)" -eq 8 ]
    grep -qx 'layer 0: every head is uniform: it averages and looks at nothing' table
}

@test "heads explain: the shares of all parts add up to the logit, and the last layer says what the model says" {
    need jq
    "$CHOIR_BIN" heads explain -p 'Once upon a time there was a' --kv-type f32 --quant f32 --json >json
    "$CHOIR_BIN" heads explain -p 'Once upon a time there was a' --kv-type f32 --json |
        jq -e '((.embedding + .attention_biases + .constant + .rounded_inputs + ([.layers[].heads[], .layers[].feed_forward] | add)
            - .logit) / .largest_logit | fabs) <= 1e-5'
    jq -e '((.embedding + .attention_biases + .constant + ([.layers[].heads[], .layers[].feed_forward] | add) - .logit) / .largest_logit
            | fabs) <= 1e-5 and (.rounded_inputs / .largest_logit | fabs) <= 1e-5
        and (.rounding / .largest_logit | fabs) <= 1e-5 and .lens[-1].rank == 1 and .lens[-1].top[0].id == .id
        and .lens[-1].logprob == .logprob and .lens[0].layer == -1 and (.lens | length) == (.layers | length) + 1' json
    "$CHOIR_BIN" generate -p 'Once upon a time there was a' -n 1 --temp 0 --quant f32 --kv-type f32 --json --logprobs 1 >want
    [ "$(jq '.choices[0].logprobs.token_logprobs[0] * 10000 | round' want)" = "$(jq '.logprob * 10000 | round' json)" ]
    [ "$(jq -r .token json)" = "$(jq -r '.choices[0].text' want)" ]
    "$CHOIR_BIN" heads explain -p 'Once upon a time there was a' --token 300 --top 2 --json |
        jq -e '.id == 300 and .lens[-1].rank > 1 and all(.lens[].top; length == 2)'
    "$CHOIR_BIN" heads explain -p 'Once upon a time there was a' --top 100 --json | jq -e 'all(.lens[].top; length == 100)'
    "$CHOIR_BIN" heads explain -p 'Once upon a time there was a' >table
    grep -q '^  layer 0 ' table
    grep -q 'they add up to it but for rounding' table
    refused 2 '--token: 99999999 is not in the vocabulary' "$CHOIR_BIN" heads explain -p x --token 99999999
}

@test "heads prune-scan: a head's price is what perplexity says without it; all heads are ranked, and dropped together" {
    need jq
    make_text
    "$CHOIR_BIN" heads prune-scan -f text -c 48 --chunks 2 --json >json
    jq -e '(.heads | map(.nll_change)) as $x | $x == ($x | sort)
        and all(.heads[]; .dropped == 1 and .price_error >= 0) and (.heads | map([.layer, .head]) | unique | length) == (.heads | length)
        and .curve[0].nll_change == .heads[0].nll_change and .curve[-1].dropped == (.heads | length)
        and (.heads | length) > 8 and .tokens == 46' json
    for mask in '' L1H1; do
        want=$("$CHOIR_BIN" perplexity -f text -c 48 --chunks 2 --json ${mask:+--mask-heads $mask} | jq .perplexity)
        jq -e --argjson want "$want" --arg mask "$mask" '(if $mask == "" then .perplexity
            else .heads[] | select(.layer == 1 and .head == 1).perplexity end) / $want - 1 | fabs < 1e-9' json
    done
    "$CHOIR_BIN" heads prune-scan -f text -c 48 --chunks 2 --mask-heads 'L0H*' >table
    grep -q '^without one head, cheapest first' table
    ! grep -q '^L0H' table || false                       # is priced already
    grep -q -- '--mask-heads L0H\*,' table # what it names is what was measured
    refused 6 'windows of 256 need at least' "$CHOIR_BIN" heads prune-scan -p 'Once upon a time'
}

@test "heads: a model all of whose layers see a window only has prices, and a cache of that window" {
    need jq
    need python3
    make_text
    "$BATS_TEST_DIRNAME/../../tools/make_model.py" --dim 64 --hidden 96 --layers 2 --heads 4 --kv-heads 2 --vocab 512 \
        --context 256 --type f32 -o win
    jq '.model_type = "mistral" | .architectures = ["MistralForCausalLM"] | .sliding_window = 16' win/config.json >config
    mv config win/config.json
    "$CHOIR_BIN" heads prune-scan -m win -f text -c 64 --chunks 1 --json >json
    want=$("$CHOIR_BIN" perplexity -m win -f text -c 64 --chunks 1 --json --mask-heads L1H2 | jq .perplexity)
    jq -e --argjson want "$want" '(.heads[] | select(.layer == 1 and .head == 2).perplexity) / $want - 1 | fabs < 1e-9' json
    "$CHOIR_BIN" heads cost win --json | jq -e '.ctx_size == 256 and .kv_tokens == 16 and .kv_bytes == 16 * 2 * 2 * 2 * 16 * 2'
}

@test "heads prune-scan --rerank: the second to go is the cheapest of a model that lacks the first" {
    need jq
    make_text
    local left
    left=$("$CHOIR_BIN" heads cost --json | jq -r '[range(.n_layers) as $l | range(.n_heads) as $h | "L\($l)H\($h)"]
        | map(select(IN("L0H1", "L1H3", "L3H0", "L5H2") | not)) | join(",")')
    "$CHOIR_BIN" heads prune-scan -f text -c 48 --chunks 2 --json --mask-heads "$left" >once
    "$CHOIR_BIN" heads prune-scan -f text -c 48 --chunks 2 --json --mask-heads "$left" --rerank >again
    jq -e --slurpfile once once '.rerank and ($once[0].rerank | not) and .heads == $once[0].heads
        and .curve[0] == $once[0].curve[0] and .curve[-1].perplexity == $once[0].curve[-1].perplexity
        and ([.order, $once[0].order, [.heads[] | "L\(.layer)H\(.head)"]] | map(sort) | unique | length) == 1' again
    "$CHOIR_BIN" heads prune-scan -f text -c 48 --chunks 2 --json --mask-heads "$left,$(jq -r '.order[0]' again)" >next
    jq -e --slurpfile next next '.order[1] == $next[0].order[0] and (.curve[1].perplexity / $next[0].curve[0].perplexity - 1 | fabs) < 1e-9' again
}

@test "heads prune: the text is that of the masked heads, from a smaller file where every layer loses as many" {
    need jq
    # of each layer the first head of each group, a head alone and a layer
    masks=("$("$CHOIR_BIN" heads cost --json | jq -r '[range(.n_layers) as $l | range(.n_kv_heads) as $g
        | "L\($l)H\($g * .n_heads / .n_kv_heads)"] | join(",")')" 'L0H0,L1H*')
    says=(removed zero)
    for i in 0 1; do
        "$CHOIR_BIN" heads prune pruned.gguf --mask-heads "${masks[i]}" >out
        grep -q "^pruned.gguf: .*${says[i]}" out
        "$CHOIR_BIN" generate -m pruned.gguf -p 'Once upon a time' -n 24 -s 5 >got
        "$CHOIR_BIN" generate -p 'Once upon a time' -n 24 -s 5 --mask-heads "${masks[i]}" | cmp - got
    done
    refused 2 'the name of the new file' "$CHOIR_BIN" heads prune --mask-heads L0H0
    refused 2 'the heads that shall go' "$CHOIR_BIN" heads prune x.gguf
    refused 2 'there is no head 99 in layer 0' "$CHOIR_BIN" heads prune x.gguf --mask-heads L0H99
    [ ! -e x.gguf ]
}
