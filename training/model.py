"""The encoder with its head."""

from pathlib import Path

import torch
from torch import nn
from transformers import AutoConfig, AutoModel


class StanceEncoder(nn.Module):
    """Pieces, mask and the places of the two names in; three class scores out."""

    def __init__(self, base: Path, layers: int | None = None, hidden: int = 256, dropout: float = 0.1):
        super().__init__()
        config = AutoConfig.from_pretrained(base)
        self.encoder = AutoModel.from_pretrained(base, config=config, add_pooling_layer=False)
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
