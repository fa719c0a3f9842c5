"""Hugging Face's own model classes, computed in float64, on weights that an integer hash of their names gives.

Weights are integers in [-128, 127] times a power of two, plus 0 or 1: f32, f16 and bf16 hold the former exactly.  The other
side (tests/support/family.c) works them out again from a list of names and shapes.
"""
import json
import pathlib
import tempfile

import numpy as np
import safetensors
import safetensors.numpy
import torch
import transformers
from torch.overrides import TorchFunctionMode

MASK = (1 << 64) - 1
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()


class Exact(TorchFunctionMode):
    """Every float32 that the classes ask for (norms, RoPE's tables, softmax) is a float64."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        wide = lambda x: torch.float64 if x is torch.float32 else x
        if function is torch.Tensor.float:
            function = torch.Tensor.double
        return function(*[wide(x) for x in args], **{k: wide(x) for k, x in (kwargs or {}).items()})


def splitmix64(z):
    with np.errstate(over="ignore"):
        z = z + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def fnv1a(name):
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = (h ^ byte) * 0x100000001B3 & MASK
    return h


def hashes(name, seed, n):
    start = np.uint64((fnv1a(name) + (seed << 40)) & MASK)
    with np.errstate(over="ignore"):
        return splitmix64(start + np.arange(n, dtype=np.uint64))


def values(name, seed, shape, base, log2_scale):
    n = int(np.prod(shape))
    integers = (hashes(name, seed, n) >> np.uint64(56)).astype(np.int64) - 128
    return (base + integers * 2.0 ** log2_scale).reshape(shape).astype(np.float32)


def token_ids(seed, n, vocab):
    return (hashes("token ids", seed, n) % np.uint64(vocab)).astype(np.int64)


def disk_form(config):
    """Names and shapes of the tensors, as the class itself saves them, and the config.json it writes."""
    with tempfile.TemporaryDirectory() as folder:
        model = transformers.AutoModelForCausalLM.from_config(config)
        model.save_pretrained(folder)
        with safetensors.safe_open(f"{folder}/model.safetensors", "np") as f:
            shapes = {name: list(f.get_slice(name).get_shape()) for name in f.keys()}
        saved = json.loads(pathlib.Path(folder, "config.json").read_text())
    return shapes, saved


def read_config(dictionary):
    """As it is read from a folder, with everything that old files are forgiven."""
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "config.json").write_text(json.dumps(dictionary))
        return transformers.AutoConfig.from_pretrained(folder)


class Model:
    """The class that config.json asks for, on the given weights ({name: array})."""

    def __init__(self, config, weights):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "config.json").write_text(json.dumps(config))
            safetensors.numpy.save_file(weights, f"{folder}/model.safetensors", metadata={"format": "pt"})
            with Exact():
                self.model, found = transformers.AutoModelForCausalLM.from_pretrained(
                    folder, dtype=torch.float64, attn_implementation="eager", experts_implementation="eager",
                    output_loading_info=True)
        wrong = {k: v for k, v in found.items() if v}
        assert not wrong, wrong
        assert all(p.dtype is torch.float64 for p in self.model.parameters())
        self.model.eval()

    def logits(self, ids):
        """[len(ids), vocab_size] float64."""
        with Exact(), torch.no_grad():
            return self.model(torch.tensor([list(map(int, ids))]), use_cache=False).logits[0].numpy()
