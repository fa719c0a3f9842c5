"""Hugging Face's own model classes, computed in float64."""
import json
import pathlib
import sys
import tempfile

# transformers shall find the package tokenizers, not tokenizers.py of this folder
sys.path.append(sys.path.pop(0))

import safetensors
import safetensors.numpy
import torch
import transformers
from torch.overrides import TorchFunctionMode

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()


class Exact(TorchFunctionMode):
    """Every float32 that the classes ask for (norms, RoPE's tables, softmax) is a float64."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        wide = lambda x: torch.float64 if x is torch.float32 else x
        if function is torch.Tensor.float:
            function = torch.Tensor.double
        return function(*[wide(x) for x in args], **{k: wide(x) for k, x in (kwargs or {}).items()})


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
