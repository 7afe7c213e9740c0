"""Fine-tunes an encoder on windows of evidence; goes on from a checkpoint if there is one.

Trains on single windows: of a row with several, one is drawn each epoch by its weight. What is scored is the row: the mean
of its windows' log-probabilities, weighted. Rows are kept in proportion to their weight, and of the neutral ones, which are
most, a share; every row that is kept counts alike. They are shuffled, as some files are sorted by label, and put in batches
of about one length. Matrix products are in bfloat16, weights in float32; word embeddings stay as they are.
"""

import argparse
import hashlib
import json
import math
import os
import platform
import random
import shutil
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional

import rows as data
from model import StanceEncoder, round_to_four_bits, stored_scales


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=Path, required=True)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--pieces", type=Path, required=True, help="the word pieces that are kept: pieces.py")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="go on from the weights that another run wrote there")
    parser.add_argument("--four-bits", action="store_true", help="learn with the weights as they will be stored")
    parser.add_argument("--layers", type=int, help="cut the encoder to so many layers")
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=4e-5)
    parser.add_argument("--class-weights", type=float, nargs=3, default=[1.0, 1.0, 1.0])
    parser.add_argument("--smoothing", type=float, default=0.05)
    parser.add_argument("--skip", nargs="*", default=["train.txt"], help="data sets to leave out")
    parser.add_argument("--neutral", type=float, default=0.4, help="share of the neutral rows that is kept")
    parser.add_argument("--limit", type=int, help="train on so many rows, drawn at random")
    parser.add_argument("--fold", type=int, help="leave this fold out and score it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=70.0, help="stop, with a checkpoint, after so long")
    parser.add_argument("--checkpoint-every", type=int, default=200, help="steps")
    return parser.parse_args()


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def macro_f1(truth: list[int], said: list[int]) -> float:
    scores = []
    for k in range(3):
        hit = sum(t == s == k for t, s in zip(truth, said))
        both = sum(t == k for t in truth) + sum(s == k for s in said)
        if both:
            scores.append(2 * hit / both)
    return sum(scores) / len(scores)


@torch.inference_mode()
def score(net: StanceEncoder, rows: list[data.Row], pad: int, batch: int = 32) -> list[list[float]]:
    """Log-probabilities of each row, pooled over its windows."""
    net.eval()
    flat = [(i, window) for i, row in enumerate(rows) for window in row.windows]
    flat.sort(key=lambda item: len(item[1][0]))
    pooled = torch.zeros(len(rows), 3)
    weight = torch.zeros(len(rows), 1)
    for start in range(0, len(flat), batch):
        part = flat[start : start + batch]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = net(*data.collate([w[:3] for _, w in part], pad))
        logits = functional.log_softmax(logits.float(), dim=1)
        for (i, window), z in zip(part, logits):
            pooled[i] += window[3] * z
            weight[i] += window[3]
    net.train()
    return (pooled / weight).tolist()


def main() -> None:
    args = parse()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    started = time.time()
    tokenizer = data.load_tokenizer(args.pieces)
    pad = tokenizer.token_to_id("<pad>")
    rows = data.read_rows(args.windows, tokenizer, set(args.skip), args.neutral, args.limit, args.seed)
    held_out = [row for row in rows if row.fold == args.fold]
    rows = [row for row in rows if row.fold != args.fold]
    print(f"{len(rows)} rows to train on, {len(held_out)} held out", file=sys.stderr)

    net = StanceEncoder(args.base, args.pieces, args.layers)
    if args.start is not None:
        net.load_state_dict(load_file(args.start / "weights.safetensors"))
    if args.four_bits:
        round_to_four_bits(net)
    net.train()
    learnt = [parameter for parameter in net.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learnt, lr=args.rate, weight_decay=0.01, fused=True)
    steps = math.ceil(args.epochs * len(rows) / args.batch)
    warm_up = max(1, round(0.06 * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: (s + 1) / warm_up if s < warm_up else max(0.0, (steps - s) / max(1, steps - warm_up))
    )
    checkpoint = args.out / "checkpoint.pt"
    # What a checkpoint must have been made with to be gone on from.
    ignored = {"out", "minutes", "checkpoint_every", "windows", "base", "pieces", "start"}
    made_with = {key: value for key, value in vars(args).items() if key not in ignored}
    made_with |= {"windows_sha256": sha256(args.windows), "base_sha256": sha256(args.base / "model.safetensors")}
    step = 0
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        if saved["made_with"] != made_with:
            sys.exit(f"{checkpoint} was made with other parameters or data; remove it, or name another --out")
        net.load_state_dict(saved["net"])
        optimizer.load_state_dict(saved["optimizer"])
        schedule.load_state_dict(saved["schedule"])
        step = saved["step"]
        print(f"goes on from step {step}", file=sys.stderr)

    def keep() -> None:
        state = {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict(), "step": step}
        state["made_with"] = made_with
        torch.save(state, checkpoint.with_suffix(".new"))
        os.replace(checkpoint.with_suffix(".new"), checkpoint)

    class_weights = torch.tensor(args.class_weights)
    per_epoch = math.ceil(len(rows) / args.batch)
    losses = []
    order: list[list[int]] = []
    first = step
    while step < steps:
        epoch, place = divmod(step, per_epoch)
        if place == 0 or not order:
            # By seed and epoch alone, so that a run that goes on sees the same rows.
            order = data.batches(rows, args.batch, f"{args.seed} {epoch}")
        chosen = [rows[i] for i in order[place]]
        draw = random.Random(f"{args.seed} {step}")
        windows = [draw.choices(row.windows, [w[3] for w in row.windows])[0][:3] for row in chosen]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = net(*data.collate(windows, pad))
        labels = torch.tensor([row.label for row in chosen])
        loss = functional.cross_entropy(
            logits.float(), labels, weight=class_weights, label_smoothing=args.smoothing
        )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learnt, 1.0)
        optimizer.step()
        schedule.step()
        step += 1
        losses.append(loss.item())
        if step % 50 == 0:
            rate = (step - first) * args.batch / (time.time() - started)
            print(f"step {step} of {steps}, loss {sum(losses[-50:]) / 50:.4f}, {rate:.1f} rows a second", file=sys.stderr)
        if step % args.checkpoint_every == 0 or step == steps:
            keep()
        if time.time() - started > 60 * args.minutes and step < steps:
            keep()
            sys.exit(f"stopped at step {step} of {steps}; start again to go on")

    metrics = {}
    if held_out:
        logs = score(net, held_out, pad)
        said = [max(range(3), key=z.__getitem__) for z in logs]
        truth = [row.label for row in held_out]
        metrics["macro_f1"] = macro_f1(truth, said)
        for name in sorted({row.data for row in held_out}):
            of = [i for i, row in enumerate(held_out) if row.data == name]
            metrics[name] = macro_f1([truth[i] for i in of], [said[i] for i in of])
        (args.out / "held_out.json").write_text(json.dumps({"labels": truth, "log_probabilities": logs}))
    if args.four_bits:
        save_file(stored_scales(net), args.out / "scales.safetensors")
    shutil.copy(args.pieces, args.out / "pieces.txt")
    weights = {name: tensor.contiguous() for name, tensor in net.state_dict().items()}
    save_file(weights, args.out / "weights.safetensors")
    manifest = {
        "windows_sha256": made_with["windows_sha256"],
        "base_sha256": made_with["base_sha256"],
        "parameters": {key: value for key, value in vars(args).items() if not isinstance(value, Path)},
        "length": data.LENGTH,
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "rows": len(rows),
        "metrics": metrics,
    }
    (args.out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    print(json.dumps(metrics, indent=1))


if __name__ == "__main__":
    main()
