# choir bench: rows, formats, comparison.  No speed is tested here, only that it is told.

load helper

@test "a Markdown table: one row for each combination, then the limits" {
    run --separate-stderr choir bench -p 8,16 -n 4 -d 0,8 -t 1,2 --n-seqs 1,2 -r 1 -q
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [ "$(printf '%s\n' "$output" | grep -c '^| ')" -eq $((2 + 3 * 2 * 2 * 2)) ]
    for name in pp8 pp16 'pp8 @ d8' 'tg4' 'tg4 @ d8 x2' 'pp16 x2'; do
        [[ "$output" == *"| $name "* ]]
    done
    [[ "$output" == *"limits with 2 threads: read "*" GB/s, multiply-add "*" GOP/s"* ]]
}

@test "on a terminal the table has the columns that fit, and tells of the others" {
    load terminal
    for columns in 44 60 120; do
        terminal "'$CHOIR_BIN' bench ${model[*]} -p 8 -n 4 -r 2 -t 1 -q" $columns 30
        sees 'left 0'
        screen -J >out
        [ "$(grep '^|' out | awk '{ if (length($0) > most) most = length($0) } END { print most }')" -le $((columns + 1)) ] # a two-byte sign
        grep -q '^| .*test .*tok/s ' out
        [ "$(grep '^|' out | grep -c 'of the limit')" -eq $((columns >= 60)) ]
        [ "$(grep '^|' out | grep -c 'p50 / p95')" -eq $((columns >= 120)) ]
        grep -q '^in a wider window, or in a file:' out
        tr '\n' ' ' <out | grep -q 'in a file:.* MB/token.*; kernels'
        grep -q 'parameters,' out
        run grep '^| model' out
        [ "$status" -eq 1 ]
    done
}

@test "on a terminal no line is broken by the window, and rows can be told apart" {
    load terminal
    local rows
    for columns in 44 60 80 100; do
        terminal "'$CHOIR_BIN' bench ${model[*]} -p 8 -n 4 -d 8 --n-seqs 16 -r 2 -t 1,2 -q" $columns 30
        sees 'left 0'
        screen >out
        cat out
        [ "$(wc -l <out)" -eq "$(screen -J | wc -l)" ]
        rows=$(sed -n 's/^| *\([12]\) | \([pt][pg][48] @ d8 x16\) |.*[0-9] |.*/\1 \2/p' out)
        [ "$rows" = $'1 pp8 @ d8 x16\n1 tg4 @ d8 x16\n2 pp8 @ d8 x16\n2 tg4 @ d8 x16' ]
    done
    terminal "'$CHOIR_BIN' bench ${model[*]} -p 8 -n 4 -r 1 -t 1,2 -q" 20 50
    sees 'left 0'
    [ "$(screen | grep -cE '^\| (pp8|tg4)  *\| +[0-9.]+ \|$')" -eq 4 ] # the least: tests and speeds
}

@test "names of any script keep the columns of the table, and are cut as everywhere" {
    load terminal
    need_stories
    cp "$stories/stories260K.bin" 日本語.bin
    terminal "'$CHOIR_BIN' bench -m 日本語.bin -p 8 -n 4 -r 1 -t 1 -q" 200 30
    sees 'left 0'
    screen >out
    cat out
    grep -q '^| 日本語.bin       |' out # 10 columns of 16
    long=$(printf 'é%.0s' {1..60}).bin
    cp "$stories/stories260K.bin" "$long"
    "$CHOIR_BIN" bench -m "$long" -p 8 -n 0 -r 1 -q >out
    grep -q "^| $(printf 'é%.0s' {1..48})\.\.\. | " out
}

@test "-o json has llama-bench's fields and ours, and they agree" {
    need jq
    choir bench -p 8 -n 4 -r 3 -t 1 -o json >out
    jq -e 'length == 2' out
    for field in build_commit cpu_info model_filename model_type model_size model_n_params n_threads type_k type_v n_prompt \
        n_gen n_depth test_time avg_ns stddev_ns avg_ts stddev_ts samples_ns samples_ts n_seqs first_token_ns token_p50_ns \
        token_p95_ns token_p99_ns bytes_per_token gb_per_s gop_per_s limit limit_share limit_ts gop_per_s ops_per_token noisy noise noise_spread noise_steal noise_waited noise_throttled \
        mhz_lowest mhz_highest peak_memory kernels; do
        jq -e "all(.[]; has(\"$field\"))" out
    done
    [ "$(choir bench -p 0 -n 2 -r 1 -q --kv-type q8_0 -o jsonl | jq -r '.type_k + .type_v')" = q8_0q8_0 ]
    jq -e '.[0] | .n_prompt == 8 and .n_gen == 0 and (.samples_ns | length) == 3' out
    jq -e '.[1] | .n_prompt == 0 and .n_gen == 4 and .token_p50_ns > 0 and .token_p99_ns >= .token_p50_ns' out
    jq -e 'all(.[]; ((.samples_ts | add / length) - .avg_ts | fabs) < 1e-6 * .avg_ts)' out
    jq -e '.[1] | (.samples_ns[0] * .samples_ts[0] / 1e9 - 4 | fabs) < 0.001' out
}

@test "-o jsonl and -o csv" {
    need jq
    choir bench -p 8 -n 4 -r 1 -o jsonl >out
    [ "$(wc -l <out)" -eq 2 ]
    [ "$(jq -s length out)" -eq 2 ]
    choir bench -p 8 -n 4 -r 1 -o csv >out
    [ "$(wc -l <out)" -eq 3 ]
    need python3
    python3 - <<'END'
import csv
rows = list(csv.reader(open("out")))
assert len({len(row) for row in rows}) == 1 and len(set(rows[0])) == len(rows[0])
assert [row[rows[0].index("test")] for row in rows[1:]] == ["pp8", "tg4"]
assert all(float(row[rows[0].index("avg_ts")]) > 0 and row[rows[0].index("noise_spread")] == "" for row in rows[1:])
END
}

@test "-p 0 and -n 0 leave a test out" {
    need jq
    [ "$(choir bench -p 0 -n 4 -r 1 -o jsonl | jq -s -c 'map(.test)')" = '["tg4"]' ]
    [ "$(choir bench -p 4 -n 0 -r 1 -o jsonl | jq -s -c 'map(.test)')" = '["pp4"]' ]
}

@test "the defaults leave room for the greatest depth" {
    need_stories jq
    [ "$(choir bench -n 0 -d 0,509 -r 1 -q -o jsonl | jq -s -c 'map(.test)')" = '["pp3","pp3 @ d509"]' ]
}

@test "lists and lengths are checked before anything is measured" {
    refused 2 '-p: "x" is not a whole number' choir bench -p 1,x
    refused 2 '-t: "0" is not' choir bench -t 1,0
    refused 2 'tokens, the model was made for at most' choir bench -p 100000000
    refused 2 'bench takes only: compare A.json B.json' choir bench foo
    refused 2 '-o: "xml" is none of: md json jsonl csv' choir bench -o xml
}

# row N_PROMPT SAMPLES: one test as JSON
row() {
    printf '{"model_filename":"/x/m.gguf","n_prompt":%d,"n_gen":0,"n_depth":0,"n_threads":1,"samples_ts":[%s]}' "$1" "$2"
}

@test "compare: ratio and 95 % interval of the tests that both have" {
    echo "[$(row 8 100,101,99,100),$(row 16 100,110,90,100),$(row 32 5)]" >a.json
    { row 8 200,202,198,200; echo; row 16 101,111,91,101; echo; row 32 10; } >b.json
    run --separate-stderr "$CHOIR_BIN" bench compare a.json b.json
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [[ "${lines[2]}" == *"| pp8 "*" 2.000 |"*"| faster "* ]]
    [[ "${lines[2]}" =~ 1\.9[0-9]*\ to\ +2\.0 ]]
    [[ "${lines[3]}" == *"| pp16 "*"| undecided "* ]] # 0.88 to 1.16
    [[ "$("$CHOIR_BIN" bench compare a.json a.json)" == *"| pp8 "*"| no difference "*"| pp16 "*"| undecided "* ]]
    [[ "${lines[4]}" == *"| pp32 "*" 2.000 |"*"one run is no interval"* ]]
    run --separate-stderr "$CHOIR_BIN" bench compare b.json a.json
    [[ "${lines[2]}" == *" 0.500 |"*"| slower "* ]]
}

@test "compare reads what bench writes" {
    choir bench -p 4 -n 4 -r 2 -o json >a.json
    run --separate-stderr "$CHOIR_BIN" bench compare a.json a.json
    [ "$status" -eq 0 ]
    [ "$(printf '%s\n' "$output" | grep -cE '\| (no difference|undecided) ')" -eq 2 ]
}

@test "compare: the runs of a test that stands twice in a file count together" {
    { row 8 100,101; echo; row 16 5,6; echo; row 8 99,100; } >a.jsonl
    { row 8 200,202; echo; row 8 198,200; echo; row 16 5,6; } >b.jsonl
    run --separate-stderr "$CHOIR_BIN" bench compare a.jsonl b.jsonl
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [ "${#lines[@]}" -eq 4 ]
    echo "$(row 8 100,101,99,100)" >a4.json
    echo "$(row 8 200,202,198,200)" >b4.json
    [ "$("$CHOIR_BIN" bench compare a4.json b4.json | grep pp8)" = "$(grep pp8 <<<"$output")" ]
}

@test "compare: the interval is Welch's, of the logarithms" {
    need python3
    row 8 100,104,97,103,99 >a.json
    row 8 108,99,111,104 >b.json
    "$CHOIR_BIN" bench compare a.json b.json >out
    python3 - <<'END'
import math, re
def stats(x):
    x = [math.log(v) for v in x]
    mean = sum(x) / len(x)
    return mean, sum((v - mean) ** 2 for v in x) / (len(x) - 1) / len(x), len(x)
(ma, va, na), (mb, vb, nb) = stats([100, 104, 97, 103, 99]), stats([108, 99, 111, 104])
df = (va + vb) ** 2 / (va ** 2 / (na - 1) + vb ** 2 / (nb - 1))
assert 4.5 < df < 5.5, df
def density(t):
    return math.gamma((df + 1) / 2) / math.gamma(df / 2) / math.sqrt(df * math.pi) * (1 + t * t / df) ** (-(df + 1) / 2)
t, p, step = 0.0, 0.5, 1e-4
while p < 0.975:
    p += density(t + step / 2) * step
    t += step
want = [math.exp(mb - ma + s * t * math.sqrt(va + vb)) for s in (0, -1, 1)]
got = [float(x) for x in re.search(r"\| +([0-9.]+) \| +([0-9.]+) to +([0-9.]+) \|", open("out").read()).groups()]
# the quantile of 4 degrees of freedom is taken below 5: the interval may be wider, never narrower
assert abs(got[0] - want[0]) < 0.001 and want[1] - 0.01 < got[1] < want[1] + 0.001 and want[2] - 0.001 < got[2] < want[2] + 0.01, (got, want)
END
}

@test "compare: two models that have a file each, and files from noisy machines" {
    row 8 1,2 >a.json
    row 8 1,2 | sed 's/m.gguf/n.gguf/; s/"n_gen"/"noisy":true,"n_gen"/' >b.json
    run --separate-stderr "$CHOIR_BIN" bench compare a.json b.json
    [ "$status" -eq 0 ]
    [[ "$output" == *"| m.gguf, n.gguf "*"| undecided "* ]]
    [ "$stderr" = 'choir: warning: b.json: 1 of 1 tests were measured on a noisy machine' ]
    { cat b.json; row 8 1,2 | sed 's/m.gguf/o.gguf/'; } >two.json
    refused 3 'no test in common' "$CHOIR_BIN" bench compare a.json two.json
}

@test "a noisy machine is told of in one line below the table, by -o json too, and not with -q" {
    need jq
    choir bench -p 0 -n 3 -r 4 -o json >out 2>err
    noisy=$(jq '.[0].noisy' out)
    [ "$(jq '.[0] | .noisy == (.noise != "")' out)" = true ]
    jq -e '.[0] | (.noise_spread - .stddev_ts / .avg_ts | fabs) < 1e-9' out
    jq -e '.[0] | .noisy or .noise_spread <= 0.05' out
    if [ "$noisy" = true ]; then
        [ "$(wc -l <err)" -eq 1 ]
        grep -qF "choir: warning: too noisy to trust, 1 of 1 tests: $(jq -r '.[0].noise' out)" err
    else
        [ ! -s err ]
    fi
    choir bench -p 0 -n 3 -r 4 -q >out 2>err
    [ ! -s err ]
}

@test "noise: two processes on one processor are seen" {
    need taskset jq
    [ -r /proc/self/schedstat ] || skip 'the kernel tells no waiting times'
    cpu=$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')
    taskset -c "$cpu" bash -c 'while :; do :; done' &
    other=$!
    taskset -c "$cpu" "$CHOIR_BIN" bench "${model[@]}" -p 0 -n 64 -r 8 -t 1 -o json >out 2>err || code=$?
    kill $other
    [ "${code:-0}" -eq 0 ]
    jq -e '.[0] | .noisy and .noise_waited > 0.05' out
    grep -q 'no processor was free' err
}

@test "--plot: a picture that is XML and holds the numbers of the JSON" {
    need jq
    choir bench -p 4 -n 3 -d 0,8,4 --n-seqs 1,2 -r 2 -t 1 -o json --plot plot.svg -q >out
    [ "$(echo plot.svg*)" = plot.svg ]
    if command -v xmllint >/dev/null; then
        xmllint --noout plot.svg
    fi
    [ "$(grep -c '<circle class="f[0-7]" cx="[0-9.]*" cy="[0-9.]*" r="4"/></g>' plot.svg)" -eq 24 ] # each test in two panels
    jq -r '.[] | "\(.test)\t\(.avg_ts)\t\(.stddev_ts)"' out >tests
    while IFS=$'\t' read -r name avg stddev; do
        [ "$(grep -cF "<title>$name, 1 thread: $(printf '%.2f ± %.2f' "$avg" "$stddev") tok/s, limit " plot.svg)" -eq 2 ]
    done <tests
    # the limit of the best read and multiply-add speeds that were seen
    jq -r '([.[].limit_gb_per_s] | max) as $r | ([.[].limit_gop_per_s] | max) as $o | .[] |
        [1e9 * $r / .bytes_per_token, 1e9 * $o / .ops_per_token] | min' out >limits
    grep -o 'limit [0-9.]*</title>' plot.svg | tr -dc '0-9.\n' | sort -n | uniq >drawn
    sort -n limits | awk 'NR == FNR {want[NR] = $1; n = NR; next} {ok = 0; for (i = 1; i <= n; i++) {d = $1 / want[i] - 1; ok = ok || (d < 0.001 && d > -0.001)}; if (!ok) exit 1}' - drawn
    [ "$(grep -c 'prefers-color-scheme:dark' plot.svg)" -eq 1 ]
    [ "$(grep -c '<path class="limit c' plot.svg)" -eq 10 ] # by depth 2 + 2, by number of texts 3 + 3
    ! grep -qE '<script|<image|url\(|@import|(href|src)=' plot.svg || false
}

@test "--plot: names are escaped, and the file is there whole or not at all" {
    need_stories
    cp "$stories/stories260K.bin" '<a&"b>.bin'
    "$CHOIR_BIN" bench -m '<a&"b>.bin' -p 0 -n 2 -r 1 -d 0,4 --plot plot.svg -q >out
    grep -qF '&lt;a&amp;&quot;b&gt;.bin' plot.svg
    if command -v xmllint >/dev/null; then
        xmllint --noout plot.svg
    fi
    echo old >old.svg
    ln -s old.svg link.svg
    "$CHOIR_BIN" bench -m '<a&"b>.bin' -p 0 -n 2 -r 1 -d 0,4 --plot link.svg -q >out
    [ -L link.svg ]
    grep -q '^<svg' old.svg
    refused 2 '--plot draws over lists' choir bench -p 4 -n 0 --plot x.svg
    refused 4 'none/x.svg: No such file' choir bench -d 0,4 -n 2 --plot none/x.svg
    refused 4 '.: Is a directory' choir bench -d 0,4 -n 2 --plot .
    refused 4 '/dev/full: not a regular file' choir bench -d 0,4 -n 2 --plot /dev/full
    [ "$(ls -d -- *.tmp 2>/dev/null)" = '' ]
    echo kept >log # what stdout goes to is not replaced under it
    run -4 --separate-stderr bash -c '"$0" bench "$@" -d 0,4 -n 2 --plot /dev/stdout >>log' "$CHOIR_BIN" "${model[@]}"
    [ "$stderr" = 'choir: /dev/stdout: stdout or stderr goes there' ]
    [ "$(cat log)" = kept ]
}

@test "compare refuses what is no result" {
    echo '[{"n_prompt":1}]' >bad.json
    row 8 1,0 >zero.json
    row 8 1,2 >good.json
    row 9 1,2 >other.json
    echo '[' >cut.json
    refused 3 'bad.json: test 1' "$CHOIR_BIN" bench compare good.json bad.json
    refused 3 'samples_ts: element 2' "$CHOIR_BIN" bench compare good.json zero.json
    { printf '%0100d' 0 | tr 0 '['; } >deep.json
    refused 3 'deep.json: line 1: nested deeper than 64' "$CHOIR_BIN" bench compare good.json deep.json
    refused 3 'cut.json: line' "$CHOIR_BIN" bench compare cut.json good.json
    refused 3 'no test in common' "$CHOIR_BIN" bench compare good.json other.json
    refused 4 'none.json: No such file' "$CHOIR_BIN" bench compare good.json none.json
    refused 2 'bench compare has no use for -o' "$CHOIR_BIN" bench compare good.json good.json -o json
    refused 2 'bench compare has no use for --plot' "$CHOIR_BIN" bench compare good.json good.json --plot p.svg
}

@test "a model without a tokenizer, or with one that is not supported, is measured all the same" {
    need_stories
    cp "$stories/stories260K.bin" .
    run --separate-stderr "$CHOIR_BIN" bench -m stories260K.bin -p 8 -n 4 -r 1
    [ "$status" -eq 0 ]
    [[ "$output" == *"| tg4 "* ]]
    printf 'no tokenizer' >tokenizer.model
    "$CHOIR_BIN" bench -m stories260K.bin -p 8 -n 4 -r 1
    refused 3 'tokenizer.model' "$CHOIR_BIN" generate -m stories260K.bin -p x
}

@test "nothing to measure is refused" {
    refused 2 '-p 0 and -n 0 together' choir bench -p 0 -n 0
    refused 2 '-p 0 and -n 0 together' choir bench -p 0,0 -n 0
    choir bench -p 0 -n 2 -r 1
}
