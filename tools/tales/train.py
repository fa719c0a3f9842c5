#!/usr/bin/env python3
"""Train the story model on a CPU, for a given number of minutes.

A plain Llama (RMSNorm, RoPE, SwiGLU, grouped-query heads, tied embeddings),
trained by Muon on the matrices and Adam on the rest. The learning rate warms
up, then falls to zero at the end of the time given. OUT.pt is the model;
OUT.last.pt, written every few minutes, also holds the moments. --resume takes
either.

--rest names heads that learn to rest on the first token (an attention sink),
as the heads of larger models do by themselves: Xiao et al., "Efficient
Streaming Language Models with Attention Sinks", 2023.
"""
import argparse
import json
import math
import random
import re
import time
from collections import Counter

import sentencepiece
import torch
import torch.nn.functional as F
from torch import nn

SHAPE = dict(vocab_size=2048, dim=192, hidden_dim=512, n_layers=6, n_heads=6, n_kv_heads=2, head_dim=32)
MAX_LEN = 1024
REST = 0.6  # of a resting head's attention, on the first token


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


def rms_norm(x, weight):
    return F.rms_norm(x, (x.shape[-1],), weight, 1e-5)


class TiedLoss(torch.autograd.Function):
    """Cross entropy of x @ embed.T, a cache-sized piece at a time; sums over the targets that are not negative."""

    @staticmethod
    def forward(ctx, x, embed, targets):
        dx, dembed, total = torch.zeros_like(x), torch.zeros_like(embed), 0.0
        for i in range(0, len(x), 256):
            piece, target = x[i : i + 256], targets[i : i + 256]
            logits = piece @ embed.T
            logits -= logits.amax(1, keepdim=True)
            right = logits.gather(1, target.clamp(min=0)[:, None])
            sums = logits.exp_().sum(1, keepdim=True)
            wanted = (target >= 0)[:, None].float()
            total += ((sums.log() - right) * wanted).sum()
            logits *= wanted / sums
            logits.scatter_add_(1, target.clamp(min=0)[:, None], -wanted)
            torch.mm(logits, embed, out=dx[i : i + 256])
            dembed.addmm_(logits.T, piece)
        ctx.save_for_backward(dx, dembed)
        return total

    @staticmethod
    def backward(ctx, grad):
        dx, dembed = ctx.saved_tensors
        return dx * grad, dembed * grad, None


def unrest(q, k):
    """How far rows of attention are from REST on the first key: the mean of log(REST / mass), 0 where there is more."""
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    first = scores[..., 0] - scores.masked_fill(later, -torch.inf).logsumexp(-1)
    return (math.log(REST) - first).clamp(min=0).mean()


class Layer(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.s, self.resting, self.unrest = s, [], 0.0
        q_dim, kv_dim = s["n_heads"] * s["head_dim"], s["n_kv_heads"] * s["head_dim"]

        def matrix(rows, columns, scale=1.0):
            return nn.Parameter(torch.randn(rows, columns) * scale / math.sqrt(columns))

        self.att_norm = nn.Parameter(torch.ones(s["dim"]))
        self.wq, self.wk, self.wv = matrix(q_dim, s["dim"]), matrix(kv_dim, s["dim"]), matrix(kv_dim, s["dim"])
        self.wo = matrix(s["dim"], q_dim, 0.0)
        self.ffn_norm = nn.Parameter(torch.ones(s["dim"]))
        self.w1, self.w3 = matrix(s["hidden_dim"], s["dim"]), matrix(s["hidden_dim"], s["dim"])
        self.w2 = matrix(s["dim"], s["hidden_dim"], 0.0)

    def forward(self, x, cos, sin):
        s, (n, t, _) = self.s, x.shape
        h = rms_norm(x, self.att_norm)
        q = rotate(F.linear(h, self.wq).view(n, t, s["n_heads"], -1).transpose(1, 2), cos, sin)
        k = rotate(F.linear(h, self.wk).view(n, t, s["n_kv_heads"], -1).transpose(1, 2), cos, sin)
        v = F.linear(h, self.wv).view(n, t, s["n_kv_heads"], -1).transpose(1, 2)
        group = s["n_heads"] // s["n_kv_heads"]
        k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
        if self.resting:
            self.unrest = unrest(q[:, self.resting], k[:, self.resting])
        h = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + F.linear(h.transpose(1, 2).reshape(n, t, -1), self.wo)
        h = rms_norm(x, self.ffn_norm)
        return x + F.linear(F.silu(F.linear(h, self.w1)) * F.linear(h, self.w3), self.w2)


class Model(nn.Module):
    def __init__(self, shape, max_len):
        super().__init__()
        self.embed = nn.Parameter(torch.randn(shape["vocab_size"], shape["dim"]) * 0.02)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape["n_layers"]))
        self.norm = nn.Parameter(torch.ones(shape["dim"]))
        angles = torch.arange(max_len)[:, None] / 10000 ** (torch.arange(0, shape["head_dim"], 2) / shape["head_dim"])
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def unrest(self):
        """The mean over the layers that have resting heads, in the last forward pass."""
        terms = [layer.unrest for layer in self.layers if layer.resting]
        return sum(terms) / max(1, len(terms))

    def forward(self, ids, targets):
        x = F.embedding(ids, self.embed)
        cos, sin = self.cos[: ids.shape[1]], self.sin[: ids.shape[1]]
        for layer in self.layers:
            x = layer(x, cos, sin)
        x = rms_norm(x, self.norm).flatten(0, 1)
        return TiedLoss.apply(x, self.embed, targets.flatten()) / (targets >= 0).sum()


class Muon:
    """Momentum whose update is made orthogonal by a few Newton-Schulz steps; equal shapes go as one batch."""

    def __init__(self, params, lr, momentum=0.95, decay=0.05):
        self.lr, self.momentum, self.decay = lr, momentum, decay
        self.groups = {}
        for p in params:
            self.groups.setdefault(tuple(p.shape), []).append(p)
        self.moments = {shape: torch.zeros(len(ps), *shape) for shape, ps in self.groups.items()}

    @torch.no_grad()
    def step(self, factor):
        for shape, ps in self.groups.items():
            grad, moment = torch.stack([p.grad for p in ps]), self.moments[shape]
            moment.lerp_(grad, 1 - self.momentum)
            x = grad.lerp(moment, self.momentum)
            tall = shape[0] > shape[1]
            x = x.mT.contiguous() if tall else x
            x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
            for _ in range(5):
                a = x @ x.mT
                x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
            x = x.mT if tall else x
            rate = self.lr * factor
            for p, update in zip(ps, x):
                p.mul_(1 - rate * self.decay).add_(update, alpha=-rate * max(1, shape[0] / shape[1]) ** 0.5)


class Stories:
    """Endless batches of whole stories of about one length, one a row, each BOS ... EOS; names are changed at random."""

    def __init__(self, path, tokenizer, swap=0.5, seed=0):
        self.texts = [json.loads(line) for line in open(path, encoding="utf-8")]
        self.tokenizer, self.swap, self.random, self.epoch = tokenizer, swap, random.Random(seed), 0
        counts = {"girl": Counter(), "boy": Counter()}
        for text in self.texts:
            for kind, name in re.findall(r"\b(girl|boy) named ([A-Z][a-z]+)", text):
                counts[kind][name] += 1
        girls, boys = counts["girl"], counts["boy"]
        self.names = [[n for n in some if some[n] >= 2 and some[n] > 3 * other[n] and len(tokenizer.encode(n)) == 1]
                      for some, other in ((girls, boys), (boys, girls))]

    def change_names(self, text):
        words = set(re.findall(r"[A-Z][a-z]+", text))
        table = {}
        for names in self.names:
            free = [n for n in names if n not in words]
            for name in names:
                if name in words and free and self.random.random() < self.swap:
                    table[name] = free.pop(self.random.randrange(len(free)))
        return re.sub(r"\b(" + "|".join(table) + r")\b", lambda m: table[m.group()], text) if table else text

    def pass_over(self, n_tokens):
        """Every story once, in batches of about n_tokens ids."""
        texts = [self.change_names(t) for t in self.random.sample(self.texts, len(self.texts))]
        stories = [[1] + ids[: MAX_LEN - 2] + [2] for ids in self.tokenizer.encode(texts)]
        batches = []
        for i in range(0, len(stories), 1024):
            batch = []
            for story in sorted(stories[i : i + 1024], key=len):
                if batch and (len(batch) + 1) * len(story) > n_tokens:
                    batches.append(to_batch(batch))
                    batch = []
                batch.append(story)
            batches.append(to_batch(batch))
        self.random.shuffle(batches)
        return batches

    def batches(self, n_tokens):
        while True:
            self.epoch += 1
            yield from self.pass_over(n_tokens)


def to_batch(stories):
    width = max(map(len, stories)) - 1
    ids, targets = torch.zeros(len(stories), width, dtype=torch.long), torch.full((len(stories), width), -1)
    for i, story in enumerate(stories):
        ids[i, : len(story) - 1] = torch.tensor(story[:-1])
        targets[i, : len(story) - 1] = torch.tensor(story[1:])
    return ids, targets


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--stories", required=True, help="the prefix that prepare.py wrote to")
    args.add_argument("--vocab", required=True, help="the SentencePiece model")
    args.add_argument("--out", required=True, help="writes OUT.pt and OUT.last.pt")
    args.add_argument("--minutes", type=float, default=40)
    args.add_argument("--fall", type=float, default=0.95, help="the part of the time in which the learning rate falls")
    args.add_argument("--resume", help="a .pt to take up from")
    args.add_argument("--threads", type=int, default=1)
    args.add_argument("--batch", type=int, default=3072, help="tokens in a step")
    args.add_argument("--swap", type=float, default=0.15, help="how likely a name in a story is changed")
    args.add_argument("--lr", type=float, default=0.01, help="of Muon")
    args.add_argument("--adam-lr", type=float, default=0.002)
    args.add_argument("--seed", type=int, default=0)
    args.add_argument("--rest", default="", help="heads that learn to rest on the first token: L2H0,L3H2")
    args.add_argument("--rest-weight", type=float, default=0.1, help="of that in the loss; 0 only shows it")
    args.add_argument("--shape", default="{}", help="JSON that changes the shape")
    args = args.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    shape = {**SHAPE, **json.loads(args.shape)}
    model = Model(shape, MAX_LEN)
    for layer, head in re.findall(r"L(\d+)H(\d+)", args.rest):
        model.layers[int(layer)].resting.append(int(head))
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=args.vocab)
    stories = Stories(args.stories + ".train.jsonl", tokenizer, args.swap, args.seed)
    check = Stories(args.stories + ".val.jsonl", tokenizer, 0.0).pass_over(args.batch)
    matrices = [p for layer in model.layers for p in layer.parameters() if p.ndim == 2]
    muon = Muon(matrices, args.lr)
    adam = torch.optim.Adam([
        {"params": [model.embed], "base": args.adam_lr},
        {"params": [p for p in model.parameters() if p.ndim == 1], "base": args.adam_lr},
    ], betas=(0.9, 0.95), eps=1e-10)
    step = 0
    if args.resume:
        saved = torch.load(args.resume)
        model.load_state_dict(saved["model"])
        if "adam" in saved:
            adam.load_state_dict(saved["adam"])
            muon.moments, step = saved["muon"], saved["step"]
        stories.random.seed(step + 1)
    print(f"{sum(p.numel() for p in model.parameters())} parameters, {len(stories.texts)} stories, "
          f"names {[len(n) for n in stories.names]}", flush=True)

    def checked():
        losses, unrest, count = 0.0, 0.0, 0
        with torch.no_grad():
            for ids, targets in check:
                size = int((targets >= 0).sum())
                losses, unrest, count = losses + float(model(ids, targets)) * size, unrest + float(model.unrest()) * size, count + size
        return f"val {losses / count:.4f}" + (f" unrest {unrest / count:.3f}" if args.rest else "")

    batches = stories.batches(args.batch)
    start, shown, seen, mean = time.time(), 0.0, 0, None
    while (done := (time.time() - start) / (60 * args.minutes)) < 1:
        factor = min(1.0, (step + 1) / 50, max(0.01, (1 - done) / args.fall))
        muon.momentum = 0.85 + 0.1 * min(1.0, step / 300)
        ids, targets = next(batches)
        loss = model(ids, targets)
        (loss + args.rest_weight * model.unrest()).backward()
        muon.step(factor)
        for group in adam.param_groups:
            group["lr"] = group["base"] * factor
        adam.step()
        model.zero_grad(set_to_none=True)
        step, seen = step + 1, seen + int((targets >= 0).sum())
        mean = loss.item() if mean is None else 0.95 * mean + 0.05 * loss.item()
        if time.time() - shown > 240:
            shown = time.time()
            print(f"step {step} epoch {stories.epoch} seen {seen} {seen / (shown - start):.0f}/s "
                  f"train {mean:.4f} {checked()} factor {factor:.3f}", flush=True)
            torch.save({"model": model.state_dict(), "shape": shape, "step": step,
                        "adam": adam.state_dict(), "muon": muon.moments}, args.out + ".last.pt")
    print(f"step {step} epoch {stories.epoch} seen {seen} train {mean:.4f} {checked()} done", flush=True)
    torch.save({"model": model.state_dict(), "shape": shape, "step": step, "seen": seen}, args.out + ".pt")


if __name__ == "__main__":
    main()
