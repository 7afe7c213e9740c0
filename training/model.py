"""The encoder with its head, and its weights as they will be stored."""

from pathlib import Path

import torch
from torch import nn
from transformers import AutoConfig, AutoModel

import rows as data

GROUP = 64
MIDDLE = 7.5
# What the pieces that mark begin, end, and filling are called in the vocabulary of BERT.
MARKS = {"<s>": "[CLS]", "</s>": "[SEP]", "<pad>": "[PAD]"}


class StanceEncoder(nn.Module):
    """Pieces, mask and the places of the two names in; three class scores out. `crowd` answers another question, that of the
    crowd-labelled sentences, while the network learns."""

    def __init__(
        self, base: Path, pieces: Path, layers: int | None = None, hidden: int = 256, dropout: float = 0.1
    ):
        super().__init__()
        config = AutoConfig.from_pretrained(base)
        self.encoder = AutoModel.from_pretrained(base, config=config, add_pooling_layer=False).float()
        kept = pieces.read_text(encoding="utf-8").split("\n")[:-1]
        vectors = self.encoder.embeddings.word_embeddings.weight
        if len(vectors) != len(kept):
            known = data.base_tokenizer(base).get_vocab()
            vectors = vectors[torch.tensor([known[piece if piece in known else MARKS[piece]] for piece in kept])]
        # Frozen: few rows would move few of them.
        self.encoder.embeddings.word_embeddings = nn.Embedding.from_pretrained(vectors, freeze=True)
        if layers is not None:
            # The first layers learn most of the language; every other one is kept, the first and the last included.
            stack = self.encoder.encoder.layer
            keep = torch.linspace(0, len(stack) - 1, layers).round().long().tolist()
            self.encoder.encoder.layer = nn.ModuleList(stack[i] for i in keep)
            self.encoder.config.num_hidden_layers = layers
        width = self.encoder.config.hidden_size
        self.head = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(3 * width, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, 3)
        )
        self.crowd = nn.Linear(hidden, 3)

    def forward(self, pieces, mask, state, actor, crowd=False):
        vectors = self.encoder(input_ids=pieces, attention_mask=mask).last_hidden_state
        rows = torch.arange(len(pieces), device=pieces.device)
        read = torch.cat([vectors[:, 0], vectors[rows, state], vectors[rows, actor]], dim=1)
        hidden = self.head[:4](read)
        scores = self.head[4](hidden)
        return (scores, self.crowd(hidden)) if crowd else scores

    def matrices(self) -> dict[str, nn.Parameter]:
        """What is kept in four bits a weight and learns: all matrices but those of the class scores."""
        return {
            f"{name}.weight": module.weight
            for name, module in self.named_modules()
            if isinstance(module, nn.Linear) and name not in ("head.4", "crowd")
        }


def rounded(groups: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """The nearest weights on the 16 levels of a scale, which each row of GROUP neighbours has."""
    step = scales[:, None]
    return ((groups / step + MIDDLE).round_().clamp_(0, 15) - MIDDLE).mul_(step)


@torch.no_grad()
def scales_of(groups: torch.Tensor) -> torch.Tensor:
    """For each group the scale of the least squared error, of some, as exact as a file keeps it."""
    largest = groups.abs().amax(dim=1) / MIDDLE
    best, least = largest.clone(), torch.full_like(largest, torch.inf)
    for step in range(26):
        scale = (largest * (1 - 0.02 * step)).bfloat16().float().clamp_(min=1e-12)
        error = (rounded(groups, scale) - groups).square_().sum(dim=1)
        better = error < least
        best = torch.where(better, scale, best)
        least = torch.where(better, error, least)
    return best


class Masters:
    """The weights in 32 bits, which the optimiser moves; the network computes with copies in bfloat16.

    With `four_bits` the copies are rounded as they will be stored, and the gradients are taken as if they were not, so that
    the network learns to live with them."""

    def __init__(self, net: StanceEncoder, four_bits: bool):
        self.net = net
        self.four_bits = four_bits
        matrices = list(net.matrices().values())
        apart = {id(matrix) for matrix in matrices}
        self.copies = matrices
        self.rest = [p for p in net.parameters() if p.requires_grad and id(p) not in apart]
        self.groups = torch.cat([matrix.detach().float().reshape(-1, GROUP) for matrix in matrices])
        self.others = [p.detach().float().clone() for p in self.rest]
        vectors = net.encoder.embeddings.word_embeddings.weight
        if four_bits:
            flat = vectors.detach().float().reshape(-1, GROUP)
            self.vector_scales = scales_of(flat)
            self.vectors = rounded(flat, self.vector_scales).reshape(vectors.shape)
        else:
            self.vectors = vectors.detach().float().clone()
        self.rescale()

    def rescale(self) -> None:
        """Chooses the scales anew."""
        if self.four_bits:
            self.scales = scales_of(self.groups)
        self.write()

    def values(self) -> torch.Tensor:
        return rounded(self.groups, self.scales) if self.four_bits else self.groups

    @torch.no_grad()
    def write(self) -> None:
        """Puts the weights into the network, as exact as it computes."""
        parts = self.values().split([copy.numel() // GROUP for copy in self.copies])
        torch._foreach_copy_(self.copies, [part.reshape(copy.shape) for part, copy in zip(parts, self.copies)])
        torch._foreach_copy_(self.rest, self.others)
        self.net.encoder.embeddings.word_embeddings.weight.copy_(self.vectors)

    def parameters(self) -> list[torch.Tensor]:
        return [self.groups, *self.others]

    def take_gradients(self, largest_norm: float) -> None:
        """Moves the gradients from the copies, shortened to a norm of at most `largest_norm`."""
        self.groups.grad = torch.cat([copy.grad.reshape(-1, GROUP) for copy in self.copies]).float()
        for other, copy in zip(self.others, self.rest):
            other.grad = torch.zeros_like(other) if copy.grad is None else copy.grad.float()
        torch.nn.utils.clip_grad_norm_(self.parameters(), largest_norm, foreach=True)
        self.net.zero_grad(set_to_none=True)

    def exact(self) -> None:
        """From now on the network computes in 32 bits."""
        self.net.float()
        self.write()

    def stored(self) -> dict[str, torch.Tensor]:
        """Every tensor: a matrix of four bits as `.levels`, two a byte, and `.scales`; others in 32 bits."""
        out = {}
        names = {id(p): name for name, p in self.net.named_parameters()}
        out |= {names[id(p)]: other for p, other in zip(self.rest, self.others)}
        matrices = [(names[id(copy)], copy.shape) for copy in self.copies]
        vectors = self.net.encoder.embeddings.word_embeddings.weight
        if not self.four_bits:
            sizes = [shape.numel() // GROUP for _, shape in matrices]
            parts = self.groups.split(sizes)
            out |= {name: part.reshape(shape) for (name, shape), part in zip(matrices, parts)}
            return out | {names[id(vectors)]: self.vectors}
        matrices.append((names[id(vectors)], vectors.shape))
        groups = torch.cat([self.groups, self.vectors.reshape(-1, GROUP)])
        scales = torch.cat([self.scales, self.vector_scales])
        levels = (groups / scales[:, None] + MIDDLE).round().clamp(0, 15).to(torch.uint8)
        at = 0
        for name, shape in matrices:
            count = shape.numel() // GROUP
            nibbles = levels[at : at + count].reshape(shape)
            out[f"{name}.levels"] = nibbles[:, 0::2] | nibbles[:, 1::2] << 4
            out[f"{name}.scales"] = scales[at : at + count].bfloat16()
            at += count
        return out


def read_stored(tensors: dict[str, torch.Tensor]) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Weights in 32 bits by their names, and the scales of those that were stored in four bits."""
    weights, scales = {}, {}
    for name, tensor in tensors.items():
        if name.endswith(".levels"):
            name = name.removesuffix(".levels")
            scales[name] = tensors[f"{name}.scales"].float()
            nibbles = torch.stack([tensor & 15, tensor >> 4], dim=2).float()
            groups = (nibbles.reshape(-1, GROUP) - MIDDLE) * scales[name][:, None]
            weights[name] = groups.reshape(len(tensor), -1)
        elif not name.endswith(".scales"):
            weights[name] = tensor
    return weights, scales
