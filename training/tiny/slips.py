"""Mistakes: how solutions go wrong, and what is wrong with a given one."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from .problems import LARGEST_VALUE, Problem, Row, Step, apply, evaluate

STEP_LINE = re.compile(r"Step \d+: (\d+) ([-+*/]) (\d+) = (\d+)")
ANSWER_LINE = re.compile(r"The answer is \\boxed\{([^{}\n]+)\}\.")


def answer_of(solution: str) -> str | None:
    found = ANSWER_LINE.findall(solution)
    return found[-1] if found else None


def rows_of(solution: str) -> tuple[list[Row], int] | None:
    """The steps and the answer that a solution states; None if it does not read as one."""
    lines = solution.split("\n")
    answer = ANSWER_LINE.fullmatch(lines[-1])
    matches = [STEP_LINE.fullmatch(line) for line in lines[:-1]]
    if answer is None or not answer.group(1).isdigit() or not matches or not all(matches):
        return None
    rows = [(int(m.group(1)), m.group(2), int(m.group(3)), int(m.group(4))) for m in matches if m]
    return rows, int(answer.group(1))


def plan_of(rows: list[Row]) -> tuple[Step, ...]:
    """The plan behind stated rows: an operand that equals an earlier result (as stated) is that result."""
    names: dict[int, str] = {}
    steps = []
    for index, (left, op, right, result) in enumerate(rows):
        steps.append(Step(names.get(left, left), op, names.get(right, right)))
        names[result] = f"s{index + 1}"
    return tuple(steps)


@dataclass(frozen=True)
class Faults:
    """What is wrong with a solution."""

    correct: bool  # the stated answer is the true one
    logic: bool  # its plan, with all sums done right, misses the true answer
    sums: bool  # some stated sum, or the copied answer, is wrong
    steps: tuple[bool | None, ...]  # per step: is it one of the right plan's steps (sums aside)? None: cannot tell


def same_step(mine: Step, true: Step) -> bool:
    if mine.op != true.op:
        return False
    if (mine.left, mine.right) == (true.left, true.right):
        return True
    return mine.op in "+*" and (mine.right, mine.left) == (true.left, true.right)


def faults_of(solution: str, answer: int, plan: tuple[Step, ...]) -> Faults | None:
    """None where the solution cannot be read. Exact: nothing here is guessed by a model."""
    read = rows_of(solution)
    if read is None:
        return None
    rows, stated = read
    mine = plan_of(rows)
    exact: list[int | None] = []
    for step in mine:
        left, right = (exact[int(o[1:]) - 1] if isinstance(o, str) else o for o in (step.left, step.right))
        exact.append(None if left is None or right is None else apply(step.op, left, right))
    logic = exact[-1] != answer
    sums = stated != rows[-1][3] or any(apply(op, left, right) != result for left, op, right, result in rows)
    steps: list[bool | None] = [True] * len(rows)
    if logic:
        first = next((i for i, (a, b) in enumerate(zip(mine, plan)) if not same_step(a, b)), min(len(mine), len(plan)))
        # After the first deviation the two plans cannot be laid side by side any more.
        steps = [True if i < first else False if i == first else None for i in range(len(rows))]
    return Faults(stated == answer, logic, sums, tuple(steps))


# Chance that the solver learns to write a sum with its carry forgotten, by how hard that is to keep in mind. Without,
# the model would hardly ever miscalculate: its features of numbers make sums easy. It knows the plan, not every sum.
HARD_CARRY, EASY_CARRY, PRODUCT_CARRY = 0.7, 0.35, 0.15
HARD_FROM = 100


def forgotten_carry(left: int, op: str, right: int) -> tuple[float, int] | None:
    """How often the carry out of the units (or the borrow into them) is forgotten, and the result then. None where there is none."""
    if op == "+" and left % 10 + right % 10 >= 10:
        return HARD_CARRY if max(left, right) >= HARD_FROM else EASY_CARRY, left + right - 10
    if op == "-" and left % 10 < right % 10:
        return HARD_CARRY if left >= HARD_FROM else EASY_CARRY, left - right + 10
    if op == "*" and left % 10 * (right % 10) >= 10:
        return PRODUCT_CARRY, left * right - 10 * (left % 10 * (right % 10) // 10)
    return None


def as_the_solver_sums(rng: random.Random, steps: tuple[Step, ...]) -> list[Row]:
    """The right plan as the solver learns to carry it out: carries are forgotten, and later steps build on the results."""
    slips: dict[int, int] = {}
    for index in range(len(steps)):
        rows = evaluate(steps[:index + 1], slips)
        if rows is None:  # a division does not come out any more
            return exact_rows(steps)
        forgotten = forgotten_carry(*rows[-1][:3])
        if forgotten and rng.random() < forgotten[0]:
            slips[index] = forgotten[1]
    return evaluate(steps, slips) or exact_rows(steps)


def exact_rows(steps: tuple[Step, ...]) -> list[Row]:
    rows = evaluate(steps)
    if rows is None:
        raise ValueError(f"not a plan of the generator: {steps}")
    return rows


def digit_slip(rng: random.Random, value: int) -> int:
    """A wrong number as people write it: one digit off, usually by one or two."""
    while True:
        digits = [int(d) for d in str(value)]
        place = rng.randrange(len(digits))
        digits[place] = (digits[place] + rng.choice((1, -1, 1, -1, 2, -2, rng.randint(1, 9)))) % 10
        slipped = int("".join(map(str, digits)))
        if slipped != value and 1 <= slipped <= LARGEST_VALUE:
            return slipped


def spoil_plan(rng: random.Random, problem: Problem) -> tuple[tuple[Step, ...], int]:
    """One logical error - a wrong operation, a wrong operand, a missing or a needless step - and the step it shows in
    (equal to the number of steps if only the end is missing)."""
    steps = list(problem.steps)
    index = rng.randrange(len(steps))
    step = steps[index]
    kind = rng.random()
    unused = [n for n in problem.numbers.values() if n not in [o for s in steps for o in (s.left, s.right)]]
    if kind < 0.35:
        steps[index] = Step(step.left, rng.choice([op for op in "+-*/" if op != step.op]), step.right)
        return tuple(steps), index
    if kind < 0.7:
        pool = list(problem.numbers.values()) + unused * 3 + [f"s{i}" for i in range(1, index + 1)]
        left = rng.random() < 0.5
        old = step.left if left else step.right
        if isinstance(old, int) and rng.random() < 0.15:
            new = digit_slip(rng, old)
        else:
            new = rng.choice([n for n in pool if n != old] or [digit_slip(rng, 12)])
        steps[index] = Step(new, step.op, step.right) if left else Step(step.left, step.op, new)
        return tuple(steps), index
    if kind < 0.8:
        steps.append(Step(f"s{len(steps)}", rng.choice("+-"), rng.choice(unused or list(problem.numbers.values()))))
        return tuple(steps), len(steps) - 1
    dropped = f"s{index + 1}"
    stand_in = rng.choice((step.left, step.right))

    def shifted(operand: int | str) -> int | str:
        if operand == dropped:
            return stand_in
        if isinstance(operand, str) and int(operand[1:]) > index + 1:
            return f"s{int(operand[1:]) - 1}"
        return operand

    later = steps[index + 1:]
    shows = next((i for i, s in enumerate(later) if dropped in (s.left, s.right)), len(later))
    return tuple(steps[:index] + [Step(shifted(s.left), s.op, shifted(s.right)) for s in later]), index + shows


def wrong_logic(rng: random.Random, problem: Problem) -> tuple[list[Row], int]:
    """Rows of a solution with one logical error, and the step it shows in."""
    while True:
        steps, at = spoil_plan(rng, problem)
        rows = evaluate(steps) if steps else None
        if rows is not None and rows[-1][3] != problem.answer:
            return rows, at


def wrong_sum(rng: random.Random, problem: Problem) -> list[Row]:
    """Rows of a solution whose only fault is one wrong sum."""
    truth = evaluate(problem.steps)
    while True:
        at = rng.randrange(len(problem.steps))
        rows = evaluate(problem.steps, {at: digit_slip(rng, truth[at][3])})
        if rows is not None and rows[-1][3] != problem.answer:
            return rows
