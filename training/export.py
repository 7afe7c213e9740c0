"""Writes what `detente train --encoder` reads: the fine-tuned weights under its own names."""

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

import rows as data
from model import read_stored

BASE = "encoder."
# The offset of a place between two words that are far apart is one of so many.
BUCKETS = 32


class Names:
    """The tensors by the names of `detente`; a matrix is a row of weights for each output."""

    def __init__(self, weights: dict[str, torch.Tensor], scales: dict[str, torch.Tensor]):
        self.weights, self.scales = weights, scales
        self.out: dict[str, torch.Tensor] = {}

    def norm(self, name: str, of: str) -> None:
        self.out[f"{name}.gain"], self.out[f"{name}.offset"] = self.weights[f"{of}.weight"], self.weights[f"{of}.bias"]

    def matrix(self, name: str, *parts: str) -> None:
        """One matrix, or several one below the other."""
        for kind in ("weight", "bias"):
            self.out[f"{name}.{kind}"] = torch.cat([self.weights[f"{part}.{kind}"] for part in parts])
        self.out[f"{name}.scales"] = torch.cat([self.scales[f"{part}.weight"] for part in parts])

    def embeddings(self) -> None:
        of = f"{BASE}embeddings."
        self.out["pieces"] = self.weights[f"{of}word_embeddings.weight"]
        self.out["pieces.scales"] = self.scales[f"{of}word_embeddings.weight"]
        places = self.weights[f"{of}position_embeddings.weight"]
        relative = self.weights.get(f"{BASE}encoder.relative_attention_bias.weight")
        if relative is None:
            # BERT: every place has, too, the vector of the first of two texts; and distance weighs nothing.
            heads = self.weights[f"{BASE}embeddings.LayerNorm.weight"].numel() // 32
            self.out["places"] = places[: data.LENGTH] + self.weights[f"{of}token_type_embeddings.weight"][0]
            self.out["relative"] = torch.zeros(BUCKETS, heads)
            self.out["epsilon"] = torch.tensor([1e-12])
        else:
            # MPNet: places count from 2, as the two before stand for what has none.
            self.out["places"] = places[2 : 2 + data.LENGTH]
            self.out["relative"] = relative
            self.out["epsilon"] = torch.tensor([1e-5])
        self.norm("norm", f"{of}LayerNorm")

    def layer(self, layer: int) -> None:
        of = f"{BASE}encoder.layer.{layer}"
        if f"{of}.attention.attn.q.weight" in self.weights:
            attention, gathered, norm = [f"attention.attn.{part}" for part in "qkv"], "attention.attn.o", "attention.LayerNorm"
        else:
            attention = [f"attention.self.{part}" for part in ("query", "key", "value")]
            gathered, norm = "attention.output.dense", "attention.output.LayerNorm"
        self.matrix(f"{layer}.queries_keys_values", *(f"{of}.{part}" for part in attention))
        self.matrix(f"{layer}.gathered", f"{of}.{gathered}")
        self.norm(f"{layer}.attention_norm", f"{of}.{norm}")
        self.matrix(f"{layer}.up", f"{of}.intermediate.dense")
        self.matrix(f"{layer}.down", f"{of}.output.dense")
        self.norm(f"{layer}.norm", f"{of}.output.LayerNorm")

    def head(self) -> None:
        self.matrix("head", "head.1")
        self.out["scores.weight"], self.out["scores.bias"] = self.weights["head.4.weight"], self.weights["head.4.bias"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trained", type=Path, required=True, help="what finetune.py wrote")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    names = Names(*read_stored(load_file(args.trained / "stored.safetensors")))
    names.embeddings()
    layer = 0
    while f"{BASE}encoder.layer.{layer}.output.dense.bias" in names.weights:
        names.layer(layer)
        layer += 1
    names.head()
    save_file({name: tensor.float().contiguous() for name, tensor in names.out.items()}, args.out / "encoder.safetensors")
    for name in ("pieces.txt", "manifest.json"):
        shutil.copy(args.trained / name, args.out / name)
    print(json.dumps({"layers": layer, "tensors": len(names.out)}))


if __name__ == "__main__":
    main()
