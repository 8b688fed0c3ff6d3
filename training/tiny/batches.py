"""Packs training trees into fixed rows of tokens; runs in worker processes."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import torch

from .dialogue import Branch, all_text
from .mix import Mix, make_tree
from .tokenizer import Tokenizer

ROW_TOKENS = 384
WAITING = 24  # trees that a row is filled from
GOOD_ENOUGH = 12  # tokens that may stay empty
IGNORED = -100


@dataclass
class Row:
    """One row under construction. A token sees the earlier tokens of its own branch and of that branch's ancestors."""

    tokens: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    targets: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    sound: list[float] = field(default_factory=list)  # 1 sound, 0 not, -1 no label
    active: list[float] = field(default_factory=list)  # 1 in a verifier's turn: where an activated adapter acts
    branch: list[int] = field(default_factory=list)
    ancestors: list[list[int]] = field(default_factory=list)  # of each branch, itself included

    def add(self, tree: Branch, tokenizer: Tokenizer, position: int = 0, above: list[int] | None = None,
            before: int = -1) -> None:
        """`before` is the index of the token that precedes this branch, whose successor the branch's first token is."""
        own = len(self.ancestors)
        path = (above or []) + [own]
        self.ancestors.append(path)
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
                self.active.append(float(tree.role != "solve"))
                self.branch.append(own)
                position += 1
                before = here
        for child in tree.children:
            self.add(child, tokenizer, position, path, before)


class Packer:
    """Fills rows from a few waiting trees, the longest that fits first, so that little room is lost."""

    def __init__(self, rng: random.Random, tokenizer: Tokenizer, mix: Mix):
        self.rng, self.tokenizer, self.mix = rng, tokenizer, mix
        self.waiting: list[tuple[int, Branch]] = []

    def refill(self) -> None:
        while len(self.waiting) < WAITING:
            tree = make_tree(self.rng, self.mix)
            length = len(self.tokenizer.encode(all_text(tree)))
            if length <= ROW_TOKENS:
                self.waiting.append((length, tree))

    def row(self) -> Row:
        row = Row()
        while True:
            self.refill()
            room = ROW_TOKENS - len(row.tokens)
            # The first tree is drawn evenly: else long ones would never wait and short ones always.
            fitting = [i for i, (length, _) in enumerate(self.waiting) if length <= room]
            if not fitting or room <= GOOD_ENOUGH:
                return row
            pick = 0 if not row.tokens else max(fitting, key=lambda i: self.waiting[i][0])
            row.add(self.waiting.pop(pick)[1], self.tokenizer)


def padded(values: list, filler) -> list:
    return values + [filler] * (ROW_TOKENS - len(values))


def visibility(row: Row) -> torch.Tensor:
    """tokens × tokens, true where the first may look at the second."""
    branches = len(row.ancestors)
    seen = torch.zeros(branches + 1, branches + 1, dtype=torch.bool)
    seen[branches, branches] = True  # the filling sees itself: no row of a softmax may be empty
    for index, path in enumerate(row.ancestors):
        seen[index, path] = True
    branch = torch.tensor(padded(row.branch, branches))
    return seen[branch][:, branch].tril()


def collate(rows: list[Row]) -> dict[str, torch.Tensor]:
    return {
        "tokens": torch.tensor([padded(row.tokens, 0) for row in rows]),
        "positions": torch.tensor([padded(row.positions, 0) for row in rows]),
        "targets": torch.tensor([padded(row.targets, IGNORED) for row in rows]),
        "weights": torch.tensor([padded(row.weights, 0.0) for row in rows]),
        "sound": torch.tensor([padded(row.sound, -1.0) for row in rows]),
        "active": torch.tensor([padded(row.active, 0.0) for row in rows]),
        "mask": torch.stack([visibility(row) for row in rows])[:, None],
    }


class Batches(torch.utils.data.IterableDataset):
    """Endless batches. Seeds start below the held-out ones, and the generator is never seeded with those."""

    def __init__(self, seed: int, rows: int, mix: Mix):
        self.seed, self.rows, self.mix = seed, rows, mix

    def __iter__(self):
        torch.set_num_threads(1)
        packer = Packer(random.Random(self.seed), Tokenizer.load(), self.mix)
        while True:
            yield collate([packer.row() for _ in range(self.rows)])
