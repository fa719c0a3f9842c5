#!/usr/bin/env python3
"""Write a trained model as a Hugging Face folder, and measure it there.

Prints the validation loss as transformers computes it from the folder, the
same with every matrix rounded to q8_0 blocks, and a few sampled stories.
"""
import argparse
import json
import math
import os
import shutil

import sentencepiece
import torch
from safetensors.torch import save_file

NAMES = {
    "att_norm": "input_layernorm", "wq": "self_attn.q_proj", "wk": "self_attn.k_proj", "wv": "self_attn.v_proj",
    "wo": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm",
    "w1": "mlp.gate_proj", "w3": "mlp.up_proj", "w2": "mlp.down_proj",
}
OPENINGS = ["Once upon a time", "One day, a little girl named Lily", "The cat", "Tim had a red ball",
            "In a small house near the forest"]


def write_folder(path, model, shape, vocab):
    os.makedirs(path, exist_ok=True)
    tensors = {"model.embed_tokens.weight": model["embed"], "model.norm.weight": model["norm"]}
    for name, tensor in model.items():
        if name.startswith("layers."):
            _, layer, part = name.split(".")
            tensors[f"model.layers.{layer}.{NAMES[part]}.weight"] = tensor
    save_file({k: v.float().contiguous() for k, v in tensors.items()}, path + "/model.safetensors", {"format": "pt"})
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": shape["vocab_size"],
        "hidden_size": shape["dim"], "intermediate_size": shape["hidden_dim"], "num_hidden_layers": shape["n_layers"],
        "num_attention_heads": shape["n_heads"], "num_key_value_heads": shape["n_kv_heads"], "head_dim": shape["head_dim"],
        "max_position_embeddings": 1024, "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "rope_scaling": None,
        "hidden_act": "silu", "attention_bias": False, "mlp_bias": False, "attention_dropout": 0.0,
        "tie_word_embeddings": True, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": None,
        "initializer_range": 0.02, "pretraining_tp": 1, "use_cache": True, "torch_dtype": "float32",
    }
    generation = {"bos_token_id": 1, "eos_token_id": 2, "do_sample": True, "temperature": 0.8, "top_k": 40, "top_p": 0.95}
    for name, data in (("config", config), ("generation_config", generation)):
        with open(f"{path}/{name}.json", "w", encoding="utf-8") as file:
            file.write(json.dumps(data, indent=2) + "\n")
    shutil.copyfile(vocab, path + "/tokenizer.model")
    matrices = sum(v.numel() for v in tensors.values() if v.ndim == 2)
    vectors = sum(v.numel() for v in tensors.values() if v.ndim == 1)
    print(f"{matrices + vectors} parameters; {matrices // 32 * 34 + 4 * vectors} bytes as q8_0, without vocabulary and names")


def q8_0(tensor):
    blocks = tensor.view(-1, 32)
    scale = (blocks.abs().amax(1, keepdim=True) / 127).half().float()
    return torch.where(scale > 0, (blocks / scale).round().clamp(-127, 127) * scale, 0.0).view_as(tensor)


@torch.no_grad()
def loss(model, tokenizer, path):
    total, count = 0.0, 0
    for line in open(path, encoding="utf-8"):
        ids = torch.tensor([[1] + tokenizer.encode(json.loads(line)) + [2]])[:, :1024]
        total += float(model(ids, labels=ids).loss) * (ids.shape[1] - 1)
        count += ids.shape[1] - 1
    return total / count


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--model", required=True, help="the .pt that train.py wrote")
    args.add_argument("--vocab", required=True)
    args.add_argument("--stories", required=True, help="the prefix that prepare.py wrote to")
    args.add_argument("--out", required=True, help="the folder to make")
    args.add_argument("--samples", type=int, default=1, help="sampled stories for each opening")
    args.add_argument("--threads", type=int, default=1)
    args = args.parse_args()

    torch.set_num_threads(args.threads)
    saved = torch.load(args.model)
    write_folder(args.out, saved["model"], saved["shape"], args.vocab)

    from transformers import LlamaForCausalLM

    model, info = LlamaForCausalLM.from_pretrained(args.out, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"], info
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=args.out + "/tokenizer.model")
    exact = loss(model, tokenizer, args.stories + ".val.jsonl")
    matrices = [p for p in model.parameters() if p.ndim == 2]
    before = [p.data.clone() for p in matrices]
    for p in matrices:
        p.data = q8_0(p.data)
    print(f"validation loss {exact:.4f} (perplexity {math.exp(exact):.2f}), as q8_0 {loss(model, tokenizer, args.stories + '.val.jsonl'):.4f}")
    for p, data in zip(matrices, before):
        p.data = data

    def tell(opening, **how):
        ids = torch.tensor([[1] + tokenizer.encode(opening)])
        ids = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=600, pad_token_id=2, **how)[0].tolist()
        end = "EOS" if ids[-1] == 2 else "no EOS"
        return f"{tokenizer.decode([i for i in ids if i > 2])}\n[{len(ids)} tokens, {end}]\n"

    print("--- greedy\n" + tell(OPENINGS[0], do_sample=False, temperature=None, top_k=None, top_p=None))
    for seed in range(args.samples):
        for opening in OPENINGS:
            torch.manual_seed(seed)
            print(f"--- seed {seed}\n" + tell(opening, do_sample=True, temperature=0.8, top_k=40, top_p=0.95))


if __name__ == "__main__":
    main()
