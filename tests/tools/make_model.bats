# tools/make_model.py: what it writes is read by the program, and holds what it says.

load ../cli/helper

shape=(--dim 64 --hidden 96 --layers 2 --heads 4 --kv-heads 2 --vocab 300 --context 64)

make_model() {
    "$BATS_TEST_DIRNAME/../../tools/make_model.py" "$@"
}

setup_file() {
    command -v python3 >/dev/null || skip "python3 is not installed"
}

# story MODEL: the greedy text after "ab", whatever it is
story() {
    "$CHOIR_BIN" generate -m "$1" -p ab -n 12 --temp 0 -t 1
}

@test "the same weights as GGUF and as a llama2.c file tell the same" {
    make_model "${shape[@]}" --type f32 -o a.gguf
    make_model "${shape[@]}" --type f32 -o a.bin
    make_model "${shape[@]}" --type f32 -o folder
    cp folder/tokenizer.model .
    story a.gguf >gguf
    story a.bin >bin
    [ -s gguf ]
    cmp gguf bin
    make_model "${shape[@]}" --type f32 --seed 2 -o b.gguf
    story b.gguf >other
    ! cmp -s gguf other || false
}

@test "a folder's tokenizer is that of the GGUF file" {
    make_model "${shape[@]}" --vocab 500 --type f16 -o a.gguf
    make_model "${shape[@]}" --vocab 500 --type f16 -o folder
    story folder >out
    [ -s out ]
    "$CHOIR_BIN" tokenize -m a.gguf -p $'ab caaa\n\xc3\xa9' >gguf
    "$CHOIR_BIN" tokenize -m folder -p $'ab caaa\n\xc3\xa9' >folder.ids
    [ "$(wc -l <gguf)" -gt 8 ]
    cmp gguf folder.ids
}

@test "every type that choir reads is computed with" {
    for type in f32 f16 bf16 q8_0 q4_0 q4_1 q5_0 q5_1 q2_K q3_K q4_K q5_K q6_K q4_K_M; do
        make_model "${shape[@]}" --dim 256 --hidden 256 --type $type -o m.gguf
        story m.gguf >out
        [ -s out ]
    done
    make_model "${shape[@]}" --type q8_0 --tied -o m.bin
    "$CHOIR_BIN" bench -m m.bin -p 4 -n 2 -r 1
}

@test "the same command writes the same bytes, and as many as the type has" {
    local wide=(--dim 256 --hidden 512 --layers 8 --heads 4 --kv-heads 4 --vocab 260 --context 64)
    local weights=$((8 * (4 * 256 * 256 + 3 * 256 * 512) + 2 * 260 * 256)) norms=$((17 * 256 * 4))
    local type block
    for block in f32:1024 bf16:512 q8_0:272 q4_0:144 q4_1:160 q5_0:176 q5_1:192 q2_K:84 q3_K:110 q4_K:144 q5_K:176 q6_K:210; do
        type=${block%:*}
        make_model "${wide[@]}" --type "$type" -o m.gguf
        tensors=$((weights / 256 * ${block#*:} + norms))
        [ $(($(stat -c %s m.gguf) - tensors)) -gt 0 ]
        [ $(($(stat -c %s m.gguf) - tensors)) -lt 16000 ] # vocabulary, names, padding
    done
    make_model "${wide[@]}" --type q6_K -o again.gguf
    cmp m.gguf again.gguf
}

@test "a mix gives more bits to the output, and to the values and the way down of half of the layers" {
    cd "$BATS_TEST_DIRNAME/../../tools"
    PYTHONDONTWRITEBYTECODE=1 python3 -c '
import argparse, make_model
def six(tied):
    a = argparse.Namespace(experts=0, dim=256, hidden=512, layers=22, heads=4, kv_heads=4, head_dim=64, vocab=260, type="q4_K_M", tied=tied)
    kinds = {t.gguf[:-7]: t.kind for t in make_model.tensors(a)}
    assert set(kinds.values()) == {"f32", "q4_K", "q6_K"}
    return [name for name, kind in kinds.items() if kind == "q6_K"]
layers = [0, 1, 4, 7, 10, 13, 16, 19, 20, 21]
inside = [f"blk.{i}.{role}" for i in layers for role in ("attn_v", "ffn_down")]
assert six(False) == inside + ["output"], six(False)
assert six(True) == ["token_embd"] + inside, six(True)
'
}

@test "experts: only those a token is routed to count as read" {
    local small=(--dim 64 --hidden 96 --layers 2 --heads 2 --kv-heads 1 --vocab 300 --context 64 --type q8_0)
    make_model "${small[@]}" --experts 6 --experts-used 2 -o m.gguf
    "$CHOIR_BIN" info -m m.gguf --json >info
    need jq
    jq -e '.parameters | .experts == 2 * 6 * 3 * 64 * 96 and .router == 2 * 6 * 64 and
           .total - .active == 2 * 4 * 3 * 64 * 96' info
    "$CHOIR_BIN" generate -m m.gguf -p 'one two' -n 8 --temp 0 --ignore-eos -t 1 >one
    "$CHOIR_BIN" generate -m m.gguf -p 'one two' -n 8 --temp 0 --ignore-eos -t 3 --batch 1 >three
    cmp one three
    refused_experts=$(make_model "${small[@]}" --experts 6 --experts-used 7 -o n.gguf 2>&1) && return 1
    [[ "$refused_experts" == *"--experts-used"* ]]
}

@test "quantized blocks have mean 0 and variance 1/columns" {
    # decoded here by hand, one type of each family
    cd "$BATS_TEST_DIRNAME/../../tools"
    PYTHONDONTWRITEBYTECODE=1 python3 -c '
import random, statistics, struct, make_model
rng = random.Random(1)
def f16(b): return struct.unpack("<e", b)[0]
def q8_0(b): return [f16(b[:2]) * q for q in struct.unpack("32b", b[2:])]
def q5_1(b):
    high = int.from_bytes(b[4:8], "little")
    low = [x & 15 for x in b[8:]] + [x >> 4 for x in b[8:]]
    return [f16(b[:2]) * (low[j] | (high >> j & 1) << 4) + f16(b[2:4]) for j in range(32)]
def q6_K(b):
    out = []
    for half in range(2):
        ql, qh, sc = b[64 * half:], b[128 + 32 * half:], struct.unpack("8b", b[192 + 8 * half:200 + 8 * half])
        for j in range(128):
            low = ql[j % 64] >> (4 if j >= 64 else 0) & 15
            out.append(f16(b[208:]) * sc[j // 16] * ((low | (qh[j % 32] >> j // 32 * 2 & 3) << 4) - 32))
    return out
for kind, values in (("q8_0", q8_0), ("q5_1", q5_1), ("q6_K", q6_K)):
    _, length, size, _ = make_model.KINDS[kind]
    data = bytes(make_model.random_blocks(rng, kind, 1 << 16, 0.02))
    w = [v for i in range(0, len(data), size) for v in values(data[i:i + size])]
    assert len(w) == 1 << 16
    assert abs(statistics.fmean(w)) < 0.02 * 0.02, (kind, statistics.fmean(w))
    assert 0.98 < statistics.pstdev(w) / 0.02 < 1.02, (kind, statistics.pstdev(w))
'
}

@test "byte-level BPE: every merge makes a piece of two, no piece is there twice" {
    make_model "${shape[@]}" --type f32 --bpe -o m.gguf
    "$CHOIR_BIN" bench -m m.gguf -p 4 -n 2 -r 1
    cd "$BATS_TEST_DIRNAME/../../tools"
    PYTHONDONTWRITEBYTECODE=1 python3 -c '
import make_model
for n in 257, 258, 1000, 32000, 500000:
    pieces, merges = make_model.bpe_vocabulary(n)
    assert len(pieces) == len(set(pieces)) == n and len(merges) <= n - 257
    known = set(pieces[:256])
    assert all(len(piece) == 1 for piece in known)
    for merge in merges:
        left, right = merge.split(" ")
        assert left in known and right in known
        known.add(left + right)
    assert known <= set(pieces)
'
}

@test "what cannot be written is refused in one line" {
    run make_model "${shape[@]}" --type q4_K -o m.gguf
    [ "$status" -eq 2 ]
    [[ "$output" == *"64 columns, no multiple of 256"* ]]
    run make_model "${shape[@]}" --heads 5 --type f32 -o m.gguf
    [ "$status" -eq 2 ]
    [[ "$output" == *"no multiple of 5 heads"* ]]
    run make_model "${shape[@]}" --type q8_0 -o folder
    [ "$status" -eq 2 ]
    [[ "$output" == *"a folder holds f32, f16 or bf16"* ]]
    run make_model --dim 64 -o m.gguf
    [ "$status" -eq 2 ]
    [[ "$output" == *"--hidden is needed"* ]]
    run make_model "${shape[@]}" --type f32 -o none/m.gguf
    [ "$status" -eq 1 ]
    [ "$output" = "make_model.py: none/m.gguf: No such file or directory" ]
    [ ! -e m.gguf ]
}
