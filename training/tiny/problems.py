"""Seeded generator of word problems with their step-by-step plans.

Most problems come from the table in `families.py`; the others are stories: a chain of events that happen to a number
of things, each kind of chain a family of its own. All values stay within 1..999, so that every number is one token of
the model's vocabulary.

Training uses seeds below HELDOUT_SEED_FROM and never the held-out families; held-out problems use seeds from it on.

    python3 -m training.tiny.problems --seed 1000000 --count 500 > heldout.jsonl
    python3 -m training.tiny.problems --seed 1000000 --count 200 --families held-out > heldout-families.jsonl
"""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import dataclass

from .families import HELD_OUT, TRAINED, Family
from .words import CONTAINERS, DAYS, HOLDER_OF, HOLDERS, MONTHS, NAMES, PLACES, RELATIVES, SIZES, THINGS

HELDOUT_SEED_FROM = 1_000_000
LARGEST_VALUE = 999
STORY_SHARE = 0.35
MADE_UP_SHARE = 0.07  # of the problems are about things that nobody has heard of: words are not to matter
DISTRACTOR_SHARE = 0.12


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


Row = tuple[int, str, int, int]  # left, op, right, result


def apply(op: str, left: int, right: int) -> int | None:
    """Exact result of one step, or None where it is no whole number."""
    if op == "+":
        return left + right
    if op == "-":
        return left - right
    if op == "*":
        return left * right
    return left // right if right and left % right == 0 else None


def evaluate(steps: tuple[Step, ...], slips: dict[int, int] | None = None) -> list[Row] | None:
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


def draw_number(rng: random.Random, low: int, high: int) -> int:
    """Small numbers more often than large ones, as people use them."""
    if rng.random() < 0.4:
        high = min(high, low + max(20, (high - low) // 4))
    return rng.randint(low, high)


def made_up(rng: random.Random) -> str:
    """A plural noun that is no word of the vocabulary; the tokenizer spells it out."""
    syllables = [rng.choice("bcdfghklmnprstvwz") + rng.choice("aeiou") for _ in range(rng.choice((1, 2, 2, 3)))]
    return "".join(syllables) + rng.choice("bdgklmnprt") + "s"


def fill(rng: random.Random) -> dict[str, str]:
    """Words for the placeholders of one problem: N, M, L names; T, T2 things; P place; C containers; S what stands in a
    place; H what holds things; D days; O months; R a relative; A, B, E adjectives."""
    words = dict(zip(("N", "M", "L"), rng.sample(NAMES, 3)))
    words |= dict(zip(("T", "T2"), rng.sample(THINGS, 2)))
    if rng.random() < MADE_UP_SHARE:
        words["T"] = made_up(rng)
    words |= dict(zip(("D", "D2", "D3"), rng.sample(DAYS, 3)))
    words |= dict(zip(("O", "O2"), rng.sample(MONTHS, 2)))
    words |= dict(zip(("A", "B", "E"), rng.sample(SIZES, 3)))
    return words | {"P": rng.choice(PLACES), "C": rng.choice(CONTAINERS), "S": rng.choice(HOLDERS),
                    "H": rng.choice(HOLDER_OF), "R": rng.choice(RELATIVES)}


def unambiguous(numbers: list[int], rows: list[Row]) -> bool:
    """Where a number came from must be clear from its value: no two quantities coincide."""
    quantities = numbers + [row[3] for row in rows]
    return len(set(quantities)) == len(quantities)


def from_family(rng: random.Random, family: Family) -> Problem:
    while True:
        numbers = {name: draw_number(rng, *bounds) for name, bounds in family.ranges.items()}
        steps = []
        for left, op, right in family.plan:
            operands = [int(o) if o.isdigit() else numbers.get(o, o) for o in (left, right)]
            steps.append(Step(operands[0], op, operands[1]))
        rows = evaluate(tuple(steps))
        if rows is None:
            continue
        constants = {int(o) for left, _, right in family.plan for o in (left, right) if o.isdigit()}
        if unambiguous(list(numbers.values()) + sorted(constants), rows):
            break
    question = rng.choice(family.wordings).format(**fill(rng), **numbers)
    return Problem(family.name, question, numbers, tuple(steps), rows[-1][3])


DISTRACTORS = ("{L} is {q} years old.", "The {P} is {q} km away.", "It is {q} degrees outside.",
               "{L} has {q} {T2}.", "There are also {q} {T2}.", "The way takes {q} minutes.")


def with_distractor(rng: random.Random, problem: Problem) -> Problem:
    """The problem with a sentence whose number does not matter."""
    values = set(problem.numbers.values()) | {row[3] for row in evaluate(problem.steps)}
    q = rng.choice([n for n in range(2, 60) if n not in values])
    sentences = problem.question.split(". ")
    extra = rng.choice(DISTRACTORS).format(**fill(rng), q=q)[:-1]
    sentences.insert(rng.randrange(len(sentences)), extra)
    return Problem(problem.family, ". ".join(sentences), problem.numbers | {"q": q}, problem.steps, problem.answer)


GAIN = ("bought {y} more", "found {y}", "got {y} from {M}", "picked {y} more", "received {y}", "made {y} new ones",
        "baked {y}", "added {y}", "won {y}", "took {y} from the {P}", "earned {y}", "bought {y}", "got {y} more",
        "collected {y}", "gained {y}")
LOSE = ("broke {y}", "lost {y}", "sold {y}", "ate {y}", "gave {y} to {M}", "gave away {y}", "threw away {y}",
        "used {y}", "dropped {y}", "gave {y} to my {R}", "spent {y}", "left {y} at the {P}", "returned {y}", "burned {y}")
GAIN_BOXES = ("bought {k} {C} of {n}", "got {k} {C} with {n} each", "found {k} {C} of {n}", "added {k} {C} with {n} in each",
              "received {k} {C} of {n} from {M}", "bought {k} {C} with {n} {T} each")
LOSE_BOXES = ("sold {k} {C} of {n}", "gave {k} {C} with {n} each to {M}", "used {k} {C} of {n}", "lost {k} {C} with {n} each")
HALVE = ("gave half of them to {M}", "sold half of them", "lost half of them", "ate half of them", "used half")
DOUBLE = ("doubled them", "got the same number again", "bought as many again")
START = ("{X} had {x} {T}", "{X} had {x} {T} at first", "{X} started with {x} {T}", "{X} counted {x} {T}", "{X} owned {x} {T}",
         "{X} bought {x} {T}", "{X} made {x} {T}", "{X} picked {x} {T}")
START_BOXES = ("{X} had {k} {C} of {n} {T}", "{X} bought {k} {C} with {n} {T} each", "{X} filled {k} {C} with {n} {T} each")
END = ("How many {T} are left?", "How many now?", "How many {T} are there now?", "How many {T} remain?",
       "How many {T} is that?", "How many {T} are there in the end?")
SHARE = ("Then {X2} shared them equally among {k} friends. How many did each get?",
         "They were split evenly between {k} people. How many {T} did each get?",
         "{X2} put them equally into {k} {C}. How many {T} are in each?")
PRICE = ("Then {X2} sold all of them for {k} dollars each. How many dollars did {X2} get?",
         "Each costs {k} dollars. How much do they cost together?")

# Chains of events that are never trained on: whole families held out.
HELD_OUT_CHAINS = (("gain", "lose boxes", "share"), ("lose", "halve", "gain"), ("boxes", "gain", "halve"),
                   ("lose boxes", "gain boxes"), ("double", "lose", "price"))


def story(rng: random.Random, held_out: bool = False) -> Problem:
    """A chain of events that happen to a number of things."""
    while True:
        found = tell(rng, rng.choice(HELD_OUT_CHAINS) if held_out else draw_chain(rng))
        if found:
            return found


def draw_chain(rng: random.Random) -> tuple[str, ...]:
    while True:
        chain = tuple(rng.choices(("gain", "lose", "gain boxes", "lose boxes", "halve", "double"),
                                  (5, 6, 3, 1.5, 1.5, 1), k=rng.choice((1, 2, 2, 2, 3))))
        if rng.random() < 0.2:
            chain = ("boxes",) + chain
        ending = rng.choices(("", "share", "price"), (8, 1, 1))[0]
        chain += (ending,) if ending else ()
        if chain not in HELD_OUT_CHAINS:
            return chain


def tell(rng: random.Random, chain: tuple[str, ...]) -> Problem | None:
    """One try at a problem of this chain; None if its numbers do not fit."""
    words = fill(rng)
    subject, later = rng.choice((("I", "I"), (words["N"], rng.choice(("she", "he", words["N"]))),
                                 ("We", "we"), ("A " + words["P"], "it"), ("My " + words["R"], rng.choice(("she", "he")))))
    words |= {"X": subject, "X2": later}
    numbers: dict[str, int] = {}
    steps: list[Step] = []
    phrases: list[str] = []

    def number(low: int, high: int) -> int:
        value = draw_number(rng, low, high)
        numbers[f"n{len(numbers)}"] = value
        return value

    def say(choices: tuple[str, ...], **values: int) -> None:
        phrases.append(rng.choice(choices).format(**words, **values))

    def boxes() -> Step:
        k, n = number(2, 9), number(3, 60)
        return k, n

    told = chain
    if chain[0] == "boxes":
        k, n = boxes()
        say(START_BOXES, k=k, n=n)
        steps.append(Step(k, "*", n))
        chain, have = chain[1:], "s1"
    else:
        have = number(4, 400)
        say(START, x=have)
    tail = ""
    for kind in chain:
        if kind in ("gain", "lose"):
            y = number(2, 120)
            say(GAIN if kind == "gain" else LOSE, y=y)
            steps.append(Step(have, "+" if kind == "gain" else "-", y))
        elif kind in ("gain boxes", "lose boxes"):
            k, n = boxes()
            say(GAIN_BOXES if kind == "gain boxes" else LOSE_BOXES, k=k, n=n)
            steps.append(Step(k, "*", n))
            steps.append(Step(have, "+" if kind == "gain boxes" else "-", f"s{len(steps)}"))
        elif kind in ("halve", "double"):
            say(HALVE if kind == "halve" else DOUBLE)
            steps.append(Step(have, "/" if kind == "halve" else "*", 2))
        else:
            k = number(2, 9)
            tail = rng.choice(SHARE if kind == "share" else PRICE).format(**words, k=k)
            steps.append(Step(have, "/" if kind == "share" else "*", k))
        have = f"s{len(steps)}"
    rows = evaluate(tuple(steps)) if len(steps) <= 6 else None
    constants = [2] if {"halve", "double"} & set(chain) else []
    if rows is None or not unambiguous(list(numbers.values()) + constants, rows):
        return None
    question = joined(rng, phrases, later) + " " + (tail or rng.choice(END).format(**words))
    return Problem("story: " + ", ".join(told), question, numbers, tuple(steps), rows[-1][3])


def joined(rng: random.Random, phrases: list[str], later: str) -> str:
    """The events as sentences, or as one list."""
    again = later[0].upper() + later[1:]
    style = rng.random()
    if style < 0.35 and len(phrases) > 1:
        return ", ".join(phrases[:-1]) + " and " + phrases[-1] + "."
    if style < 0.6:
        return phrases[0] + ". " + " and ".join(f"{again if i == 0 else 'then'} {p}" for i, p in enumerate(phrases[1:])) + "."
    openings = [again, f"Then {later}", f"Later {later}", f"After that {later}", f"On {rng.choice(DAYS)} {later}"]
    return phrases[0] + ". " + " ".join(f"{rng.choice(openings)} {p}." for p in phrases[1:])


def draw(rng: random.Random, held_out: bool = False) -> Problem:
    """One problem of a trained family, or of one that is held out."""
    if rng.random() < STORY_SHARE:
        problem = story(rng, held_out)
    else:
        problem = from_family(rng, rng.choice(HELD_OUT if held_out else TRAINED))
    return with_distractor(rng, problem) if rng.random() < DISTRACTOR_SHARE else problem


def problems(seed: int, count: int, held_out: bool = False) -> list[Problem]:
    """The same list for the same seed, without repeated questions; two to six steps each (training sees single steps too)."""
    rng = random.Random(seed)
    found: dict[str, Problem] = {}
    while len(found) < count:
        problem = draw(rng, held_out)
        if len(problem.steps) >= 2:
            found.setdefault(problem.question, problem)
    return list(found.values())


def main() -> None:
    parser = argparse.ArgumentParser(description="Print word problems as JSON lines.")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--families", choices=("trained", "held-out"), default="trained")
    options = parser.parse_args()
    held_out = options.families == "held-out"
    for index, problem in enumerate(problems(options.seed, options.count, held_out)):
        print(json.dumps({
            "id": f"{options.seed}-{index}", "problem": problem.question, "answer": str(problem.answer),
            "family": problem.family, "numbers": sorted(problem.numbers.values()),
            "plan": [[step.left, step.op, step.right] for step in problem.steps],
        }))


if __name__ == "__main__":
    main()
