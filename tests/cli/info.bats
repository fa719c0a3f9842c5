# choir info: parts, heads, memory; from headers alone.

load helper

llama2_70b() { # FOLDER
    mkdir -p "$1"
    cat >"$1/config.json" <<'END'
{"model_type": "llama", "hidden_size": 8192, "intermediate_size": 28672, "num_hidden_layers": 80,
 "num_attention_heads": 64, "num_key_value_heads": 8, "vocab_size": 32000, "max_position_embeddings": 4096,
 "rms_norm_eps": 1e-5, "tie_word_embeddings": false, "torch_dtype": "float16"}
END
}

@test "info: Llama-2-70B from its config.json alone, checked by hand" {
    need jq
    llama2_70b big
    "$CHOIR_BIN" info big --json -c 4096 >out
    jq -e '.parameters | .total == 68976648192 and .wq == 5368709120 and .wk == 671088640 and .wv == .wk and .wo == .wq
           and .ffn == 56371445760 and .norms == 1318912 and .embedding == 262144000 and .output == .embedding
           and .biases == 0 and .router == 0 and .active == .total' out
    jq -e '.heads == "grouped-query" and .type == "f16"' out
    # 2 (K and V) x 8 heads x 128 x 2 bytes x 80 layers
    jq -e '.memory | .kv_token == 327680 and .kv_token_multi_head == 2621440 and .kv_token_multi_query == 40960' out
    jq -e '.memory | .kv == 1342177280 and .kv_multi_head == 10737418240 and .kv_multi_query == 167772160' out
    # two bytes a number, four for norms
    jq -e '.memory.weights == (68976648192 - 1318912) * 2 + 1318912 * 4' out
    [ "$("$CHOIR_BIN" info big --json --quant q4_0 | jq .memory.weights)" -eq $(((68976648192 - 1318912) / 32 * 18 + 1318912 * 4)) ]
    run --separate-stderr "$CHOIR_BIN" info big
    [ "$status" -eq 0 ]
    [[ "$output" == *'config.json alone; weights taken as f16'* ]]
    [[ "$output" == *'keys and values     1.2 GiB   320 KiB a token'* ]]
    [[ "$output" == *'  multi-head         10.0 GiB   2.5 MiB a token'* ]]
    [[ "$output" == *'  multi-query         160 MiB   40.0 KiB a token'* ]]
}

@test "info: GPT-3 as a GPT-2 of its size" {
    need jq
    mkdir gpt3
    echo '{"model_type": "gpt2", "n_embd": 12288, "n_layer": 96, "n_head": 96, "n_positions": 2048, "vocab_size": 50257,
           "layer_norm_epsilon": 1e-5, "activation_function": "gelu_new"}' >gpt3/config.json
    "$CHOIR_BIN" info gpt3 --json >out
    jq -e '.heads == "multi-head" and .type == "f32" and .tied_output' out
    jq -e '.parameters | .total == 174604259328 and .positions == 2048 * 12288 and .embedding == 50257 * 12288
           and .wq == 96 * 12288 * 12288 and .ffn == 96 * 2 * 4 * 12288 * 12288 and .norms == (2 * 96 + 1) * 2 * 12288
           and .biases == 96 * (3 + 1 + 4 + 1) * 12288' out
    jq -e '.memory | .kv_token == 4718592 and .kv_token_multi_head == .kv_token and .kv_multi_head == .kv' out
}

@test "info: a mixture of experts, and what of it a token meets" {
    need jq
    mkdir moe
    echo '{"model_type": "mixtral", "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
           "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 32000, "max_position_embeddings": 32768,
           "rms_norm_eps": 1e-5, "rope_theta": 1e6, "num_local_experts": 8, "num_experts_per_tok": 2,
           "tie_word_embeddings": false, "torch_dtype": "bfloat16"}' >moe/config.json
    "$CHOIR_BIN" info moe --json >out
    jq -e '.parameters | .total == 46702792704 and .active == 12879925248 and .ffn == 0
           and .experts == 32 * 8 * 3 * 4096 * 14336 and .router == 32 * 8 * 4096' out
    "$CHOIR_BIN" info moe | grep -q '  of these a token meets 12879925248 (12.88 B)'
}

@test "info: of 128 GiB of weights nothing but the header is read" {
    need jq python3
    ! is_sanitized || skip "the address sanitizer needs more address space than the test leaves"
    llama2_70b big
    python3 - <<'END'
import json
d, h, kv, v, layers = 8192, 28672, 1024, 32000, 80
shapes = {"model.embed_tokens.weight": [v, d], "model.norm.weight": [d], "lm_head.weight": [v, d]}
for l in range(layers):
    for name, shape in {"input_layernorm": [d], "post_attention_layernorm": [d], "self_attn.q_proj": [d, d],
                        "self_attn.k_proj": [kv, d], "self_attn.v_proj": [kv, d], "self_attn.o_proj": [d, d],
                        "mlp.gate_proj": [h, d], "mlp.up_proj": [h, d], "mlp.down_proj": [d, h]}.items():
        shapes[f"model.layers.{l}.{name}.weight"] = shape
header, at = {}, 0
for name, shape in shapes.items():
    n = 2 * shape[0] * (shape[1] if len(shape) > 1 else 1)
    header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [at, at + n]}
    at += n
text = json.dumps(header).encode()
with open("big/model.safetensors", "wb") as f:
    f.write(len(text).to_bytes(8, "little") + text)
with open("size", "w") as f:
    f.write(str(8 + len(text) + at))
END
    truncate -s "$(cat size)" big/model.safetensors || skip "no sparse file of $(cat size) bytes here"
    # ten seconds and half a GiB of addresses: neither is enough to read or to map it
    (ulimit -v 500000; timeout 10 "$CHOIR_BIN" info big --json) >out
    [ "$(jq .file_bytes out)" = "$(cat size)" ]
    jq -e '.parameters.total == 68976648192 and .type == "f16" and .memory.weights > 137e9' out
}
