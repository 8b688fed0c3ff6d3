"""Measures the model on held-out problems: greedy, majority, reward only, tool only, T1; with bootstrap intervals.

    python3 -m models.tiny.evaluate --model RUN_FOLDER/model.pt --problems models/tiny/heldout.jsonl

Programs are not executed here: `verdict` reads the one shape the model is
trained to write and does its sums exactly. Everything else does not pass, as
a program that fails does not pass in T1 proper. T1 = sum of tool × reward per
answer; if nothing passes, reward alone decides.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from fractions import Fraction
from pathlib import Path

from .dialogue import answer_of, program_prompt, solve_prompt
from .sampling import load, rewards, sample
from .tokenizer import Tokenizer

ASSIGNMENT = re.compile(r"([a-h]) = ([a-h]|\d+) ([-+*/]) ([a-h]|\d+)")
COMPARISON = re.compile(r"print\(([a-h]) == (-?\d+)\)")
RESAMPLES = 10_000


def verdict(program: str) -> bool | None:
    """What the program prints; None where it is not of the trained shape or fails."""
    lines = program.split("\n")
    if len(lines) < 3 or lines[0] != "```python" or lines[-1] != "```":
        return None
    values: dict[str, Fraction] = {}

    def value(operand: str) -> Fraction:
        return values[operand] if operand.isalpha() else Fraction(operand)

    try:
        for line in lines[1:-2]:
            match = ASSIGNMENT.fullmatch(line)
            if match is None:
                return None
            target, left, op, right = match.groups()
            a, b = value(left), value(right)
            values[target] = a + b if op == "+" else a - b if op == "-" else a * b if op == "*" else a / b
        final = COMPARISON.fullmatch(lines[-2])
        return None if final is None else values[final.group(1)] == int(final.group(2))
    except (KeyError, ZeroDivisionError):
        return None


def vote(answers: list[str | None], weights: list[float]) -> str | None:
    """The answer of the greatest total weight; the first seen wins a tie."""
    totals: Counter[str] = Counter()
    for answer, weight in zip(answers, weights):
        if answer is not None:
            totals[answer] += weight
    return max(totals, key=totals.__getitem__) if totals else None


def interval(values: list[float]) -> tuple[float, float]:
    """95 % bootstrap interval of the mean."""
    rng = random.Random(0)
    means = sorted(sum(rng.choices(values, k=len(values))) / len(values) for _ in range(RESAMPLES))
    return means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES)]


def shown(values: list[float]) -> dict[str, float]:
    low, high = interval(values)
    return {"mean": round(sum(values) / len(values), 4), "low": round(low, 4), "high": round(high, 4)}


def rank_quality(scores: list[float], right: list[bool]) -> float:
    """Probability that a right solution scores above a wrong one (area under the ROC curve)."""
    good = [s for s, r in zip(scores, right) if r]
    bad = [s for s, r in zip(scores, right) if not r]
    if not good or not bad:
        return float("nan")
    order = sorted([(s, 1) for s in good] + [(s, 0) for s in bad])
    wins = below = 0
    for _, is_good in order:
        wins += below * is_good
        below += 1 - is_good
    return wins / (len(good) * len(bad))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--problems", type=Path, required=True)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=0, help="print so many problems in full")
    options = parser.parse_args()
    model, tokenizer = load(options.model), Tokenizer.load()
    asked = [json.loads(line) for line in options.problems.open()][:options.count]
    truths = [record["answer"] for record in asked]
    greedy = sample(model, tokenizer, [solve_prompt(r["problem"]) for r in asked], 0, 96)

    flat = [(r["problem"], r["answer"]) for r in asked for _ in range(options.samples)]
    solutions = sample(model, tokenizer, [solve_prompt(q) for q, _ in flat], options.temperature, 96, options.seed)
    pairs = [(question, solution) for (question, _), solution in zip(flat, solutions)]
    different = list(dict.fromkeys(pairs))
    programs = dict(zip(different, sample(model, tokenizer, [program_prompt(*pair) for pair in different], 0, 96)))
    scores = dict(zip(different, rewards(model, tokenizer, different)))

    answers = [answer_of(solution) for solution in solutions]
    right = [answer == truth for answer, (_, truth) in zip(answers, flat)]
    tool = [float(verdict(programs[pair]) is True) for pair in pairs]
    reward = [scores[pair] for pair in pairs]
    result: dict[str, list[float]] = {name: [] for name in
                                      ("greedy", "sample", "oracle", "majority", "reward", "tool", "t1")}
    for index, truth in enumerate(truths):
        part = slice(index * options.samples, (index + 1) * options.samples)
        mine, passed, scored = answers[part], tool[part], reward[part]
        both = [a * b for a, b in zip(passed, scored)]
        result["greedy"].append(float(answer_of(greedy[index]) == truth))
        result["sample"].append(sum(right[part]) / options.samples)
        result["oracle"].append(float(any(right[part])))
        result["majority"].append(float(vote(mine, [1.0] * len(mine)) == truth))
        result["reward"].append(float(vote(mine, scored) == truth))
        result["tool"].append(float(vote(mine, passed if any(passed) else [1.0] * len(mine)) == truth))
        result["t1"].append(float(vote(mine, both if any(passed) else scored) == truth))
        if index < options.show:
            print(asked[index]["problem"], "| truth", truth)
            for pair, fine, score in list(zip(pairs, tool, reward))[part][:3]:
                print(pair[1], "|", programs[pair], "|", fine, round(score, 3), sep="\n")
    kept = [i for i, passed in enumerate(tool) if passed]
    print(json.dumps({
        "problems": len(asked), "samples": options.samples, "temperature": options.temperature,
        "accuracy": {name: shown(values) for name, values in result.items()},
        "t1 minus majority": shown([a - b for a, b in zip(result["t1"], result["majority"])]),
        "t1 minus tool": shown([a - b for a, b in zip(result["t1"], result["tool"])]),
        "tool passes right": round(sum(t for t, r in zip(tool, right) if r) / max(1, sum(right)), 4),
        "tool passes wrong": round(sum(t for t, r in zip(tool, right) if not r) / max(1, len(right) - sum(right)), 4),
        "reward area under curve": round(rank_quality(reward, right), 4),
        "reward area under curve, where the tool passes":
            round(rank_quality([reward[i] for i in kept], [right[i] for i in kept]), 4),
    }, indent=1))


if __name__ == "__main__":
    main()
