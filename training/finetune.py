"""Fine-tunes encoders on rows of windows, in three steps:

1. Teachers, each without one fold (and none with the labels of the fold that is held out), in full precision.
2. Their probabilities: of every row that nobody labelled or a crowd did, by all teachers; of each labelled one by those
   that were trained without its fold.
3. Students, on labels and these probabilities together, with their weights as they will be stored: `full` in full
   precision, then `four-bits` from there; `small` (other base) and `half` (every other layer) likewise.

Of a row with several windows one is drawn at each turn, by its share. What is scored is the row: the mean of its windows'
log-probabilities, weighted. Rows are drawn anew each epoch with the chance that their weight is of the largest, neutral
ones with NEUTRAL of that; rows without a label of ours by what the teachers say. The network computes in bfloat16 and its weights move in 32 bits.
"""

import argparse
import hashlib
import json
import platform
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn import functional

from model import Masters, StanceEncoder
from rows import LENGTH, Rows

# The share of the neutral rows that is kept of labelled ones, and of unlabelled ones that the teachers take for neutral.
NEUTRAL = 0.4
UNLABELLED_NEUTRAL = 0.25
# How much a label counts beside the teachers' probabilities, where a row has both.
TRUTH = 0.6
SMOOTHING = 0.05
# Labelled by a crowd, of another question: a part of the loss of its own while teachers learn.
CROWD = "windows/train.txt"
HELD_OUT = 0


@dataclass
class Settings:
    """How a network learns."""

    epochs: float
    rate: float
    seed: int
    batch: int = 128
    four_bits: bool = False
    crowd: float = 0.0  # the weight of the crowd's question


def macro_f1(truth: torch.Tensor, said: torch.Tensor) -> float:
    scores = []
    for k in range(3):
        hit = ((truth == k) & (said == k)).sum().item()
        both = (truth == k).sum().item() + (said == k).sum().item()
        if both:
            scores.append(2 * hit / both)
    return sum(scores) / len(scores)


@torch.inference_mode()
def score(net: StanceEncoder, rows: Rows, chosen: torch.Tensor, batch: int = 1024) -> torch.Tensor:
    """Log-probabilities of the rows, pooled over their windows: chosen rows by three."""
    net.eval()
    counts = rows.first[chosen + 1] - rows.first[chosen]
    owner = torch.repeat_interleave(torch.arange(len(chosen), device=chosen.device), counts)
    windows = torch.arange(len(owner), device=chosen.device)
    windows = windows - torch.repeat_interleave(counts.cumsum(0) - counts, counts) + rows.first[chosen][owner]
    order = rows.lengths(windows).argsort()
    longest = rows.lengths(windows)[order].tolist()[batch - 1 :: batch] + [LENGTH]
    pooled = torch.zeros(len(chosen), 3, device=chosen.device)
    for part, length in zip(order.split(batch), longest):
        logits = net(*rows.collate(windows[part], length))
        logs = functional.log_softmax(logits.float(), dim=1)
        pooled.index_add_(0, owner[part], logs * rows.share[windows[part]].float()[:, None])
    total = torch.zeros(len(chosen), device=chosen.device).index_add_(0, owner, rows.share[windows].float())
    net.train()
    return pooled / total[:, None]


def epoch(rows: Rows, keep: torch.Tensor, batch: int, dice: torch.Generator) -> list[tuple]:
    """Batches of the rows that this epoch keeps, in random order: rows, a window of each, pieces of the longest. Those of a
    batch are of about one length."""
    kept = (torch.rand(len(keep), generator=dice).to(keep.device) < keep).nonzero()[:, 0]
    kept = kept[torch.randperm(len(kept), generator=dice).to(kept.device)]
    windows = rows.draw(kept, dice)
    length = rows.lengths(windows)
    run = torch.arange(len(kept), device=kept.device) // (16 * batch)
    order = (run * (LENGTH + 1) + length).argsort(stable=True)
    longest = [int(part.max()) for part in length[order].cpu().split(batch)]
    parts = list(zip(kept[order].split(batch), windows[order].split(batch), longest))
    return [parts[i] for i in torch.randperm(len(parts), generator=dice)]


def train(
    net: StanceEncoder, rows: Rows, keep: torch.Tensor, target: torch.Tensor, settings: Settings, name: str
) -> Masters:
    """Trains on rows, each kept in an epoch with the chance `keep`, toward the probabilities `target`."""
    torch.manual_seed(settings.seed)
    dice = torch.Generator().manual_seed(settings.seed)
    # First the masters, so that they begin from the weights in 32 bits.
    masters = Masters(net, settings.four_bits)
    net.bfloat16().train()
    masters.write()
    decay = {"params": [masters.groups], "weight_decay": 0.01}
    rest = {"params": masters.others, "weight_decay": 0.0}
    fused = {"fused": True} if masters.groups.is_cuda else {}
    optimizer = torch.optim.AdamW([decay, rest], lr=settings.rate, **fused)
    steps = max(1, round(settings.epochs * keep.sum().item() / settings.batch))
    warm_up = max(1, round(0.06 * steps))
    refresh = max(1, steps // 20)
    crowd_rows = rows.of(CROWD)
    step, seen, started, losses = 0, 0, time.time(), []
    while step < steps:
        for chosen, windows, longest in epoch(rows, keep, settings.batch, dice):
            rate = (step + 1) / warm_up if step < warm_up else (steps - step) / (steps - warm_up)
            for group in optimizer.param_groups:
                group["lr"] = settings.rate * rate
            scores, crowd = net(*rows.collate(windows, longest), crowd=True)
            loss = functional.cross_entropy(scores.float(), target[chosen], reduction="none", label_smoothing=SMOOTHING)
            if settings.crowd:
                asked = functional.cross_entropy(crowd.float(), rows.label[chosen], reduction="none")
                loss = torch.where(crowd_rows[chosen], settings.crowd * asked, loss)
            loss = loss.mean()
            loss.backward()
            masters.take_gradients(1.0)
            optimizer.step()
            step += 1
            seen += len(chosen)
            # The scales follow the weights at first, and stand still at last.
            if settings.four_bits and step % refresh == 0 and step < 0.7 * steps:
                masters.rescale()
            else:
                masters.write()
            if step % 200 == 0 or step == steps:
                losses.append(loss.item())
                speed = seen / (time.time() - started)
                print(f"{name}: step {step} of {steps}, loss {losses[-1]:.4f}, {speed:.0f} rows a second", flush=True)
            if step == steps:
                break
    return masters


def report(name: str, rows: Rows, logs: torch.Tensor, chosen: torch.Tensor) -> dict[str, float]:
    """Macro-F1 of each part."""
    said, out = logs.argmax(dim=1), {}
    for i, part in enumerate(rows.parts):
        of = rows.part[chosen] == i
        if of.any():
            out[part] = round(macro_f1(rows.label[chosen][of], said[of]), 4)
    print(name, json.dumps(out), flush=True)
    return out


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Run:
    """What all steps share."""

    def __init__(self, args: argparse.Namespace):
        self.args, self.device = args, args.device
        self.started = time.time()
        self.rows = rows = Rows.load(args.rows, args.device)
        self.silver = rows.of("silver/") | rows.of(CROWD)
        labelled = rows.of("windows/") & ~rows.of(CROWD)
        self.held_out = labelled & (rows.fold == HELD_OUT)
        self.learnt = labelled & (rows.fold != HELD_OUT)
        self.judged = (self.held_out | rows.of("eval/")).nonzero()[:, 0]
        chance = rows.weight / rows.weight[labelled].max()
        self.chance = torch.where(rows.label == 1, NEUTRAL * chance, chance)
        self.metrics: dict[str, dict[str, float]] = {}
        self.scores: dict[str, torch.Tensor] = {}

    def net(self, base: Path, layers: int | None = None) -> StanceEncoder:
        return StanceEncoder(base, self.args.pieces, layers).to(self.device)

    def judge(self, name: str, masters: Masters | None, logs: torch.Tensor | None = None) -> None:
        """Scores the rows that nothing was trained on, in 32 bits."""
        if masters is not None:
            masters.exact()
            logs = score(masters.net, self.rows, self.judged)
        self.metrics[name] = report(name, self.rows, logs, self.judged)
        if name.endswith("four-bits") or name == "small":
            full = self.scores["judged.full" if name == "four-bits" else "judged.small-full"].argmax(dim=1)
            kept = (full == logs.argmax(dim=1).cpu()).float().mean().item()
            print(f"{name}: {kept:.4f} of {len(full)} decisions as in full precision")
        self.scores[f"judged.{name}"] = logs.float().cpu()
        print(f"{name} at {time.time() - self.started:.0f} s", flush=True)

    def teach(self, teachers: list[Settings]) -> torch.Tensor:
        """The probabilities of the teachers for all rows, by those that have not seen a row."""
        rows, args = self.rows, self.args
        folds = [fold for fold in range(int(rows.fold.max()) + 1) if fold != HELD_OUT]
        total = torch.zeros(len(rows), 3, device=self.device)
        count = torch.zeros(len(rows), 1, device=self.device)
        truth = functional.one_hot(rows.label, 3).float()
        for i, settings in enumerate(teachers):
            without = folds[i % len(folds)]
            learns = self.learnt & (rows.fold != without)
            keep = torch.where(learns, self.chance, 0.0)
            if settings.crowd:
                keep = torch.where(rows.of(CROWD), 0.4 * self.chance.clamp(min=0.1), keep)
            torch.manual_seed(settings.seed)
            masters = train(self.net(args.base), rows, keep, truth, settings, f"teacher {i}")
            masters.exact()
            asked = (~learns).nonzero()[:, 0]
            logs = score(masters.net, rows, asked)
            self.metrics[f"teacher {i}"] = report(f"teacher {i} {settings}", rows, logs[torch.isin(asked, self.judged)], self.judged)
            total[asked] += logs
            count[asked] += 1
            print(f"teacher {i} at {time.time() - self.started:.0f} s", flush=True)
        # Scores, not probabilities, are averaged: the mean stays as sure as its parts where they agree.
        taught = (total / count.clamp(min=1)).log_softmax(dim=1)
        self.judge("teachers", None, taught[self.judged])
        self.scores["taught"] = taught.half().cpu()
        return taught.exp()

    def student(self, name: str, net: StanceEncoder, taught: torch.Tensor, settings: Settings) -> Masters:
        """Trains on labels and the teachers' probabilities, and writes the weights."""
        rows = self.rows
        truth = functional.one_hot(rows.label, 3).float()
        target = torch.where(self.silver[:, None], taught, TRUTH * truth + (1 - TRUTH) * taught)
        sided = 1 - taught[:, 1]
        of_silver = torch.where(sided > 0.3, 1.0, UNLABELLED_NEUTRAL)
        keep = torch.where(self.learnt, self.chance, torch.where(self.silver, of_silver, 0.0))
        masters = train(net, rows, keep, target, settings, name)
        self.judge(name, masters)
        if settings.four_bits:
            folder = self.args.out / name
            folder.mkdir(parents=True, exist_ok=True)
            tensors = {key: tensor.detach().cpu().contiguous() for key, tensor in masters.stored().items()}
            save_file(tensors, folder / "stored.safetensors")
            (folder / "pieces.txt").write_text(self.args.pieces.read_text(encoding="utf-8"), encoding="utf-8")
            manifest = {
                "rows_sha256": sha256(self.args.rows),
                "parameters": {"fold": HELD_OUT, "neutral": NEUTRAL, "truth": TRUTH, **asdict(settings)},
                "length": LENGTH,
                "versions": {"python": platform.python_version(), "torch": torch.__version__},
                "rows_an_epoch": int(keep.sum().item()),
                "metrics": self.metrics[name],
            }
            (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
        save_file(self.scores, self.args.out / "scores.safetensors")
        return masters


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True, help="what rows.py wrote")
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--small-base", type=Path, help="the base of the small student; without it there is none")
    parser.add_argument("--pieces", type=Path, required=True, help="the word pieces that are kept: pieces.py")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--teachers", type=int, default=8)
    parser.add_argument("--epochs", type=float, default=1.0, help="times as many epochs, for all")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_float32_matmul_precision("high")
    run = Run(args)
    times = args.epochs
    plans = [(3e-5, 3, 0.0), (5e-5, 3, 0.3), (8e-5, 3, 0.0), (5e-5, 4, 0.3), (5e-5, 3, 0.0), (8e-5, 3, 0.3), (5e-5, 4, 0.0), (3e-5, 4, 0.3)]
    teachers = [Settings(times * epochs, rate, seed, crowd=crowd) for seed, (rate, epochs, crowd) in enumerate(plans)]
    taught = run.teach(teachers[: args.teachers])

    full = run.student("full", run.net(args.base), taught, Settings(times * 4, 6e-5, 100))
    run.student("four-bits", full.net, taught, Settings(times * 3, 4e-5, 101, four_bits=True))
    if args.small_base is not None:
        small = run.student("small-full", run.net(args.small_base), taught, Settings(times * 5, 2e-4, 102))
        run.student("small", small.net, taught, Settings(times * 3, 1e-4, 103, four_bits=True))
        half = run.student("half-full", run.net(args.base, 6), taught, Settings(times * 4, 8e-5, 104))
        run.student("half", half.net, taught, Settings(times * 3, 5e-5, 105, four_bits=True))
    print(json.dumps(run.metrics, indent=1), file=sys.stderr)


if __name__ == "__main__":
    main()
