"""What each step is worth, from guessing to the accurate model: prints the table of reports/ablation.md.

Macro-F1 on held-out sets with 95 % intervals, drawn over texts; milliseconds a row on the news summaries of 2024, the
start of the program in it.
"""

import argparse
import json
import random
import re
import subprocess
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import load_file
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from rows import LABELS, Rows

SETS = {
    "dev.csv": "../shared/data/gold/dev.csv",
    "headlines-dev.csv": "../shared/data/gold/headlines-dev.csv",
    "events-test.csv": "data-build/events-test.csv",
    "contrasts-test.csv": "data-build/contrasts-test.csv",
}
TITLES = ["sentences and articles", "headlines", "news summaries of 2024", "contrasts"]
PARTS = {
    "train.txt": "directed-sentiment sentences, labelled by a crowd",
    "dse.csv": "+ our labels on them",
    "factbook.csv": "+ World Factbook",
    "bbc.csv": "+ BBC news",
    "headlines.csv": "+ headlines",
    "sentences.csv": "+ sentences",
    "articles.csv": "+ articles",
    "events.csv": "+ news summaries",
    "contrasts.csv": "+ contrasts: the fast model",
}


def macro_f1(pairs: list[tuple[int, int]]) -> float:
    scores = []
    for k in range(3):
        both = sum(t == k for t, _ in pairs) + sum(s == k for _, s in pairs)
        if both:
            scores.append(2 * sum(t == s == k for t, s in pairs) / both)
    return sum(scores) / len(scores)


def interval(groups: list[list[tuple[int, int]]]) -> tuple[float, float, float]:
    """Macro-F1, and its interval from 1,000 draws of the groups."""
    dice = random.Random(0)
    draws = sorted(macro_f1([p for g in dice.choices(groups, k=len(groups)) for p in g]) for _ in range(1000))
    return macro_f1([pair for group in groups for pair in group]), draws[25], draws[974]


def line(name: str, cells: list[tuple[float, float, float]], milliseconds: float | None) -> None:
    numbers = " | ".join(f"{f1:.3f} ({low:.2f} to {high:.2f})" for f1, low, high in cells)
    took = "–" if milliseconds is None else f"{milliseconds:.1f}" if milliseconds >= 1 else f"{milliseconds:.2f}"
    print(f"| {name} | {numbers} | {took} |", flush=True)


def by_program(name: str, program: str, model: str) -> None:
    cells, took = [], 0.0
    for part, path in SETS.items():
        command = [program, "--quiet", "evaluate", "--data", path, "--model", model, "--format", "json"]
        started = time.time()
        record = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        if part == "events-test.csv":
            took = time.time() - started
            rows = record["n"]
        cells.append((record["macro_f1"], *record["ci95"]["macro_f1"]))
    line(name, cells, 1000 * took / rows)


def windows(path: Path) -> list[dict]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(row) for row in lines]


def by_said(name: str, rows: list[dict], said: list[int], milliseconds: float | None = None) -> None:
    """A line of answers to the rows of judged.toml."""
    cells = []
    for part in SETS:
        groups: dict[str, list[tuple[int, int]]] = {}
        for row, answer in zip(rows, said):
            if row["data"] == part:
                groups.setdefault(document(row["id"]), []).append((LABELS.index(row["label"]), answer))
        cells.append(interval(list(groups.values())))
    line(name, cells, milliseconds)


def document(name: str) -> str:
    """The text that a row is of: its id without the pair, and without which of two contrasts it is."""
    return re.sub(r"(-[A-Z0-9]{2,}){2}$|-[ab]$", "", name)


def text(row: dict) -> str:
    return " ".join(window["text"] for window in row["windows"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default="target/release/detente")
    parser.add_argument("--windows", type=Path, required=True, help="of models/fast.toml")
    parser.add_argument("--judged", type=Path, required=True, help="of judged.toml")
    parser.add_argument("--rows", type=Path, help="what finetune.py read, with the judged windows")
    parser.add_argument("--scores", type=Path, help="what it wrote")
    parser.add_argument("--half", help="the model file of the encoder of half the layers")
    parser.add_argument("--work", type=Path, required=True, help="a folder for models")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    judged = windows(args.judged)
    print(f"| | {' | '.join(TITLES)} | ms a row |\n|---|---|---|---|---|---|", flush=True)
    by_said("always neutral", judged, [1] * len(judged), 0.0)
    train = windows(args.windows)
    words = TfidfVectorizer(sublinear_tf=True, min_df=2, ngram_range=(1, 2))
    model = LogisticRegression(max_iter=300, class_weight="balanced")
    model.fit(words.fit_transform(map(text, train)), [LABELS.index(row["label"]) for row in train])
    said = model.predict(words.transform(map(text, judged))).tolist()
    by_said("bag of words and pairs of words (scikit-learn), all rows", judged, said)
    recipe = Path("models/fast.toml").read_text(encoding="utf-8")
    head, *parts = recipe.split("[[data]]")
    for count, name in enumerate(PARTS.values(), 1):
        path, model = args.work / "part.toml", args.work / f"{count}.detente"
        some = [re.sub(r"^calibrate = false\n", "", part, flags=re.M) for part in parts[:count]] if count == 1 else parts[:count]
        body = head.replace('root = ".."', f'root = "{Path.cwd()}"') + "".join("[[data]]" + part for part in some)
        path.write_text(body, encoding="utf-8")
        subprocess.run([args.program, "--quiet", "train", "--config", path, "--output", model], check=True)
        by_program(f"masked n-grams: {name}" if count == 1 else name, args.program, str(model))
    if args.scores is not None:
        rows = Rows.load(args.rows, "cpu")
        of = {part: i for i, part in enumerate(rows.parts)}
        logs = load_file(args.scores)
        held_out = rows.of("windows/") & ~rows.of("windows/train.txt") & (rows.fold == 0)
        place = {int(row): i for i, row in enumerate((held_out | rows.of("eval/")).nonzero()[:, 0])}
        order = [place[int(row)] for part in SETS for row in (rows.part == of[f"eval/{part}"]).nonzero()[:, 0]]
        kept = [row for part in SETS for row in judged if row["data"] == part]
        for name, key in [
            ("encoder alone: eight teachers of MPNet, on labels", "teachers"),
            ("one MPNet, on labels and what the teachers say", "full"),
            ("the same in four bits", "four-bits"),
            ("MPNet cut to 6 layers, four bits", "half"),
            ("MiniLM, four bits", "small"),
        ]:
            by_said(name, kept, logs[f"judged.{key}"][torch.tensor(order)].argmax(dim=1).tolist())
    if args.half:
        by_program("MPNet of 6 layers beside n-grams, calibrated", args.program, args.half)
    by_program("MiniLM beside n-grams, calibrated: `small`", args.program, "small")
    by_program("`cascade`", args.program, "cascade")
    by_program("MPNet beside n-grams, calibrated: `accurate`", args.program, "accurate")
    print(f"detente {subprocess.run([args.program, '--version'], capture_output=True, text=True).stdout.strip()}", file=sys.stderr)


if __name__ == "__main__":
    main()
