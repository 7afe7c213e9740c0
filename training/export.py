"""Writes what `detente train --encoder` reads: the fine-tuned weights under its own names."""

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

import rows as data

BASE = "encoder."


def renamed(weights: dict[str, torch.Tensor], scales: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors by the names of `detente`; a matrix is a row of weights for each output."""
    out: dict[str, torch.Tensor] = {}

    def norm(name: str, of: str) -> None:
        out[f"{name}.gain"], out[f"{name}.offset"] = weights[f"{of}.weight"], weights[f"{of}.bias"]

    def matrix(name: str, *parts: str) -> None:
        """One matrix, or several one below the other."""
        for kind in ("weight", "bias"):
            out[f"{name}.{kind}"] = torch.cat([weights[f"{part}.{kind}"] for part in parts])
        if scales:
            out[f"{name}.scales"] = torch.cat([scales[part] for part in parts])

    out["pieces"] = weights[f"{BASE}embeddings.word_embeddings.weight"]
    if scales:
        out["pieces.scales"] = scales[f"{BASE}embeddings.word_embeddings"]
    # Places count from 2: the two before stand for what has none.
    out["places"] = weights[f"{BASE}embeddings.position_embeddings.weight"][2 : 2 + data.LENGTH]
    out["relative"] = weights[f"{BASE}encoder.relative_attention_bias.weight"]
    norm("norm", f"{BASE}embeddings.LayerNorm")
    layer = 0
    while f"{BASE}encoder.layer.{layer}.output.dense.weight" in weights:
        of = f"{BASE}encoder.layer.{layer}"
        matrix(f"{layer}.queries_keys_values", *(f"{of}.attention.attn.{part}" for part in "qkv"))
        matrix(f"{layer}.gathered", f"{of}.attention.attn.o")
        norm(f"{layer}.attention_norm", f"{of}.attention.LayerNorm")
        matrix(f"{layer}.up", f"{of}.intermediate.dense")
        matrix(f"{layer}.down", f"{of}.output.dense")
        norm(f"{layer}.norm", f"{of}.output.LayerNorm")
        layer += 1
    matrix("head", "head.1")
    out["scores.weight"], out["scores.bias"] = weights["head.4.weight"], weights["head.4.bias"]
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trained", type=Path, required=True, help="what finetune.py wrote")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    scales = args.trained / "scales.safetensors"
    tensors = renamed(load_file(args.trained / "weights.safetensors"), load_file(scales) if scales.exists() else {})
    save_file({name: tensor.float().contiguous() for name, tensor in tensors.items()}, args.out / "encoder.safetensors")
    for name in ("pieces.txt", "manifest.json"):
        shutil.copy(args.trained / name, args.out / name)
    print(json.dumps({"tensors": len(tensors)}))


if __name__ == "__main__":
    main()
