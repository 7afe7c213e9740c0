"""What tests/trend.rs expects of `trend.jsonl`, written to `trend.json`: shares by quarter, counted as means and by expectation
maximisation as the paper of Saerens, Latinne and Decaestecker (2002) has it, with √n texts of the calibration's shares added.

usage: python3 tests/data/trend.py
"""

import collections
import json
import math
from pathlib import Path

HERE = Path(__file__).parent
CALIBRATED_ON = [0.2, 0.5, 0.3]
CLASSES = ["aligned", "neutral", "opposed"]


def corrected(rows: list[list[float]]) -> list[float]:
    shares = list(CALIBRATED_ON)
    for _ in range(10_000):
        posteriors = []
        for row in rows:
            scaled = [p * new / old for p, new, old in zip(row, shares, CALIBRATED_ON)]
            posteriors.append([s / sum(scaled) for s in scaled])
        added = math.sqrt(len(rows))
        shares = [
            (added * old + sum(column)) / (added + len(rows)) for old, column in zip(CALIBRATED_ON, zip(*posteriors))
        ]
    return shares


def main() -> None:
    cells = collections.defaultdict(list)
    for line in (HERE / "trend.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        year, month, _ = record["date"].split("-")
        quarter = f"{year}-Q{(int(month) + 2) // 3}"
        cells[record["state_code"], quarter].append([record["probabilities"][name] for name in CLASSES])
    expected = [
        {
            "state": state,
            "period": period,
            "articles": len(rows),
            "mean": [sum(column) / len(rows) for column in zip(*rows)],
            "corrected": corrected(rows),
        }
        for (state, period), rows in sorted(cells.items())
    ]
    (HERE / "trend.json").write_text(json.dumps({"calibrated_on": CALIBRATED_ON, "cells": expected}, indent=1) + "\n")


if __name__ == "__main__":
    main()
