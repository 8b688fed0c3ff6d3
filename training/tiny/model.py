"""The network: a llama-architecture decoder with tied embeddings.

Rotary pairs are interleaved (0,1), (2,3), …: what llama.cpp's `llama` architecture expects.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F

from .tokenizer import Tokenizer

NORM_EPSILON = 1e-5
ROPE_BASE = 10000.0
FOURIER_PERIODS = (2, 2.5, 4, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000)
NUMBER_FEATURES = 2 + 2 * len(FOURIER_PERIODS)


@dataclass(frozen=True)
class Shape:
    vocabulary: int
    width: int = 192
    layers: int = 5
    heads: int = 3
    hidden: int = 512  # of the feed-forward part
    context: int = 512

    @property
    def head_width(self) -> int:
        return self.width // self.heads

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def rms_norm(x: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + NORM_EPSILON) * gain


def rotate(x: torch.Tensor, cosine: torch.Tensor, sine: torch.Tensor) -> torch.Tensor:
    """x: rows × tokens × heads × head width; cosine, sine: rows × tokens × 1 × head width / 2."""
    even, odd = x.unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack((even * cosine - odd * sine, even * sine + odd * cosine), -1).flatten(-2)


class AdaptedLinear(nn.Module):
    """A frozen matrix plus a trained product of rank r (LoRA, arXiv 2106.09685). `gate`, where set, is
    rows × tokens × 1 and says where the adapter acts (activated LoRA, arXiv 2504.12397)."""

    def __init__(self, base: nn.Linear, rank: int, scale: float):
        super().__init__()
        self.base, self.scale = base, scale
        self.down = nn.Parameter(torch.randn(rank, base.in_features) / math.sqrt(base.in_features))
        self.up = nn.Parameter(torch.zeros(base.out_features, rank))
        self.gate: torch.Tensor | None = None

    def forward(self, x):
        added = F.linear(F.linear(x, self.down), self.up) * self.scale
        return self.base(x) + (added if self.gate is None else added * self.gate)


class Block(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.heads = shape.heads
        self.attention_norm = nn.Parameter(torch.ones(shape.width))
        self.hidden_norm = nn.Parameter(torch.ones(shape.width))
        self.query_key_value = nn.Linear(shape.width, 3 * shape.width, bias=False)
        self.attention_out = nn.Linear(shape.width, shape.width, bias=False)
        self.gate_up = nn.Linear(shape.width, 2 * shape.hidden, bias=False)
        self.down = nn.Linear(shape.hidden, shape.width, bias=False)

    def forward(self, x, cosine, sine, mask, cache=None):
        rows, tokens, width = x.shape
        query, key, value = self.query_key_value(rms_norm(x, self.attention_norm)).chunk(3, -1)
        query, key, value = (part.view(rows, tokens, self.heads, -1) for part in (query, key, value))
        query = rotate(query, cosine, sine).transpose(1, 2)
        key = rotate(key, cosine, sine).transpose(1, 2)
        value = value.transpose(1, 2)
        if cache is not None:
            key, value = cache.extend(key, value)
            seen = F.scaled_dot_product_attention(query, key, value.to(key.dtype), attn_mask=mask)
        else:
            # Written out: on CPU, in bfloat16, about twice as fast to train as the fused one.
            scores = (query.to(value.dtype) * query.shape[-1] ** -0.5) @ key.to(value.dtype).transpose(-1, -2)
            seen = scores.masked_fill(~mask, -1e9).softmax(-1).to(value.dtype) @ value
        x = x + self.attention_out(seen.transpose(1, 2).reshape(rows, tokens, width))
        gate, up = self.gate_up(rms_norm(x, self.hidden_norm)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


class LayerCache:
    """Keys and values seen so far of one layer; room is allotted once."""

    def __init__(self, rows: int, shape: Shape, room: int, device: torch.device | str):
        self.keys = torch.zeros(rows, shape.heads, room, shape.head_width, device=device)
        self.values = torch.zeros_like(self.keys)
        self.used = 0

    def extend(self, key: torch.Tensor, value: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        end = self.used + key.shape[2]
        self.keys[:, :, self.used:end] = key
        self.values[:, :, self.used:end] = value
        self.used = end
        return self.keys[:, :, :end], self.values[:, :, :end]


class TinyModel(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        # A number has no row of its own: it is the Fourier features of its value times one trained matrix. Sums are
        # easy to express in these, and rows of their own would learn them by heart instead.
        self.number_map = nn.Parameter(torch.zeros(NUMBER_FEATURES, shape.width))
        self.register_buffer("number_features", torch.zeros(shape.vocabulary, NUMBER_FEATURES), persistent=False)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.final_norm = nn.Parameter(torch.ones(shape.width))
        # Training aid, not exported: reads the process reward before the last layer, so that verdicts can build on it.
        self.sound_probe = nn.Linear(shape.width, 1)
        half = torch.arange(0, shape.head_width, 2).float() / shape.head_width
        angles = torch.arange(shape.context).float()[:, None] * ROPE_BASE ** -half
        self.register_buffer("rope_cosine", angles.cos(), persistent=False)
        self.register_buffer("rope_sine", angles.sin(), persistent=False)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                into_residual = name.endswith(("attention_out.weight", "down.weight"))
                nn.init.normal_(weight, 0, 0.02 / (math.sqrt(2 * shape.layers) if into_residual else 1))
        nn.init.normal_(self.number_map, 0, 0.1)

    def set_number_features(self, tokenizer: Tokenizer) -> None:
        """Tells the features of every number token."""
        for value in range(1000):
            features = [1.0, value / 1000]
            for period in FOURIER_PERIODS:
                features += [math.cos(2 * math.pi * value / period), math.sin(2 * math.pi * value / period)]
            self.number_features[tokenizer.id_of[str(value)]] = torch.tensor(features)

    def table(self) -> torch.Tensor:
        """The embeddings, vocabulary × width. Every number's first feature is 1, every other token's 0."""
        return self.embedding.weight * (1 - self.number_features[:, :1]) + self.number_features @ self.number_map

    def adapt(self, rank: int, scale: float) -> list[AdaptedLinear]:
        """Freezes everything and puts an adapter on every matrix of the blocks."""
        for weight in self.parameters():
            weight.requires_grad_(False)
        adapted = []
        for block in self.blocks:
            for name in ("query_key_value", "attention_out", "gate_up", "down"):
                adapted.append(AdaptedLinear(getattr(block, name), rank, scale))
                setattr(block, name, adapted[-1])
        return adapted

    def trunk(self, tokens, positions, mask, caches=None):
        """Last and last-but-one layer's states (rows × tokens × width). mask: rows × 1 × tokens × seen, added to scores
        or, if boolean, true where a token may look."""
        cosine = self.rope_cosine[positions].unsqueeze(2)
        sine = self.rope_sine[positions].unsqueeze(2)
        x = F.embedding(tokens, self.table())
        before_last = x
        for index, block in enumerate(self.blocks):
            before_last = x
            x = block(x, cosine, sine, mask, caches[index] if caches else None)
        return rms_norm(x, self.final_norm), before_last

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        return states @ self.table().t()
