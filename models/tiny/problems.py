"""Seeded generator of word problems with their step-by-step plans.

A family is one row of FAMILIES: ranges of its numbers, a plan of binary steps,
a closed formula (used only by the tests, to recompute the truth another way)
and several wordings. All values stay within 1..999, so that every number is
one token of the model's vocabulary.

Training uses seeds below HELDOUT_SEED_FROM; held-out problems use seeds from it on.

    python3 -m models.tiny.problems --seed 1000000 --count 200 > models/tiny/heldout.jsonl
"""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import dataclass

HELDOUT_SEED_FROM = 1_000_000
LARGEST_VALUE = 999

NAMES = "Ana Ben Carla Dan Eva Finn Gina Hugo Iris Jack Kira Leo Mia Noah Olga Paul".split()
THINGS = "apples books coins pens cards shells stamps marbles cookies tickets".split()
PLACES = "shop farm library market school museum".split()


@dataclass(frozen=True)
class Step:
    """`left op right`; an operand is a number or the name ("s1", "s2", ...) of an earlier result."""

    left: int | str
    op: str
    right: int | str


@dataclass(frozen=True)
class Problem:
    family: str
    question: str
    numbers: dict[str, int]
    steps: tuple[Step, ...]
    answer: int


@dataclass(frozen=True)
class Family:
    name: str
    ranges: dict[str, tuple[int, int]]
    plan: tuple[str, ...]
    formula: str
    wordings: tuple[str, ...]


FAMILIES = (
    Family("gain twice", {"x": (21, 399), "y": (12, 99), "z": (12, 99)}, ("x + y", "s1 + z"), "x + y + z", (
        "{N} has {x} {T}. {M} gives {N} {y} more and the {P} adds {z}. How many {T} does {N} have now?",
        "{N} starts with {x} {T}, finds {y} and then buys {z}. How many {T} does {N} have?")),
    Family("sell and buy", {"x": (120, 499), "y": (12, 99), "z": (12, 99)}, ("x - y", "s1 + z"), "x + z - y", (
        "A {P} has {x} {T}. It sells {y} of them and then buys {z} more. How many {T} does the {P} have?",
        "{N} owns {x} {T}. {N} loses {y} and gets {z} from {M}. How many {T} does {N} own now?")),
    Family("boxes and more", {"y": (3, 9), "x": (12, 89), "z": (12, 99)}, ("x * y", "s1 + z"), "z + y * x", (
        "{N} buys {y} boxes with {x} {T} each. {N} already had {z} {T}. How many {T} does {N} have in total?",
        "There are {x} {T} in each of {y} boxes and {z} {T} on the table. How many {T} are there in total?")),
    Family("two kinds of bags", {"y": (3, 9), "x": (12, 59), "w": (3, 9), "z": (12, 59)},
           ("x * y", "z * w", "s1 + s2"), "x * y + z * w", (
        "{N} packs {y} bags of {x} {T} and {M} packs {w} bags of {z} {T}. How many {T} do they pack together?",
        "A {P} gets {y} boxes of {x} {T} and {w} boxes of {z} {T}. How many {T} does it get in total?")),
    Family("daily less waste", {"x": (21, 99), "y": (3, 9), "z": (12, 59)}, ("x * y", "s1 - z"), "y * x - z", (
        "A {P} makes {x} {T} every day for {y} days. Then {z} {T} are thrown away. How many {T} are left?",
        "{N} collects {x} {T} a day for {y} days and gives {z} to {M}. How many {T} does {N} keep?")),
    Family("more, then finds", {"x": (21, 299), "d": (12, 99), "y": (12, 99)}, ("x + d", "s1 - y"), "x - y + d", (
        "{N} has {x} {T}. {M} has {d} more {T} than {N}. {M} gives {y} to the {P}. How many {T} does {M} have?",
        "{N} counts {x} {T} and {M} counts {d} more than {N}. Then {M} loses {y}. How many {T} does {M} have left?")),
    Family("fewer, together", {"x": (60, 399), "d": (12, 49)}, ("x - d", "x + s1"), "2 * x - d", (
        "{N} counts {x} {T}. {M} counts {d} fewer than {N}. How many {T} do {N} and {M} count together?",
        "{N} sells {x} {T} and {M} sells {d} fewer. How many {T} do they sell together?")),
    Family("times as many", {"x": (12, 89), "k": (3, 9)}, ("x * k", "s1 + x"), "(k + 1) * x", (
        "{N} has {x} {T}. {M} has {k} times as many {T} as {N}. How many {T} do {N} and {M} have together?",
        "The {P} sold {x} {T} in May and {k} times as many in June. How many {T} did it sell in both months?")),
    Family("shared equally", {"x": (21, 199), "y": (12, 99), "k": (3, 9)}, ("x + y", "s1 / k"), "(x + y) // k", (
        "{N} has {x} {T} and {M} has {y}. They share all of them equally among {k} friends. How many {T} does each friend get?",
        "{x} {T} from the {P} and {y} {T} from {N} are put equally into {k} boxes. How many {T} are in each box?")),
    Family("change", {"k": (3, 9), "p": (12, 59), "x": (300, 800)}, ("p * k", "x - s1"), "x - k * p", (
        "{N} has {x} dollars and buys {k} {T} for {p} dollars each. How many dollars are left?",
        "{N} pays for {k} {T} that cost {p} dollars each out of {x} dollars. How many dollars does {N} have left?")),
    Family("shelves", {"y": (3, 9), "x": (21, 89), "z": (12, 59), "w": (12, 99)},
           ("x * y", "s1 - z", "s2 + w"), "w - z + x * y", (
        "A {P} has {y} shelves with {x} {T} each. It lends {z} {T} and buys {w} new ones. How many {T} does it have?",
        "{N} fills {y} bags with {x} {T} each, sells {z} {T} and finds {w} more. How many {T} does {N} have?")),
    Family("three days", {"x": (21, 199), "d": (12, 59), "z": (12, 99)},
           ("x + d", "x + s1", "s2 + z"), "2 * x + z + d", (
        "{N} sells {x} {T} on Monday, {d} more than that on Tuesday and {z} on Friday. How many {T} does {N} sell in all?",
        "A {P} gets {x} {T} in May, {d} more than that in June and {z} in July. How many {T} does it get in all?")),
)


def apply(op: str, left: int, right: int) -> int | None:
    """Exact result of one step, or None where it is no whole number."""
    if op == "+":
        return left + right
    if op == "-":
        return left - right
    if op == "*":
        return left * right
    return left // right if right and left % right == 0 else None


def evaluate(steps: tuple[Step, ...], slips: dict[int, int] | None = None) -> list[tuple[int, str, int, int]] | None:
    """Rows (left, op, right, result) with references resolved.

    `slips` gives wrong results for some steps (by index); later steps use them.
    None if any value leaves 1..LARGEST_VALUE or is no whole number.
    """
    results: list[int] = []
    rows = []
    for index, step in enumerate(steps):
        left, right = (results[int(o[1:]) - 1] if isinstance(o, str) else o for o in (step.left, step.right))
        result = apply(step.op, left, right)
        if slips and index in slips:
            result = slips[index]
        if result is None or not 1 <= result <= LARGEST_VALUE:
            return None
        results.append(result)
        rows.append((left, step.op, right, result))
    return rows


def draw(rng: random.Random) -> Problem:
    """One problem. Rejects draws in which two quantities coincide: where a number came from must be unambiguous."""
    family = rng.choice(FAMILIES)
    while True:
        numbers = {name: rng.randint(*bounds) for name, bounds in family.ranges.items()}
        steps = []
        for line in family.plan:
            left, op, right = line.split()
            steps.append(Step(numbers.get(left, left), op, numbers.get(right, right)))
        rows = evaluate(tuple(steps))
        if rows is None:
            continue
        quantities = list(numbers.values()) + [row[3] for row in rows]
        if len(set(quantities)) == len(quantities):
            break
    name, other = rng.sample(NAMES, 2)
    words = {"N": name, "M": other, "T": rng.choice(THINGS), "P": rng.choice(PLACES)}
    question = rng.choice(family.wordings).format(**words, **numbers)
    return Problem(family.name, question, numbers, tuple(steps), rows[-1][3])


def problems(seed: int, count: int) -> list[Problem]:
    """The same list for the same seed, without repeated questions."""
    rng = random.Random(seed)
    found: dict[str, Problem] = {}
    while len(found) < count:
        problem = draw(rng)
        found.setdefault(problem.question, problem)
    return list(found.values())


def main() -> None:
    parser = argparse.ArgumentParser(description="Print word problems as JSON lines.")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    options = parser.parse_args()
    for index, problem in enumerate(problems(options.seed, options.count)):
        print(json.dumps({"id": f"{options.seed}-{index}", "problem": problem.question, "answer": str(problem.answer)}))


if __name__ == "__main__":
    main()
