"""What an encoder knows of states, actors and regions that no row of its training named.

Fine-tunes the base on the labels alone, as `finetune.py` does a teacher: once on all rows that are learnt from, and once for
each of NAMES without the rows that name it on either side (a region: without those that name an entry of it). All are asked
about the same rows, which none has learnt from: those of the fold that is held out which name one of NAMES, and the held-out
sets. Macro-F1 of the rows that
name it, with 95 % intervals of a bootstrap over texts, and of the difference on the same draws.

Each network's answers are kept in a file, so that a run that was cut off goes on where it was.
"""

import argparse
import csv
import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional

import finetune
from finetune import HELD_OUT, NEUTRAL, Settings
from model import StanceEncoder
from rows import Rows

DRAWS = 1000


class Names:
    """Whom each row names."""

    def __init__(self, windows: list[Path], entries: Path):
        self.text, self.state, self.actor = [], [], []
        for path in windows:
            with path.open(encoding="utf-8") as lines:
                for row in map(json.loads, lines):
                    self.text.append(f"{row['data']}:{row['id']}")
                    self.state.append(row["state"])
                    self.actor.append(row["actor"])
        with entries.open(encoding="utf-8", newline="") as lines:
            self.region = {row["code"]: row["region"] for row in csv.DictReader(lines)}

    def of(self, side: list[str], name: str) -> torch.Tensor:
        """Which rows have this code, or a code of this region, on a side."""
        return torch.tensor([name in (code, self.region.get(code)) for code in side])

    def kinds(self, name: str) -> dict[str, torch.Tensor]:
        """Rows by what of them is unknown to a network that has never seen `name`."""
        state, actor = self.of(self.state, name), self.of(self.actor, name)
        if name in self.region.values():
            return {f"region {name}": state | actor}
        return {f"actor {name}": actor, f"state {name}": state}


def answers(rows: Rows, learns: torch.Tensor, asked: torch.Tensor, args: argparse.Namespace, name: str) -> torch.Tensor:
    """What a network that has learnt from `learns` says of `asked`."""
    labelled = rows.of("windows/") & ~rows.of(finetune.CROWD)
    chance = rows.weight / rows.weight[labelled].max()
    keep = torch.where(learns, torch.where(rows.label == 1, NEUTRAL * chance, chance), 0.0)
    truth = functional.one_hot(rows.label, 3).float()
    settings = Settings(args.epochs, args.rate, seed=0)
    torch.manual_seed(settings.seed)
    net = StanceEncoder(args.base, args.pieces).to(args.device)
    masters = finetune.train(net, rows, keep, truth, settings, name)
    return finetune.score(masters.net, rows, asked, batch=256).float().cpu()


def scores(label: torch.Tensor, said: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
    """Macro-F1 under each column of `times`, which says how often a row was drawn."""
    out = []
    for k in range(3):
        of_class, of_said = (label == k).float(), (said == k).float()
        hit = (of_class * of_said) @ times
        out.append(2 * hit / (of_class @ times + of_said @ times))
    return torch.stack(out).nanmean(dim=0)


def draws(texts: list[str]) -> torch.Tensor:
    """How often each row is there in each of DRAWS samples of texts, with all of its rows; the first column is the data."""
    number = {text: i for i, text in enumerate(dict.fromkeys(texts))}
    dice = torch.Generator().manual_seed(0)
    drawn = torch.randint(len(number), (DRAWS, len(number)), generator=dice)
    times = torch.ones(DRAWS + 1, len(number))
    times[1:] = torch.zeros(DRAWS, len(number)).scatter_add_(1, drawn, torch.ones(drawn.shape))
    return times[:, [number[text] for text in texts]].T


def with_interval(values: torch.Tensor) -> str:
    low, high = values[1:].quantile(torch.tensor([0.025, 0.975])).tolist()
    return f"{values[0]:.3f} ({low:.3f} to {high:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", metavar="NAMES", help="codes and regions to leave out, each by itself")
    parser.add_argument("--windows", type=Path, nargs="+", required=True, help="what --rows was made from, in that order")
    parser.add_argument("--rows", type=Path, required=True, help="what rows.py wrote")
    parser.add_argument("--entries", type=Path, default=Path("datasets/gazetteer/entries.csv"))
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--pieces", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=float, default=1)
    parser.add_argument("--rate", type=float, default=5e-5)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    rows, names = Rows.load(args.rows, args.device), Names(args.windows, args.entries)
    if len(rows) != len(names.text):
        parser.error(f"{args.rows} has {len(rows)} rows, --windows {len(names.text)}")
    labelled = rows.of("windows/") & ~rows.of(finetune.CROWD)
    learnt = labelled & (rows.fold != HELD_OUT)
    kinds_of = {name: names.kinds(name) for name in args.names}
    of_any = torch.stack([of for kinds in kinds_of.values() for of in kinds.values()]).any(dim=0).to(args.device)
    asked = ((labelled & (rows.fold == HELD_OUT) & of_any) | rows.of("eval/")).nonzero()[:, 0]
    label, parts = rows.label[asked].cpu(), rows.part[asked].cpu()
    known = None
    print("| left out | rows that name it: learnt from | asked | never seen | known | difference |\n|---|---|---|---|---|---|")
    for name in [None, *args.names]:
        kinds = kinds_of.get(name, {})
        named = torch.stack(list(kinds.values())).any(dim=0) if kinds else torch.zeros(len(rows), dtype=torch.bool)
        kept = args.out / f"{name or 'all'}.safetensors"
        if not kept.exists() or not torch.equal(load_file(kept)["asked"], asked.cpu()):
            learns = learnt & ~named.to(args.device)
            save_file({"asked": asked.cpu(), "logs": answers(rows, learns, asked, args, name or "all")}, kept)
        said = load_file(kept)["logs"].argmax(dim=1)
        if name is None:
            known = said
            whole = torch.ones(len(asked), 1)
            for i, part in enumerate(rows.parts):
                if (parts == i).any():
                    of_part = parts == i
                    print(f"{part}: {scores(label[of_part], said[of_part], whole[of_part]).item():.3f}", flush=True)
            continue
        for kind, of_kind in kinds.items():
            chosen = of_kind[asked.cpu()]
            times = draws([names.text[i] for i in asked[chosen.to(asked.device)].tolist()])
            new, old = (scores(label[chosen], answer[chosen], times) for answer in (said, known))
            learnable = int((of_kind & learnt.cpu()).sum())
            print(f"| {kind} | {learnable:,} | {int(chosen.sum()):,} | {with_interval(new)} | {with_interval(old)} "
                  f"| {with_interval(new - old)} |", flush=True)


if __name__ == "__main__":
    main()
