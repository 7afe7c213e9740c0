"""Writes the scores that an independent implementation gives: windows, and the scores of the model as it is stored, computed
by PyTorch. `tests/encoder.rs` compares. Says how many decisions are those of the weights before they were stored.
"""

import argparse
import json
import random
import struct
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

import rows as data
from model import StanceEncoder

OWN = {"headlines.csv", "sentences.csv", "articles.csv", "contrasts.csv"}


def read(path: Path) -> tuple[dict, dict[str, torch.Tensor]]:
    """The manifest and the tensors of a model file."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    manifest = json.loads(header.pop("__metadata__")["detente"])["manifest"]
    types = {"U8": torch.uint8, "F32": torch.float32, "BF16": torch.bfloat16}
    tensors = {}
    for name, entry in header.items():
        if name.startswith("encoder."):
            low, high = (8 + length + offset for offset in entry["data_offsets"])
            raw = torch.frombuffer(bytearray(content[low:high]), dtype=types[entry["dtype"]])
            tensors[name.removeprefix("encoder.")] = raw.reshape(entry["shape"])
    return manifest, tensors


def weights(tensors: dict[str, torch.Tensor], name: str) -> torch.Tensor:
    """A matrix as numbers, a row for each output."""
    levels, scales = tensors[f"{name}.levels"], tensors[f"{name}.scales"].float()
    panels, inputs, half = levels.shape
    levels = torch.cat([levels & 15, levels >> 4], dim=2).float() - 7.5
    numbers = levels * scales.repeat_interleave(inputs // scales.shape[1], dim=1)
    return numbers.permute(0, 2, 1).reshape(panels * 2 * half, inputs)


def stored(net: StanceEncoder, manifest: dict, tensors: dict[str, torch.Tensor]) -> None:
    """Puts the stored weights into the network."""
    state = net.state_dict()
    put = lambda name, value: state[name].copy_(value)  # noqa: E731
    norm = lambda to, name: (put(f"{to}.weight", tensors[f"{name}.gain"]), put(f"{to}.bias", tensors[f"{name}.offset"]))  # noqa: E731
    dense = lambda to, name: (put(f"{to}.weight", weights(tensors, name)), put(f"{to}.bias", tensors[f"{name}.bias"]))  # noqa: E731
    vectors = weights(tensors, "pieces")[: net.encoder.embeddings.word_embeddings.num_embeddings]
    put("encoder.embeddings.word_embeddings.weight", vectors)
    places = state["encoder.embeddings.position_embeddings.weight"]
    places[2 : 2 + data.LENGTH] = tensors["places"].reshape(data.LENGTH, -1)
    norm("encoder.embeddings.LayerNorm", "norm")
    put("encoder.encoder.relative_attention_bias.weight", tensors["relative"].reshape(32, -1))
    for layer in range(manifest["parts"]["layers"]):
        to = f"encoder.encoder.layer.{layer}"
        width = vectors.shape[1]
        fused, bias = weights(tensors, f"{layer}.queries_keys_values"), tensors[f"{layer}.queries_keys_values.bias"]
        for i, part in enumerate("qkv"):
            put(f"{to}.attention.attn.{part}.weight", fused[i * width : (i + 1) * width])
            put(f"{to}.attention.attn.{part}.bias", bias[i * width : (i + 1) * width])
        dense(f"{to}.attention.attn.o", f"{layer}.gathered")
        norm(f"{to}.attention.LayerNorm", f"{layer}.attention_norm")
        dense(f"{to}.intermediate.dense", f"{layer}.up")
        dense(f"{to}.output.dense", f"{layer}.down")
        norm(f"{to}.output.LayerNorm", f"{layer}.norm")
    dense("head.1", "head")
    hidden = state["head.4.weight"].shape[1]
    put("head.4.weight", tensors["coef"].reshape(3, hidden))
    put("head.4.bias", torch.tensor(manifest["parts"]["intercept_of_encoder"]))


@torch.inference_mode()
def scores(net: StanceEncoder, tokenizer: Tokenizer, windows: list[dict]) -> list[list[float]]:
    net.eval()
    out = []
    for window in windows:
        pieces = data.encode(tokenizer, window["text"], window["state"][0], window["actor"][0], data.LENGTH)
        # One by one: nothing is filled up, so no number stands for a piece that is not there.
        z = net(*data.collate([pieces], 1))[0].double()
        out.append((z - z.mean()).tolist())
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="a model file with an encoder")
    parser.add_argument("--trained", type=Path, required=True, help="what finetune.py wrote")
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--windows", type=Path, required=True)
    parser.add_argument("--layers", type=int)
    parser.add_argument("--full", type=Path, help="the weights before they were brought to four bits, if another run's")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    manifest, tensors = read(args.model)
    with args.windows.open(encoding="utf-8") as lines:
        own = [w for row in map(json.loads, lines) if row["data"] in OWN for w in row["windows"]]
    windows = random.Random(0).sample(own, 200)
    tokenizer = data.load_tokenizer(args.trained / "pieces.txt")
    net = StanceEncoder(args.base, args.trained / "pieces.txt", args.layers)
    net.load_state_dict(load_file((args.full or args.trained) / "weights.safetensors"))
    full = scores(net, tokenizer, windows)
    with torch.no_grad():
        stored(net, manifest, tensors)
    kept = scores(net, tokenizer, windows)
    with args.out.open("w", encoding="utf-8") as out:
        for window, stored_scores in zip(windows, kept):
            row = {"text": window["text"], "state": window["state"], "actor": window["actor"]}
            row["stored"] = [round(score, 6) for score in stored_scores]
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    agree = sum(max(range(3), key=a.__getitem__) == max(range(3), key=b.__getitem__) for a, b in zip(kept, full))
    print(f"{agree} of {len(windows)} decisions are kept")


if __name__ == "__main__":
    main()
