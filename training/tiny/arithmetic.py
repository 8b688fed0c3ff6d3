"""Claims about sums of 3 to 10 three-digit numbers (the paper's Appendix A), to be checked by thinking or by program.

The paper does not bound the running value. Here it stays within 1..999 for what is checked by thinking, since larger
numbers are several tokens of this model's vocabulary; programs are trained on unbounded sums too.

    python3 -m training.tiny.arithmetic --count 200 --seed 1000000    # so many claims of each length
"""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import dataclass

from .problems import LARGEST_VALUE

FEWEST, MOST = 3, 10
LARGEST_ERROR = 0.05  # of the true value; a wrong claim is off by at least 1


@dataclass(frozen=True)
class Claim:
    terms: tuple[int, ...]  # the first positive, the others signed
    stated: int

    @property
    def true(self) -> bool:
        return sum(self.terms) == self.stated

    @property
    def left(self) -> str:
        return str(self.terms[0]) + "".join(f" {'-' if t < 0 else '+'} {abs(t)}" for t in self.terms[1:])

    @property
    def text(self) -> str:
        return f"{self.left} = {self.stated}"


def draw_terms(rng: random.Random, count: int, bounded: bool) -> tuple[int, ...]:
    terms = [rng.randint(100, LARGEST_VALUE)]
    while len(terms) < count:
        term = rng.choice((1, -1)) * rng.randint(100, LARGEST_VALUE)
        if not bounded or 1 <= sum(terms) + term <= LARGEST_VALUE:
            terms.append(term)
    return tuple(terms)


def draw_claim(rng: random.Random, count: int, bounded: bool, true: bool) -> Claim:
    terms = draw_terms(rng, count, bounded)
    value = sum(terms)
    if true:
        return Claim(terms, value)
    most = max(1, int(abs(value) * LARGEST_ERROR))
    off = rng.choice((1, -1)) * rng.randint(1, most)
    if bounded and not 1 <= value + off <= LARGEST_VALUE:
        off = -off if 1 <= value - off <= LARGEST_VALUE else 1
    return Claim(terms, value + off)


def thinking(claim: Claim) -> str:
    """Running sums, the last beside what was stated, then the verdict."""
    lines, value = [], claim.terms[0]
    for term in claim.terms[1:]:
        lines.append(f"{value} {'-' if term < 0 else '+'} {abs(term)} = {value + term}")
        value += term
    return "\n".join(lines) + "\n" + compared(value, claim.stated) + str(claim.true)


def compared(value: int, stated: int) -> str:
    return f"{value} = {stated}\n"


def program(claim: Claim) -> str:
    return f"```python\nprint({claim.left} == {claim.stated})\n```"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1_000_000)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    for operands in range(FEWEST, MOST + 1):
        for index in range(options.count):
            claim = draw_claim(rng, operands, True, index % 2 == 0)
            print(json.dumps({"operands": operands, "claim": claim.text, "true": claim.true}))


if __name__ == "__main__":
    main()
