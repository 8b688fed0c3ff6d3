"""Packs training trees into fixed rows of tokens; runs in worker processes."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import torch

from .dialogue import Branch, all_text, drill, light_tree, own_tree, synthetic_tree
from .tokenizer import Tokenizer

ROW_TOKENS = 320
DRILL_TOKENS_PER_LINE = 8  # at most: "499 + 99 = 598\n"
IGNORED = -100


@dataclass
class Row:
    """One row under construction. A token sees the earlier tokens of the branches in `sees`; each branch is one bit."""

    tokens: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    targets: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    sound: list[float] = field(default_factory=list)  # 1 right so far, 0 not, -1 no label
    branch: list[int] = field(default_factory=list)
    sees: list[int] = field(default_factory=list)
    branches: int = 0

    def add(self, tree: Branch, tokenizer: Tokenizer, position: int = 0, ancestors: int = 0, before: int = -1) -> None:
        """`before` is the index of the token that precedes this branch, whose successor the branch's first token is."""
        own = 1 << self.branches
        self.branches += 1
        first = True
        for part in tree.parts:
            ids = tokenizer.encode(part.text)
            for offset, token in enumerate(ids):
                here = len(self.tokens)
                if part.weight and before >= 0:
                    if self.targets[before] != IGNORED:
                        raise ValueError("two trained branches leave the same token")
                    self.targets[before], self.weights[before] = token, part.weight
                last = offset == len(ids) - 1
                self.tokens.append(token)
                self.positions.append(position)
                self.targets.append(IGNORED)
                self.weights.append(0.0)
                self.sound.append(float(part.sound) if last and part.sound is not None else -1.0)
                self.branch.append(own)
                self.sees.append(ancestors | own)
                position += 1
                before = here
                first = False
        assert not first, "an empty branch"
        for child in tree.children:
            self.add(child, tokenizer, position, ancestors | own, before)


@dataclass(frozen=True)
class Mix:
    """What rows are made of."""

    drills: float  # share of rows that are arithmetic drills
    light: float  # share of trees without verdicts
    own: list[dict]  # the model's own solutions, from sample_own.py
    own_share: float  # share of the other trees made of them


def make_tree(rng: random.Random, mix: Mix) -> Branch:
    if rng.random() < mix.light:
        return light_tree(rng)
    if mix.own and rng.random() < mix.own_share:
        return own_tree(rng, rng.choice(mix.own))
    return synthetic_tree(rng)


def make_row(rng: random.Random, tokenizer: Tokenizer, mix: Mix) -> Row:
    """Trees until the next one does not fit (it is dropped), then drills for the rest."""
    row = Row()
    while rng.random() >= mix.drills:
        tree = make_tree(rng, mix)
        if len(row.tokens) + len(tokenizer.encode(all_text(tree))) > ROW_TOKENS:
            if row.tokens:
                break
            continue
        row.add(tree, tokenizer)
    lines = (ROW_TOKENS - len(row.tokens) - 4) // DRILL_TOKENS_PER_LINE
    if lines > 0:
        row.add(drill(rng, lines), tokenizer)
    return row


def padded(values: list, filler) -> list:
    return values + [filler] * (ROW_TOKENS - len(values))


def collate(rows: list[Row]) -> dict[str, torch.Tensor]:
    branch = torch.tensor([padded(row.branch, 1 << 40) for row in rows])
    sees = torch.tensor([padded(row.sees, 1 << 40) for row in rows])
    causal = torch.ones(ROW_TOKENS, ROW_TOKENS, dtype=torch.bool).tril()
    mask = ((sees[:, :, None] & branch[:, None, :]) != 0) & causal
    return {
        "tokens": torch.tensor([padded(row.tokens, 0) for row in rows]),
        "positions": torch.tensor([padded(row.positions, 0) for row in rows]),
        "targets": torch.tensor([padded(row.targets, IGNORED) for row in rows]),
        "weights": torch.tensor([padded(row.weights, 0.0) for row in rows]),
        "sound": torch.tensor([padded(row.sound, -1.0) for row in rows]),
        "mask": mask[:, None],
    }


class Batches(torch.utils.data.IterableDataset):
    """Endless batches. Seeds start below the held-out ones, and the generator is never seeded with those."""

    def __init__(self, seed: int, rows: int, mix: Mix):
        self.seed, self.rows, self.mix = seed, rows, mix

    def __iter__(self):
        torch.set_num_threads(1)
        tokenizer = Tokenizer.load()
        rng = random.Random(self.seed)
        while True:
            yield collate([make_row(rng, tokenizer, self.mix) for _ in range(self.rows)])
