"""The models of families.py: config.json as each family's real models have it, made tiny.

Windows, soft caps, scales and original lengths are small enough that a prompt of some 40 ids meets them; the `long` ones pass
512, the tokens of a span of attention.
"""
import numpy as np

FAMILIES = {}


def add(name, config, n_ids=40, keep=(0, 13, -1), **more):
    FAMILIES[name] = dict(config=config, n_ids=n_ids, keep=list(keep), **more)


def llama(**over):
    return dict(dict(
        architectures=["LlamaForCausalLM"], model_type="llama", hidden_act="silu", hidden_size=64, intermediate_size=112,
        num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, vocab_size=96, max_position_embeddings=256,
        rms_norm_eps=1e-5, rope_theta=10000.0, rope_scaling=None, tie_word_embeddings=False, attention_bias=False,
        mlp_bias=False, bos_token_id=1, eos_token_id=2, torch_dtype="float32"), **over)


YARN = dict(factor=4.0, original_max_position_embeddings=32)
LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)

add("llama", llama(head_dim=16, pretraining_tp=1))
add("llama_bias", llama(attention_bias=True, mlp_bias=True, tie_word_embeddings=True))
add("llama_linear", llama(rope_scaling=dict(type="linear", factor=4.0)))
add("llama_dynamic", llama(rope_scaling=dict(type="dynamic", factor=2.0), max_position_embeddings=32))
add("llama_dynamic_short", llama(rope_scaling=dict(type="dynamic", factor=2.0), max_position_embeddings=64))
add("llama_yarn", llama(rope_scaling=dict(rope_type="yarn", **YARN), max_position_embeddings=128))
add("llama_yarn_set", llama(rope_scaling=dict(rope_type="yarn", beta_fast=8.0, beta_slow=2.0, attention_factor=1.25, **YARN),
                            max_position_embeddings=128))
add("llama_yarn_factor", llama(rope_scaling=dict(rope_type="yarn", attention_factor=1.25, **YARN), max_position_embeddings=128))
add("llama3", llama(rope_theta=500000.0, rope_scaling=LLAMA3, num_key_value_heads=1, eos_token_id=[2, 5]))

mistral = llama(architectures=["MistralForCausalLM"], model_type="mistral", head_dim=24)
for key in ("attention_bias", "mlp_bias", "rope_scaling"):
    del mistral[key]
add("mistral", dict(mistral, sliding_window=None))
add("mistral_window", dict(mistral, sliding_window=11))
add("mistral_long", dict(mistral, sliding_window=530, max_position_embeddings=1024, hidden_size=32, head_dim=8), n_ids=640,
    keep=(511, 512, 534, -1))

gemma = dict(
    architectures=["GemmaForCausalLM"], model_type="gemma", attention_bias=False, bos_token_id=2, eos_token_id=1, pad_token_id=0,
    head_dim=24, hidden_act="gelu_pytorch_tanh", hidden_activation="gelu_pytorch_tanh", hidden_size=64, intermediate_size=112,
    max_position_embeddings=256, num_attention_heads=4, num_hidden_layers=2, num_key_value_heads=1, rms_norm_eps=1e-6,
    rope_theta=10000.0, vocab_size=96, torch_dtype="float32")
add("gemma", gemma)
gemma2 = dict(gemma, architectures=["Gemma2ForCausalLM"], model_type="gemma2", num_hidden_layers=4, num_key_value_heads=2,
              attn_logit_softcapping=2.0, final_logit_softcapping=3.0, query_pre_attn_scalar=19, sliding_window=11,
              cache_implementation="hybrid")
add("gemma2", gemma2)
add("gemma2_long", dict(gemma2, sliding_window=300, max_position_embeddings=1024, hidden_size=32, head_dim=8, vocab_size=64,
                        query_pre_attn_scalar=8),
    n_ids=640, keep=(299, 300, 512, -1))
gemma3 = dict(gemma, architectures=["Gemma3ForCausalLM"], model_type="gemma3_text", num_hidden_layers=7, num_key_value_heads=1,
              attn_logit_softcapping=None, final_logit_softcapping=None, query_pre_attn_scalar=19, sliding_window=11,
              rope_theta=1000000.0, rope_local_base_freq=10000.0, rope_scaling=None, sliding_window_pattern=6)
del gemma3["hidden_act"]
add("gemma3", gemma3)
add("gemma3_linear", dict(gemma3, rope_scaling=dict(rope_type="linear", factor=8.0), sliding_window_pattern=3,
                          num_hidden_layers=4, query_pre_attn_scalar=24))
add("gemma3_long", dict(gemma3, sliding_window=300, max_position_embeddings=1024, hidden_size=32, head_dim=8, vocab_size=64,
                        query_pre_attn_scalar=8),
    n_ids=640, keep=(299, 300, 512, -1))

qwen2 = dict(
    architectures=["Qwen2ForCausalLM"], model_type="qwen2", attention_dropout=0.0, bos_token_id=1, eos_token_id=2,
    hidden_act="silu", hidden_size=64, intermediate_size=112, max_position_embeddings=256, max_window_layers=1,
    num_attention_heads=4, num_hidden_layers=3, num_key_value_heads=2, rms_norm_eps=1e-6, rope_theta=1000000.0,
    sliding_window=11, tie_word_embeddings=True, torch_dtype="float32", use_sliding_window=False, vocab_size=96)
add("qwen2", qwen2)
add("qwen2_window", dict(qwen2, use_sliding_window=True, tie_word_embeddings=False))
add("qwen2_yarn", dict(qwen2, max_position_embeddings=32,
                       rope_scaling=dict(type="yarn", factor=4.0, original_max_position_embeddings=32)))
qwen3 = dict(qwen2, architectures=["Qwen3ForCausalLM"], model_type="qwen3", attention_bias=False, head_dim=24,
             max_window_layers=3, sliding_window=None, rope_scaling=None)
add("qwen3", qwen3)

phi3 = dict(
    architectures=["Phi3ForCausalLM"], model_type="phi3", attention_bias=False, attention_dropout=0.0, bos_token_id=1,
    embd_pdrop=0.0, eos_token_id=2, hidden_act="silu", hidden_size=64, intermediate_size=112, max_position_embeddings=64,
    num_attention_heads=4, num_hidden_layers=2, num_key_value_heads=4, original_max_position_embeddings=64, pad_token_id=2,
    resid_pdrop=0.0, rms_norm_eps=1e-5, rope_scaling=None, rope_theta=10000.0, sliding_window=None, tie_word_embeddings=False,
    torch_dtype="float32", vocab_size=96)
short = [1.0, 1.03, 1.05, 1.08, 1.2, 1.35, 1.5, 1.9]
longer = [1.05, 1.1, 1.25, 2.0, 4.5, 9.0, 17.0, 31.0]
longrope = dict(phi3, num_key_value_heads=2, max_position_embeddings=128, original_max_position_embeddings=32,
                rope_scaling=dict(type="longrope", short_factor=short, long_factor=longer))
add("phi3", dict(phi3, sliding_window=11))
add("phi3_long_factors", longrope)
add("phi3_short_factors", dict(longrope, max_position_embeddings=1024, original_max_position_embeddings=256))
# an older name, which the library no longer reads
add("phi3_su", dict(longrope, rope_scaling=dict(longrope["rope_scaling"], type="su")), stand_in=longrope)
add("phi3_partial", dict(longrope, partial_rotary_factor=0.75, tie_word_embeddings=True,
                         rope_scaling=dict(type="longrope", short_factor=short[:6], long_factor=longer[:6])))

gpt2 = dict(
    architectures=["GPT2LMHeadModel"], model_type="gpt2", activation_function="gelu_new", attn_pdrop=0.1, bos_token_id=95,
    embd_pdrop=0.1, eos_token_id=95, initializer_range=0.02, layer_norm_epsilon=1e-5, n_ctx=64, n_embd=64, n_head=4, n_layer=2,
    n_positions=64, resid_pdrop=0.1, vocab_size=96)
add("gpt2", gpt2)
# as the four models of 2019 are published: no prefix, and the causal masks among the tensors
add("gpt2_bare", gpt2, strip="transformer.", extra={"h.0.attn.bias": [1, 1, 64, 64], "h.1.attn.bias": [1, 1, 64, 64]})

falcon = dict(
    architectures=["FalconForCausalLM"], model_type="falcon", alibi=False, apply_residual_connection_post_layernorm=False,
    attention_dropout=0.0, bias=False, bos_token_id=11, eos_token_id=11, hidden_dropout=0.0, hidden_size=64,
    initializer_range=0.02, layer_norm_epsilon=1e-5, multi_query=True, new_decoder_architecture=False, num_attention_heads=4,
    num_hidden_layers=2, parallel_attn=True, torch_dtype="float32", vocab_size=96)
add("falcon", falcon)
add("falcon_new", dict(falcon, new_decoder_architecture=True, num_kv_heads=2))
add("falcon_new_one_norm", dict(falcon, new_decoder_architecture=True, num_kv_heads=2, num_ln_in_parallel_attn=1,
                                tie_word_embeddings=False, ffn_hidden_size=112, activation="gelu"))

starcoder2 = dict(
    architectures=["Starcoder2ForCausalLM"], model_type="starcoder2", activation_function="gelu", attention_dropout=0.1,
    bos_token_id=0, embedding_dropout=0.1, eos_token_id=0, hidden_act="gelu_pytorch_tanh", hidden_size=64,
    initializer_range=0.018042, intermediate_size=112, layer_norm_epsilon=1e-5, max_position_embeddings=256, mlp_type="default",
    norm_epsilon=1e-5, norm_type="layer_norm", num_attention_heads=4, num_hidden_layers=2, num_key_value_heads=2,
    rope_theta=999999.4420358813, sliding_window=11, torch_dtype="float32", use_bias=True, vocab_size=96)
add("starcoder2", starcoder2)

add("olmo2", dict(
    architectures=["Olmo2ForCausalLM"], model_type="olmo2", attention_bias=False, attention_dropout=0.0, eos_token_id=2,
    hidden_act="silu", hidden_size=64, initializer_range=0.02, intermediate_size=112, max_position_embeddings=256,
    num_attention_heads=4, num_hidden_layers=3, num_key_value_heads=2, pad_token_id=1, rms_norm_eps=1e-6, rope_scaling=None,
    rope_theta=500000, tie_word_embeddings=False, torch_dtype="float32", vocab_size=96))

moe = dict(num_experts_per_tok=2, router_aux_loss_coef=0.001, output_router_logits=False)
mixtral = dict(llama(architectures=["MixtralForCausalLM"], model_type="mixtral", sliding_window=None, rope_theta=1e6,
                     num_local_experts=6), **moe)
for key in ("attention_bias", "mlp_bias", "rope_scaling"):
    del mixtral[key]
add("mixtral", mixtral)
qwen2_moe = dict(qwen2, architectures=["Qwen2MoeForCausalLM"], model_type="qwen2_moe", decoder_sparse_step=1,
                 moe_intermediate_size=40, norm_topk_prob=False, num_experts=6, shared_expert_intermediate_size=72,
                 tie_word_embeddings=False, max_window_layers=3, **dict(moe, num_experts_per_tok=3))
add("qwen2_moe", qwen2_moe)
add("qwen2_moe_mixed", dict(qwen2_moe, decoder_sparse_step=2, mlp_only_layers=[3], num_hidden_layers=4, norm_topk_prob=True))
qwen3_moe = dict(qwen2_moe, architectures=["Qwen3MoeForCausalLM"], model_type="qwen3_moe", attention_bias=False, head_dim=24,
                 mlp_only_layers=[], norm_topk_prob=True, rope_scaling=None, sliding_window=None)
del qwen3_moe["shared_expert_intermediate_size"]
add("qwen3_moe", qwen3_moe)

# InternLM2 has no class in the library: it is Llama with W_Q, W_K and W_V in one tensor, group by group.
internlm2 = llama(architectures=["InternLM2ForCausalLM"], model_type="internlm2", bias=False,
                  rope_scaling=dict(type="dynamic", factor=2.0))
INTERNLM2_NAMES = {"attention.wo": "self_attn.o_proj", "attention_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
                   "feed_forward.w1": "mlp.gate_proj", "feed_forward.w3": "mlp.up_proj", "feed_forward.w2": "mlp.down_proj"}


def internlm2_disk(config):
    dim, hidden, vocab = config.hidden_size, config.intermediate_size, config.vocab_size
    wide = (config.num_attention_heads + 2 * config.num_key_value_heads) * config.head_dim
    shapes = {"model.tok_embeddings.weight": [vocab, dim], "model.norm.weight": [dim], "output.weight": [vocab, dim]}
    for i in range(config.num_hidden_layers):
        layer = f"model.layers.{i}."
        shapes |= {layer + "attention.wqkv.weight": [wide, dim], layer + "attention.wo.weight": [dim, dim],
                   layer + "attention_norm.weight": [dim], layer + "ffn_norm.weight": [dim],
                   layer + "feed_forward.w1.weight": [hidden, dim], layer + "feed_forward.w3.weight": [hidden, dim],
                   layer + "feed_forward.w2.weight": [dim, hidden]}
    return shapes, None


def internlm2_to_llama(weights):
    c = internlm2
    dim, heads, groups = c["hidden_size"], c["num_attention_heads"], c["num_key_value_heads"]
    out = {}
    for name, w in weights.items():
        if name.endswith("wqkv.weight"):
            w = w.reshape(groups, heads // groups + 2, dim // heads, dim)
            layer = name[: -len("attention.wqkv.weight")] + "self_attn."
            out[layer + "q_proj.weight"] = np.ascontiguousarray(w[:, :-2].reshape(dim, dim))
            out[layer + "k_proj.weight"] = np.ascontiguousarray(w[:, -2].reshape(-1, dim))
            out[layer + "v_proj.weight"] = np.ascontiguousarray(w[:, -1].reshape(-1, dim))
            continue
        name = {"model.tok_embeddings.weight": "model.embed_tokens.weight", "output.weight": "lm_head.weight"}.get(name, name)
        for old, new in INTERNLM2_NAMES.items():
            name = name.replace(f".{old}.", f".{new}.")
        out[name] = w
    return out


add("internlm2", internlm2, stand_in=llama(rope_scaling=internlm2["rope_scaling"]), disk=internlm2_disk,
    convert=internlm2_to_llama)
