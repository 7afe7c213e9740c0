"""The encoder with its head."""

from pathlib import Path

import torch
from torch import nn
from torch.nn.utils import parametrize
from transformers import AutoConfig, AutoModel

import rows as data

GROUP = 64
MIDDLE = 7.5


class StanceEncoder(nn.Module):
    """Pieces, mask and the places of the two names in; three class scores out."""

    def __init__(
        self, base: Path, pieces: Path, layers: int | None = None, hidden: int = 256, dropout: float = 0.1
    ):
        super().__init__()
        config = AutoConfig.from_pretrained(base)
        self.encoder = AutoModel.from_pretrained(base, config=config, add_pooling_layer=False)
        known = data.base_tokenizer(base)
        kept = torch.tensor([known.token_to_id(piece) for piece in pieces.read_text(encoding="utf-8").split("\n")[:-1]])
        vectors = self.encoder.embeddings.word_embeddings.weight[kept]
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

    def forward(self, pieces, mask, state, actor):
        vectors = self.encoder(input_ids=pieces, attention_mask=mask).last_hidden_state
        rows = torch.arange(len(pieces))
        return self.head(torch.cat([vectors[:, 0], vectors[rows, state], vectors[rows, actor]], dim=1))

    def matrices(self) -> dict[str, nn.Module]:
        """What is kept in four bits a weight: all matrices but that of the class scores."""
        return {
            name: module
            for name, module in self.named_modules()
            if isinstance(module, nn.Linear) and name != "head.4"
        }


class FourBits(nn.Module):
    """Weights as they will be stored: of every GROUP neighbours on 16 levels of one scale. Gradients pass as if they were
    not rounded."""

    def __init__(self, weight: torch.Tensor):
        super().__init__()
        self.register_buffer("scales", scales(weight))

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return weight + (rounded(weight, self.scales) - weight).detach()


def rounded(weight: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """The nearest weights on the levels of these scales, which are a row of groups for each row of weights."""
    groups = weight.reshape(len(weight), -1, GROUP)
    step = scale.unsqueeze(2)
    levels = (groups / step + MIDDLE).round().clamp(0, 15)
    return ((levels - MIDDLE) * step).reshape(weight.shape)


@torch.no_grad()
def scales(weight: torch.Tensor) -> torch.Tensor:
    """For each group the scale of the least squared error, of some, as exact as a file keeps it."""
    groups = weight.reshape(len(weight), -1, GROUP)
    largest = groups.abs().amax(dim=2) / MIDDLE
    best, least = largest.clone(), torch.full_like(largest, torch.inf)
    for step in range(26):
        scale = (largest * (1 - 0.02 * step)).bfloat16().float().clamp(min=1e-12)
        error = (rounded(weight, scale).reshape(groups.shape) - groups).square().sum(dim=2)
        better = error < least
        best[better], least[better] = scale[better], error[better]
    return best


def round_to_four_bits(net: StanceEncoder) -> None:
    """Puts the vectors of pieces on their levels, and keeps the matrices there while they learn."""
    vectors = net.encoder.embeddings.word_embeddings.weight
    with torch.no_grad():
        net.encoder.embeddings.scales = scales(vectors)
        vectors.copy_(rounded(vectors, net.encoder.embeddings.scales))
    for module in net.matrices().values():
        parametrize.register_parametrization(module, "weight", FourBits(module.weight))


def stored_scales(net: StanceEncoder) -> dict[str, torch.Tensor]:
    """The scales of what was rounded, by the names of the weights; the rounding then stays in the weights."""
    out = {"encoder.embeddings.word_embeddings": net.encoder.embeddings.scales}
    for name, module in net.matrices().items():
        out[name] = module.parametrizations.weight[0].scales.clone()
        parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)
    return out
