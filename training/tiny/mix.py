"""What training rows are made of."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from .dialogue import Branch, arithmetic_tree, comparison_drill, drill, equality_drill, for_role, knowledge_tree, light_tree, own_tree, problem_tree

DRILL_LINES = (4, 16)
COMPARISONS, EQUALITIES = 0.3, 0.25  # of the drills


@dataclass(frozen=True)
class Mix:
    """What rows are made of: shares of the trees; the rest are problems with two solutions and verdicts."""

    drills: float
    knowledge: float
    arithmetic: float
    light: float  # of the problems: one solution, no verdicts
    own: list[dict] = field(default_factory=list)  # the model's own solutions, from sample_own.py
    own_share: float = 0.0  # of the problems with verdicts
    role: str | None = None  # of the adapter that is trained; None trains the base


def make_tree(rng: random.Random, mix: Mix) -> Branch:
    while True:
        tree = any_tree(rng, mix)
        if mix.role:
            tree = for_role(tree, mix.role)
        if tree:
            return tree


def any_tree(rng: random.Random, mix: Mix) -> Branch:
    kind = rng.random()
    if kind < mix.drills:
        (dense,) = rng.choices((comparison_drill, equality_drill, drill), (COMPARISONS, EQUALITIES, 1 - COMPARISONS - EQUALITIES))
        return dense(rng, rng.randint(*DRILL_LINES))
    if kind < mix.drills + mix.knowledge:
        return knowledge_tree(rng)
    if kind < mix.drills + mix.knowledge + mix.arithmetic:
        return arithmetic_tree(rng)
    if rng.random() < mix.light:
        return light_tree(rng)
    if mix.own and rng.random() < mix.own_share:
        return own_tree(rng, rng.choice(mix.own))
    return problem_tree(rng)
