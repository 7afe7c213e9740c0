"""Writes what `detente train --encoder` reads: the fine-tuned weights under its own names, and the word pieces that it keeps.

Pieces that the texts hardly use are dropped, as their vectors would be a quarter of the file; a word of theirs is then read
as the shorter pieces that are left.
"""

import argparse
import json
import shutil
from collections import Counter
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

import rows as data

MARKS = ["<s>", "</s>", "[UNK]"]


def counted(tokenizer, texts: list[Path]) -> Counter:
    """How often each piece occurs in the texts: lines of JSON whose strings are text, or of anything."""
    counts: Counter = Counter()
    for path in texts:
        with path.open(encoding="utf-8") as lines:
            batch = []
            for line in lines:
                batch.append(line)
                if len(batch) == 2000:
                    for encoded in tokenizer.encode_batch(batch, add_special_tokens=False):
                        counts.update(encoded.tokens)
                    batch = []
            for encoded in tokenizer.encode_batch(batch, add_special_tokens=False):
                counts.update(encoded.tokens)
    return counts


def kept(tokenizer, texts: list[Path], most: int) -> list[str]:
    """The marks, every single character, then the most frequent pieces, `most` in all, in the order of the base."""
    vocabulary = tokenizer.get_vocab()
    counts = counted(tokenizer, texts)
    single = [p for p in vocabulary if len(p.removeprefix("##")) == 1 and p.isascii()]
    chosen = set(MARKS) | set(single)
    for piece, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if len(chosen) == most:
            break
        chosen.add(piece)
    return [p for p in sorted(vocabulary, key=vocabulary.__getitem__) if p in chosen]


def renamed(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors by the names of `detente`; a weight is a row for each output."""
    base = "encoder."
    out = {}
    for part in ("weight", "bias"):
        to = {"weight": "gain", "bias": "offset"}[part]
        out[f"norm.{to}"] = weights[f"{base}embeddings.LayerNorm.{part}"]
        out[f"head.{part}"] = weights[f"head.1.{part}"]
        out[f"scores.{part}"] = weights[f"head.4.{part}"]
    # Places count from 2: the two before stand for what has none.
    out["places"] = weights[f"{base}embeddings.position_embeddings.weight"][2 : 2 + data.LENGTH]
    out["relative"] = weights[f"{base}encoder.relative_attention_bias.weight"]
    layer = 0
    while f"{base}encoder.layer.{layer}.output.dense.weight" in weights:
        of = lambda name: weights[f"{base}encoder.layer.{layer}.{name}"]  # noqa: B023
        for part in ("weight", "bias"):
            to = {"weight": "gain", "bias": "offset"}[part]
            out[f"{layer}.queries_keys_values.{part}"] = torch.cat([of(f"attention.attn.{x}.{part}") for x in "qkv"])
            out[f"{layer}.gathered.{part}"] = of(f"attention.attn.o.{part}")
            out[f"{layer}.attention_norm.{to}"] = of(f"attention.LayerNorm.{part}")
            out[f"{layer}.up.{part}"] = of(f"intermediate.dense.{part}")
            out[f"{layer}.down.{part}"] = of(f"output.dense.{part}")
            out[f"{layer}.norm.{to}"] = of(f"output.LayerNorm.{part}")
        layer += 1
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trained", type=Path, required=True, help="what finetune.py wrote")
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--texts", type=Path, nargs="+", required=True, help="what pieces are counted in")
    parser.add_argument("--pieces", type=int, default=16000)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    tokenizer = data.load_tokenizer(args.base)
    pieces = kept(tokenizer, args.texts, args.pieces)
    weights = load_file(args.trained / "weights.safetensors")
    tensors = renamed(weights)
    ids = torch.tensor([tokenizer.token_to_id(piece) for piece in pieces])
    tensors["pieces"] = weights["encoder.embeddings.word_embeddings.weight"][ids]
    save_file({name: tensor.float().contiguous() for name, tensor in tensors.items()}, args.out / "encoder.safetensors")
    (args.out / "pieces.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    shutil.copy(args.trained / "manifest.json", args.out / "manifest.json")
    print(json.dumps({"pieces": len(pieces), "tensors": len(tensors)}))


if __name__ == "__main__":
    main()
