"""Writes the scores that an independent implementation gives: windows, and the scores of the model that PyTorch computes
from what finetune.py stored. `tests/encoder.rs` compares them with those of the model file.
"""

import argparse
import json
import random
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

import rows as data
from model import StanceEncoder, read_stored

OWN = {"headlines.csv", "sentences.csv", "articles.csv", "contrasts.csv"}


@torch.inference_mode()
def scores(net: StanceEncoder, tokenizer: Tokenizer, windows: list[dict]) -> list[list[float]]:
    net.eval()
    out = []
    for window in windows:
        pieces, state, actor = data.encode(tokenizer, window)
        # One by one: nothing is filled up, so no number stands for a piece that is not there.
        mask = torch.ones(1, len(pieces), dtype=torch.long)
        z = net(torch.tensor([pieces]), mask, torch.tensor([state]), torch.tensor([actor]))[0].double()
        out.append((z - z.mean()).tolist())
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trained", type=Path, required=True, help="what finetune.py wrote")
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--windows", type=Path, required=True)
    parser.add_argument("--number", type=int, default=200)
    parser.add_argument("--layers", type=int)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    with args.windows.open(encoding="utf-8") as lines:
        own = [w for row in map(json.loads, lines) if row["data"] in OWN for w in row["windows"]]
    windows = random.Random(0).sample(own, args.number)
    pieces = args.trained / "pieces.txt"
    net = StanceEncoder(args.base, pieces, args.layers)
    net.load_state_dict(read_stored(load_file(args.trained / "stored.safetensors"))[0])
    with args.out.open("w", encoding="utf-8") as out:
        for window, stored in zip(windows, scores(net, data.load_tokenizer(pieces), windows)):
            row = {"text": window["text"], "state": window["state"], "actor": window["actor"]}
            row["stored"] = [round(score, 6) for score in stored]
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
