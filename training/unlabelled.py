"""Pairs that nobody has labelled, as rows: what `detente predict` found, but for the pairs that have a label and the years
that are for dev and test. The label written is the model's and is not learnt from: finetune.py asks its teachers.
"""

import argparse
import csv
import json
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--predictions", type=Path, required=True, help="JSON lines of `detente predict`")
    parser.add_argument("--labels", type=Path, help="labels by id, state and actor: their pairs are left out")
    parser.add_argument("--before", help="leave out what is of this date or later")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    labelled = set()
    if args.labels is not None:
        with args.labels.open(encoding="utf-8", newline="") as lines:
            labelled = {(row["id"], row["state"], row["actor"]) for row in csv.DictReader(lines)}
    with args.predictions.open(encoding="utf-8") as lines, args.out.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(["id", "state", "actor", "label", "group", "split"])
        for record in map(json.loads, lines):
            pair = (record["id"], record["state_code"], record["actor_code"])
            if pair in labelled or (args.before and record["date"] >= args.before):
                continue
            rows.writerow([*pair, record["stance"], record["id"], "train"])


if __name__ == "__main__":
    main()
