"""Windows as tensors: word pieces, cut to a fixed length around the pair."""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

LABELS = ["aligned", "neutral", "opposed"]
LENGTH = 96
PAD = 1


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


def encode(tokenizer: Tokenizer, window: dict) -> tuple[list[int], int, int]:
    """The pieces of a window, and which of them stand for the two names."""
    encoded = tokenizer.encode(window["text"])
    places = [encoded.char_to_token(window[name][0]) for name in ("state", "actor")]
    if None in places:
        raise ValueError(f"no piece for a name of {window}")
    return cut(encoded.ids, places[0], places[1], LENGTH)


@dataclass
class Rows:
    """Labelled pairs, and the windows of each one after the other."""

    parts: list[str]  # the files of windows and the data sets in them: `train/events.csv`
    part: torch.Tensor  # of each row: its place in `parts`
    label: torch.Tensor
    weight: torch.Tensor
    fold: torch.Tensor
    first: torch.Tensor  # of each row: its first window; and, at last, how many there are
    share: torch.Tensor  # of each window: its weight among those of its row
    state: torch.Tensor
    actor: torch.Tensor
    begin: torch.Tensor  # of each window: its first piece; and, at last, how many there are
    pieces: torch.Tensor

    def __len__(self) -> int:
        return len(self.label)

    @staticmethod
    def load(path: Path, device: str) -> "Rows":
        with safe_open(path, "pt") as file:
            parts = json.loads(file.metadata()["parts"])
            tensors = {name: file.get_tensor(name).to(device) for name in file.keys()}
        wide = {name: tensors[name].long() for name in ("part", "label", "fold", "first", "state", "actor", "begin")}
        return Rows(parts, **(tensors | wide))

    def of(self, prefix: str) -> torch.Tensor:
        """Which rows are of the parts whose names begin so."""
        return torch.tensor([part.startswith(prefix) for part in self.parts], device=self.part.device)[self.part]

    def draw(self, rows: torch.Tensor, dice: torch.Generator) -> torch.Tensor:
        """A window of each of these rows, by its share."""
        first, count = self.first[rows], self.first[rows + 1] - self.first[rows]
        places = first[:, None] + torch.arange(int(count.max()), device=rows.device)
        inside = places < self.first[rows + 1][:, None]
        shares = torch.where(inside, self.share[places.clamp(max=len(self.share) - 1)].float(), 0.0)
        return first + torch.multinomial(shares.cpu(), 1, generator=dice)[:, 0].to(rows.device)

    def lengths(self, windows: torch.Tensor) -> torch.Tensor:
        """The pieces of each window."""
        return self.begin[windows + 1] - self.begin[windows]

    def collate(self, windows: torch.Tensor, longest: int) -> tuple[torch.Tensor, ...]:
        """Pieces, mask, places of state and actor, of windows of at most `longest` pieces."""
        count = self.lengths(windows)
        places = torch.arange(min(LENGTH, -(-longest // 8) * 8), device=windows.device)
        mask = places < count[:, None]
        pieces = self.pieces[(self.begin[windows][:, None] + places).clamp(max=len(self.pieces) - 1)].long()
        return torch.where(mask, pieces, PAD), mask.long(), self.state[windows], self.actor[windows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=Path, nargs="+", required=True, help="what `detente data windows` wrote")
    parser.add_argument("--pieces", type=Path, required=True, help="the word pieces that are kept: pieces.py")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    tokenizer = load_tokenizer(args.pieces)
    parts: dict[str, int] = {}
    columns = {name: [] for name in ("part", "label", "weight", "fold", "share", "state", "actor", "pieces")}
    first, begin = [0], [0]
    for path in args.windows:
        with path.open(encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                name = f"{path.stem}/{row['data']}"
                columns["part"].append(parts.setdefault(name, len(parts)))
                columns["label"].append(LABELS.index(row["label"]))
                columns["weight"].append(row["weight"])
                columns["fold"].append(row["fold"])
                for window in row["windows"]:
                    pieces, state, actor = encode(tokenizer, window)
                    columns["share"].append(window["weight"])
                    columns["state"].append(state)
                    columns["actor"].append(actor)
                    columns["pieces"].extend(pieces)
                    begin.append(len(columns["pieces"]))
                first.append(len(columns["share"]))
    kinds = {"part": torch.uint8, "label": torch.uint8, "fold": torch.uint8, "weight": torch.float32}
    kinds |= {"share": torch.float16, "state": torch.uint8, "actor": torch.uint8, "pieces": torch.int16}
    tensors = {name: torch.tensor(values, dtype=kinds[name]) for name, values in columns.items()}
    tensors |= {"first": torch.tensor(first, dtype=torch.int32), "begin": torch.tensor(begin, dtype=torch.int32)}
    save_file(tensors, args.out, {"parts": json.dumps(list(parts))})
    print(f"{len(columns['label'])} rows, {len(columns['share'])} windows, {len(columns['pieces'])} pieces")


if __name__ == "__main__":
    main()
