"""Windows to batches: word pieces, cut to a fixed length around the pair."""

import json
import random
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

LABELS = ["aligned", "neutral", "opposed"]
LENGTH = 64


@dataclass
class Row:
    """A labelled pair: its windows as word pieces, and what training needs to know."""

    data: str
    label: int
    weight: float
    calibrate: bool
    fold: int
    windows: list[tuple[list[int], int, int, float]]  # pieces, places of state and actor, weight in the pool


def base_tokenizer(base: Path) -> Tokenizer:
    """The tokeniser of the base, which knows all its pieces."""
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def load_tokenizer(pieces: Path) -> Tokenizer:
    """The tokeniser of the pieces that are kept, one a line."""
    ids = {piece: i for i, piece in enumerate(pieces.read_text(encoding="utf-8").split("\n")[:-1])}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ends = [(mark, ids[mark]) for mark in ("</s>", "<s>")]
    tokenizer.post_processor = processors.RobertaProcessing(*ends, trim_offsets=True, add_prefix_space=False)
    return tokenizer


def cut(pieces: list[int], state: int, actor: int, length: int) -> tuple[list[int], int, int]:
    """At most `length` pieces: the first and the last, and between them a run around the pair."""
    room = length - 2
    inner = pieces[1:-1]
    if len(inner) <= room:
        return pieces, state, actor
    low, high = min(state, actor) - 1, max(state, actor) - 1
    if high - low >= room:
        # Too far apart: half the room around each.
        half = room // 2
        first = max(0, low - half // 2)
        second = max(first + half, min(high - half // 2, len(inner) - (room - half)))
        keep = list(range(first, first + half)) + list(range(second, second + room - half))
    else:
        start = max(0, min((low + high) // 2 - room // 2, len(inner) - room))
        start = min(start, low)
        start = max(start, high - room + 1)
        keep = list(range(start, start + room))
    place = {old: new for new, old in enumerate(keep)}
    return [pieces[0], *(inner[i] for i in keep), pieces[-1]], place[state - 1] + 1, place[actor - 1] + 1


def encode(tokenizer: Tokenizer, text: str, state: int, actor: int, length: int) -> tuple[list[int], int, int]:
    """The pieces of a window, and which of them stand for the two names; offsets count characters."""
    encoded = tokenizer.encode(text)
    places = [encoded.char_to_token(state), encoded.char_to_token(actor)]
    if None in places:
        raise ValueError(f"no piece at {state} or {actor} of {text!r}")
    return cut(encoded.ids, places[0], places[1], length)


def read_rows(
    path: Path, tokenizer: Tokenizer, skip: set[str], neutral: float, limit: int | None, seed: int
) -> list[Row]:
    """The rows of a file of windows but those of the data sets `skip`: each kept with the probability that its weight is of
    the largest, a neutral one with the share `neutral` of that; at most `limit`, drawn at random."""
    with path.open(encoding="utf-8") as lines:
        objects = [row for row in map(json.loads, lines) if row["data"] not in skip]
    heaviest = max(row["weight"] for row in objects)
    draw = random.Random(seed)
    share = {"neutral": neutral}
    objects = [row for row in objects if draw.random() < share.get(row["label"], 1.0) * row["weight"] / heaviest]
    if limit is not None and len(objects) > limit:
        objects = random.Random(seed).sample(objects, limit)
    rows = []
    for row in objects:
        windows = []
        for window in row["windows"]:
            pieces = encode(tokenizer, window["text"], window["state"][0], window["actor"][0], LENGTH)
            windows.append((*pieces, window["weight"]))
        rows.append(
            Row(row["data"], LABELS.index(row["label"]), row["weight"], row["calibrate"], row["fold"], windows)
        )
    return rows


def batches(rows: list[Row], size: int, seed: str) -> list[list[int]]:
    """Places of the rows in batches of `size`, in an order that `seed` gives; the rows of a batch are of about one length."""
    draw = random.Random(seed)
    order = list(range(len(rows)))
    draw.shuffle(order)
    for start in range(0, len(order), 16 * size):
        order[start : start + 16 * size] = sorted(
            order[start : start + 16 * size], key=lambda i: len(rows[i].windows[0][0])
        )
    parts = [order[start : start + size] for start in range(0, len(order), size)]
    draw.shuffle(parts)
    return parts


def collate(windows: list[tuple[list[int], int, int]], pad: int) -> tuple[torch.Tensor, ...]:
    """Pieces, mask, places of state and actor."""
    longest = max(len(pieces) for pieces, *_ in windows)
    pieces = torch.full((len(windows), longest), pad)
    mask = torch.zeros((len(windows), longest), dtype=torch.long)
    for i, (ids, *_) in enumerate(windows):
        pieces[i, : len(ids)] = torch.tensor(ids)
        mask[i, : len(ids)] = 1
    return pieces, mask, torch.tensor([w[1] for w in windows]), torch.tensor([w[2] for w in windows])
