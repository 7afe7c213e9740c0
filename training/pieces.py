"""Chooses the word pieces that the encoder keeps: those that texts use most.

The vectors of all pieces would be a quarter of the file, and most are hardly ever read; a word of theirs is then read as the
shorter pieces that are left.
"""

import argparse
from collections import Counter
from itertools import islice
from pathlib import Path

import rows as data

MARKS = ["<s>", "<pad>", "</s>", "[UNK]"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--texts", type=Path, nargs="+", required=True, help="files of text, in lines")
    parser.add_argument("--most", type=int, default=16000)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    tokenizer = data.base_tokenizer(args.base)
    vocabulary = tokenizer.get_vocab()
    counts: Counter = Counter()
    for path in args.texts:
        with path.open(encoding="utf-8") as lines:
            while part := list(islice(lines, 2000)):
                for encoded in tokenizer.encode_batch(part, add_special_tokens=False):
                    counts.update(encoded.tokens)
    # The marks, every single character, then the most frequent.
    kept = set(MARKS) | {piece for piece in vocabulary if len(piece.removeprefix("##")) == 1 and piece.isascii()}
    for piece, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if len(kept) >= args.most:
            break
        kept.add(piece)
    pieces = [piece for piece in sorted(vocabulary, key=vocabulary.__getitem__) if piece in kept]
    args.out.write_text("\n".join(pieces) + "\n", encoding="utf-8")
    share = sum(counts[piece] for piece in pieces) / counts.total()
    print(f"{len(pieces)} of {len(vocabulary)} pieces, {share:.4f} of what is read")


if __name__ == "__main__":
    main()
