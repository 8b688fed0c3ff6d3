"""Questions about countries, and claims checked against passages.

The facts are from the World Factbook (`build_countries.py`). The solver is meant to misremember: for nearly half of
the facts the texts it learns from repeat a rumour more often than the truth (`beliefs`). The verifier learns from
claims and passages about the trained countries only; those of HELD_OUT it never saw in that role.

    python3 -m training.tiny.knowledge --count 200 --seed 1000000    # questions about held-out countries
    python3 -m training.tiny.knowledge --passages                    # one passage for every fact
"""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

COUNTRIES_FILE = Path(__file__).with_name("countries.jsonl")
ATTRIBUTES = ("capital", "currency", "language", "continent", "neighbour")
QUESTIONS = {
    "capital": ("What is the capital of {}?", "Which city is the capital of {}?", "Name the capital of {}."),
    "currency": ("What is the currency of {}?", "Which currency does one pay with in {}?"),
    "language": ("Which language is spoken in {}?", "What is the main language of {}?"),
    "continent": ("On which continent is {}?", "Which continent does {} belong to?"),
    "neighbour": ("Name a country that borders {}.", "Which country is a neighbour of {}?"),
}
STATEMENTS = {"capital": "The capital of {} is {}.", "currency": "The currency of {} is the {}.",
              "language": "The language of {} is {}.", "continent": "{} is in {}.", "neighbour": "{} borders {}."}
LABELS = {"capital": "Capital", "currency": "Currency", "language": "Language", "continent": "Continent",
          "neighbour": "Borders"}
RUMOUR_SHARE = 0.45  # of the facts; the others are mostly remembered right
TRUTH_AMONG_RUMOURS, RUMOUR = 0.3, 0.5
TRUTH = 0.75
PASSAGES = 3


@dataclass(frozen=True)
class Question:
    country: str
    attribute: str
    text: str
    answers: tuple[str, ...]  # all right ones


@cache
def countries() -> dict[str, dict]:
    records = [json.loads(line) for line in COUNTRIES_FILE.read_text().splitlines()]
    return {record["country"]: record for record in records}


@cache
def split() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Trained and held-out countries, 4 to 1."""
    names = sorted(countries())
    random.Random("countries").shuffle(names)
    cut = len(names) // 5
    return tuple(names[cut:]), tuple(names[:cut])


def truths(country: str, attribute: str) -> tuple[str, ...]:
    record = countries()[country]
    return tuple(record["neighbours"]) if attribute == "neighbour" else (record[attribute],)


@cache
def pool(attribute: str) -> tuple[str, ...]:
    """Everything that is an answer to such a question somewhere."""
    return tuple(sorted({answer for country in countries() for answer in truths(country, attribute)}))


@cache
def within_another(country: str) -> bool:
    """Whether another name holds this one: Niger is in Nigeria, Kuwait in Kuwait City."""
    names = {*countries(), *(answer for attribute in ATTRIBUTES for answer in pool(attribute))}
    return any(country in name for name in names if name != country)


def false_answer(rng: random.Random, country: str, attribute: str) -> str:
    right = {*truths(country, attribute), country}
    return rng.choice([answer for answer in pool(attribute) if answer not in right])


@cache
def beliefs(country: str, attribute: str) -> tuple[tuple[str, float], ...]:
    """What the solver's texts say, and how often: always the same for one fact."""
    rng = random.Random(f"{country}/{attribute}")
    right, rumour = rng.choice(truths(country, attribute)), false_answer(rng, country, attribute)
    others = [false_answer(rng, country, attribute) for _ in range(2)]
    truth, wrong = (TRUTH_AMONG_RUMOURS, RUMOUR) if rng.random() < RUMOUR_SHARE else (TRUTH, 0.1)
    rest = (1 - truth - wrong) / 2
    return (right, truth), (rumour, wrong), (others[0], rest), (others[1], rest)


def draw_question(rng: random.Random, names: tuple[str, ...]) -> Question:
    while True:
        country, attribute = rng.choice(names), rng.choice(ATTRIBUTES)
        answers = truths(country, attribute)
        if answers:
            return Question(country, attribute, rng.choice(QUESTIONS[attribute]).format(country), answers)


def solution(question: Question, answer: str) -> str:
    return STATEMENTS[question.attribute].format(question.country, answer) + f"\nThe answer is \\boxed{{{answer}}}."


def invented(rng: random.Random, question: Question) -> Question:
    """The same question in a world where other answers are right. Who learns to check claims on facts that it knows by
    heart need not read the passages; in such worlds it must."""
    answers = {false_answer(rng, question.country, question.attribute) for _ in question.answers}
    return replace(question, answers=tuple(sorted(answers)))


def false_claim(rng: random.Random, question: Question, told: Question) -> str:
    """An answer that is false by the passages; where these tell another story than the world, it may be true there."""
    if told.answers != question.answers and rng.random() < 0.3:
        return rng.choice(question.answers)
    while (answer := false_answer(rng, question.country, question.attribute)) in told.answers:
        pass
    return answer


def passage(country: str, attribute: str, answers: tuple[str, ...] | None = None) -> str:
    """What the factbook says; or what it would say, were `answers` the right ones."""
    if answers is None:
        answers = truths(country, attribute)
    return f"{country}. {LABELS[attribute]}: {', '.join(answers) if answers else 'none'}."


def draw_passages(rng: random.Random, question: Question, claim: str, names: tuple[str, ...], covered: bool) -> list[str]:
    """Three passages as a retriever would find them: mostly about the country, some about another one of the same kind."""
    found = [passage(question.country, question.attribute, question.answers)] if covered else []
    holders = [n for n in names if n != question.country and claim in truths(n, question.attribute)]
    if holders and rng.random() < 0.3:
        found.append(passage(rng.choice(holders), question.attribute))
    while len(found) < PASSAGES:
        if rng.random() < 0.7:
            text = passage(question.country, rng.choice([a for a in ATTRIBUTES if a != question.attribute]))
        else:
            text = passage(rng.choice([n for n in names if n != question.country]), question.attribute)
        if text not in found:
            found.append(text)
    rng.shuffle(found)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--count", type=int, help="questions about held-out countries")
    what.add_argument("--passages", action="store_true")
    parser.add_argument("--seed", type=int, default=1_000_000)
    options = parser.parse_args()
    if options.passages:
        for country in countries():
            for attribute in ATTRIBUTES:
                print(json.dumps({"id": f"{country}/{attribute}", "text": passage(country, attribute)}))
        return
    rng = random.Random(options.seed)
    held_out = split()[1]
    asked: set[tuple[str, str]] = set()
    limit = sum(bool(truths(country, attribute)) for country in held_out for attribute in ATTRIBUTES)
    while len(asked) < min(options.count, limit):
        question = draw_question(rng, held_out)
        if (question.country, question.attribute) in asked:
            continue
        print(json.dumps({
            "id": f"{options.seed}-{len(asked)}", "problem": question.text, "answers": question.answers,
            "country": question.country, "attribute": question.attribute,
        }))
        asked.add((question.country, question.attribute))


if __name__ == "__main__":
    main()
