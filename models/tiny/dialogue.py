"""Turns problems into training trees.

One tree is one problem: a question, two solutions that branch off it, and under
each solution the verifiers' turns. Branches share their prefix in one row of
tokens (an attention mask keeps them apart), so the question is computed once:

    question ── right solution ─┬─ program
             │                  └─ Yes
             └─ other solution ─┬─ program        (not trained as a solution)
                                └─ Yes / No

Loss falls on assistant text only. The program recomputes the plan of the
solution above it: operands are copied, results become variables, so that
Python does the sums. Yes/No judges against the true answer.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field

from .problems import LARGEST_VALUE, Problem, Step, draw, evaluate

PROGRAM_REQUEST = "Write Python that checks the solution."
REWARD_REQUEST = "Is the solution correct? Answer Yes or No."
TURN_END = "<|im_end|>"
USER = "<|im_start|>user\n"
TO_ASSISTANT = f"{TURN_END}\n<|im_start|>assistant\n"

STEP_LINE = re.compile(r"Step \d+: (\d+) ([-+*/]) (\d+) = (\d+)")
ANSWER_LINE = re.compile(r"The answer is \\boxed\{(-?\d+)\}\.")
VARIABLES = "abcdefgh"


@dataclass
class Part:
    """A stretch of text. `weight` is that of its tokens in the loss; `sound`, where given, is a label for its last
    token: whether the plan is right so far (an auxiliary task that training reads from a middle layer)."""

    text: str
    weight: float = 0.0
    sound: bool | None = None


@dataclass
class Branch:
    parts: list[Part]
    children: list["Branch"] = field(default_factory=list)


def solve_prompt(question: str) -> str:
    return USER + question + TO_ASSISTANT


def program_prompt(question: str, solution: str) -> str:
    return solve_prompt(question) + solution + f"{TURN_END}\n{USER}{PROGRAM_REQUEST}{TO_ASSISTANT}"


def reward_prompt(question: str, solution: str) -> str:
    return solve_prompt(question) + solution + f"{TURN_END}\n{USER}{REWARD_REQUEST}{TO_ASSISTANT}"


def solution_lines(rows: list[tuple[int, str, int, int]]) -> list[str]:
    lines = [f"Step {i}: {left} {op} {right} = {result}\n" for i, (left, op, right, result) in enumerate(rows, 1)]
    return lines + [f"The answer is \\boxed{{{rows[-1][3]}}}."]


def answer_of(solution: str) -> str | None:
    found = ANSWER_LINE.findall(solution)
    return found[-1] if found else None


def program_for(solution: str) -> str | None:
    """The program that recomputes the solution's own plan; None if it does not read as one."""
    lines = solution.split("\n")
    answer = ANSWER_LINE.fullmatch(lines[-1])
    matches = [STEP_LINE.fullmatch(line) for line in lines[:-1]]
    if answer is None or not matches or len(matches) > len(VARIABLES) or not all(matches):
        return None
    code, variable_of = [], {}
    for variable, match in zip(VARIABLES, matches):
        left, op, right, result = match.groups()
        code.append(f"{variable} = {variable_of.get(left, left)} {op} {variable_of.get(right, right)}")
        variable_of[result] = variable
    code.append(f"print({VARIABLES[len(matches) - 1]} == {answer.group(1)})")
    return "```python\n" + "\n".join(code) + "\n```"


def digit_slip(rng: random.Random, value: int) -> int:
    """A wrong number as people write it: one digit off, usually by one or two."""
    while True:
        digits = [int(d) for d in str(value)]
        place = rng.randrange(len(digits))
        digits[place] = (digits[place] + rng.choice((1, -1, 1, -1, 2, -2, rng.randint(1, 9)))) % 10
        slipped = int("".join(map(str, digits)))
        if slipped != value and 1 <= slipped <= LARGEST_VALUE:
            return slipped


def spoil_plan(rng: random.Random, problem: Problem) -> tuple[Step, ...]:
    """One logical error: a wrong operation, a wrong operand or a missing step."""
    steps = list(problem.steps)
    index = rng.randrange(len(steps))
    step = steps[index]
    kind = rng.random()
    if kind < 0.4:
        steps[index] = Step(step.left, rng.choice([op for op in "+-*/" if op != step.op]), step.right)
    elif kind < 0.75:
        pool = [n for n in problem.numbers.values()] + [f"s{i}" for i in range(1, index + 1)]
        side = rng.random() < 0.5
        old = step.left if side else step.right
        if isinstance(old, int) and rng.random() < 0.25:
            new = digit_slip(rng, old)
        else:
            new = rng.choice([n for n in pool if n != old])
        steps[index] = Step(new, step.op, step.right) if side else Step(step.left, step.op, new)
    else:
        dropped = f"s{index + 1}"
        stand_in = rng.choice((step.left, step.right))

        def shifted(operand: int | str) -> int | str:
            if operand == dropped:
                return stand_in
            if isinstance(operand, str) and int(operand[1:]) > index + 1:
                return f"s{int(operand[1:]) - 1}"
            return operand

        steps = steps[:index] + [Step(shifted(s.left), s.op, shifted(s.right)) for s in steps[index + 1:]]
    return tuple(steps)


def wrong_rows(rng: random.Random, problem: Problem) -> tuple[list[tuple[int, str, int, int]], list[bool]]:
    """Rows of a wrong solution and, per row, whether the plan is right so far (sums aside)."""
    while True:
        if rng.random() < 0.35:
            truth = evaluate(problem.steps)
            at = rng.randrange(len(problem.steps))
            rows = evaluate(problem.steps, {at: digit_slip(rng, truth[at][3])})
            sound = [True] * len(problem.steps)
        else:
            steps = spoil_plan(rng, problem)
            if not steps:
                continue
            rows = evaluate(steps)
            sound, good = [], True
            for mine, true in zip(steps, problem.steps):
                good = good and mine == true
                sound.append(good)
        if rows is not None and rows[-1][3] != problem.answer:
            return rows, sound


def verifier_branches(solution: str, correct: bool, program_weight: float) -> list[Branch]:
    turn = f"{TURN_END}\n{USER}"
    reward = "Yes" if correct else "No"
    branches = [Branch([Part(turn + REWARD_REQUEST + TO_ASSISTANT), Part(reward, 3.0), Part(TURN_END, 0.1)])]
    program = program_for(solution) if program_weight else None
    if program is not None:
        branches.append(Branch([Part(turn + PROGRAM_REQUEST + TO_ASSISTANT), Part(program + TURN_END, program_weight)]))
    return branches


def solution_branch(rows, sound: list[bool], complete: bool, correct: bool, trained: bool, program: bool) -> Branch:
    lines = solution_lines(rows)
    weight = 1.0 if trained else 0.0
    parts = [Part(line, weight, good) for line, good in zip(lines, sound + [complete])]
    if trained:
        # The turn's end is a target of its own; the verifiers' branches repeat it as context.
        end = [Branch([Part(TURN_END, 1.0)])]
    else:
        end = []
    return Branch(parts, end + verifier_branches("".join(lines), correct, 1.0 if program else 0.0))


def synthetic_tree(rng: random.Random) -> Branch:
    """A problem with its right solution and one wrong one."""
    problem = draw(rng)
    right = evaluate(problem.steps)
    wrong, sound = wrong_rows(rng, problem)
    same_plan = all(sound) and len(wrong) == len(right)
    program_on_right = rng.random() < 0.5
    return Branch([Part(solve_prompt(problem.question))], [
        solution_branch(right, [True] * len(right), True, True, True, program_on_right),
        solution_branch(wrong, sound, same_plan, False, False, not program_on_right),
    ])


def light_tree(rng: random.Random) -> Branch:
    """A problem and one solution with its program, no verdict: more solving per token, for the first part of training.

    The solution is right and trained, or has a slip in a sum and is context for its program alone: a program must
    copy what is written, not what would be right.
    """
    problem = draw(rng)
    right = evaluate(problem.steps)
    steps = len(problem.steps)
    branches = [solution_branch(right, [True] * steps, True, True, True, False)]
    branches[0].children = branches[0].children[:1]
    if rng.random() < 0.7:
        rows = None
        while rows is None:
            at = rng.randrange(steps)
            slip = digit_slip(rng, right[at][3])
            rows = evaluate(problem.steps, {at: slip}) if rng.random() < 0.5 else right
        solution = "".join(solution_lines(rows))
        program = verifier_branches(solution, False, 1.0)[1:]
        if rows is right:
            branches[0].children += program
        else:
            branches.append(Branch([Part(solution)], program))
    return Branch([Part(solve_prompt(problem.question))], branches)


def own_tree(rng: random.Random, record: dict) -> Branch:
    """A problem with its right solution and one that the model itself sampled (`sample_own.py` wrote the record)."""
    sampled = rng.choice(record["samples"])
    correct = answer_of(sampled) == record["answer"]
    right = record["solution"]
    program_on_right = rng.random() < 0.3
    own = Branch([Part(sampled)], verifier_branches(sampled, correct, 0.0 if program_on_right else 1.0))
    truth = Branch([Part(right, 1.0)],
                   [Branch([Part(TURN_END, 1.0)])] + verifier_branches(right, True, 1.0 if program_on_right else 0.0))
    return Branch([Part(solve_prompt(record["problem"]))], [truth, own])


def drill(rng: random.Random, lines: int) -> Branch:
    """Dense arithmetic: one trained result per line, over the ranges that the problems use."""
    parts = [Part("<|im_start|>assistant\n")]
    while lines:
        kind = rng.random()
        if kind < 0.3:
            step = Step(rng.randint(12, 499), "+", rng.randint(12, 99))
        elif kind < 0.4:
            step = Step(rng.randint(60, 549), "+", rng.randint(60, 449))
        elif kind < 0.6:
            step = Step(rng.randint(70, 899), "-", rng.randint(12, 99))
        elif kind < 0.68:
            step = Step(rng.randint(300, 800), "-", rng.randint(60, 299))
        elif kind < 0.94:
            step = Step(rng.randint(12, 99), "*", rng.randint(3, 9))
        else:
            divisor, quotient = rng.randint(3, 9), rng.randint(5, 99)
            step = Step(divisor * quotient, "/", divisor)
        rows = evaluate((step,))
        if rows is None:
            continue
        left, op, right, result = rows[0]
        parts += [Part(f"{left} {op} {right} = "), Part(str(result), 1.0), Part("\n")]
        lines -= 1
    return Branch(parts)


def all_text(branch: Branch) -> str:
    return "".join(part.text for part in branch.parts) + "".join(all_text(child) for child in branch.children)
