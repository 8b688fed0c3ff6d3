"""Turns problems into training trees.

One tree is one problem: a question, two solutions that branch off it, and under each solution the verifiers' turns.
Branches share their prefix in one row of tokens (an attention mask keeps them apart), so the question is computed once:

    question ── right solution ─┬─ program of the whole      (repeats the solution's plan, Python does the sums)
             │                  ├─ program of each step
             │                  └─ Yes
             └─ wrong solution ─┬─ ...
                                └─ No

Loss falls on assistant text only. The process reward needs no text of its own: at the end of every line of a solution
the model's logits of "+" and "-", against each other alone, say whether the line is sound. A step is sound if it is a
step of the right plan (its sum aside); the answer's line, if the plan before it is right and whole.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from . import arithmetic, knowledge
from .problems import LARGEST_VALUE, Row, Step, draw, evaluate
from .slips import answer_of, as_the_solver_sums, faults_of, plan_of, rows_of, wrong_logic, wrong_sum

PROGRAM_REQUEST = "Write Python that checks the solution."
STEPS_REQUEST = "Write Python that checks each step."
REWARD_REQUEST = "Is the solution correct? Answer Yes or No."
FACT_REQUEST = "Is the answer in line with the passages? Answer Yes or No."
NOT_COVERED = "None."
THINK_REQUEST = "Is this right? {}\nThink, then say True or False."
CODE_REQUEST = "Is this right? {}\nWrite Python that checks it."
TURN_END = "<|im_end|>"
USER = "<|im_start|>user\n"
TO_ASSISTANT = f"{TURN_END}\n<|im_start|>assistant\n"
NEXT_TURN = f"{TURN_END}\n{USER}"

VARIABLES = "abcdefgh"
VERDICT_WEIGHT = 3.0
DRILL_VERDICT_WEIGHT = 2.0
NOISE = 0.1  # share of trained solutions with an error of logic: a solver that never errs would show nothing
INVENTED_SHARE, RENAMED_SHARE, COVERED_SHARE = 0.7, 0.4, 0.97  # of the fact checks
# Chance that the wrong one of the model's own solutions is one of wrong logic, if it made such: a wrong sum can hardly
# be seen, so its verdict teaches little but doubt.
LOGIC_FIRST = 0.8
SUM_SHARE = 0.1  # of the wrong solutions


@dataclass
class Part:
    """A stretch of text. `weight` is that of its tokens in the loss; `sound`, where given, is the process reward's
    label at its last token."""

    text: str
    weight: float = 0.0
    sound: bool | None = None


@dataclass
class Branch:
    parts: list[Part]
    children: list["Branch"] = field(default_factory=list)
    role: str = "solve"  # or "tool" or "reward": whose adapter learns from it


def solve_prompt(question: str) -> str:
    return USER + question + TO_ASSISTANT


def continued(question: str, solution: str, request: str) -> str:
    """A verifier's prompt: it continues the solver's conversation."""
    return solve_prompt(question) + solution + NEXT_TURN + request + TO_ASSISTANT


def passages_request(passages: list[str]) -> str:
    return "Passages:\n" + "".join(f"{i}. {text}\n" for i, text in enumerate(passages, 1)) + FACT_REQUEST


def solution_lines(rows: list[Row]) -> list[str]:
    lines = [f"Step {i}: {left} {op} {right} = {result}\n" for i, (left, op, right, result) in enumerate(rows, 1)]
    return lines + [answer_line(str(rows[-1][3]))]


def answer_line(answer: str) -> str:
    return f"The answer is \\boxed{{{answer}}}."


def program_for(solution: str) -> str | None:
    """The program that recomputes the solution's own plan; None if it does not read as one."""
    read = rows_of(solution)
    if read is None or len(read[0]) > len(VARIABLES):
        return None
    rows, answer = read

    def operand(value: int | str) -> str:
        return VARIABLES[int(value[1:]) - 1] if isinstance(value, str) else str(value)

    code = [f"{name} = {operand(s.left)} {s.op} {operand(s.right)}" for name, s in zip(VARIABLES, plan_of(rows))]
    return "```python\n" + "\n".join(code + [f"print({VARIABLES[len(rows) - 1]} == {answer})"]) + "\n```"


def steps_program_for(solution: str) -> str | None:
    """The program that checks each stated sum, and that the answer is the last one."""
    read = rows_of(solution)
    if read is None:
        return None
    rows, answer = read
    checks = [f"{left} {op} {right} == {result}" for left, op, right, result in rows] + [f"{rows[-1][3]} == {answer}"]
    return "```python\nprint(all([" + ", ".join(checks) + "]))\n```"


def request(text: str, reply: str) -> Branch:
    return Branch([Part(NEXT_TURN + text + TO_ASSISTANT), Part(reply + TURN_END, 1.0)], role="tool")


def judged(text: str, yes: bool) -> Branch:
    verdict = "Yes" if yes else "No"
    return Branch([Part(NEXT_TURN + text + TO_ASSISTANT), Part(verdict, VERDICT_WEIGHT), Part(TURN_END, 0.1)], role="reward")


def fact_check(question: knowledge.Question, passages: list[str], claim: str, yes: bool, covered: bool) -> Branch:
    """First the passage that tells, or that there is none; then what was answered; then the verdict. What is not covered
    counts as right. With the two side by side, the verdict is a comparison of neighbours."""
    telling = knowledge.passage(question.country, question.attribute, question.answers) if covered else NOT_COVERED
    return Branch([Part(NEXT_TURN + passages_request(passages) + TO_ASSISTANT), Part(compared(telling, claim), 1.0),
                   Part("Yes" if yes else "No", VERDICT_WEIGHT), Part(TURN_END, 0.1)], role="tool")


def compared(telling: str, claim: str) -> str:
    return f"{telling}\nThe answer is {claim}.\n"


def comparison_drill(rng: random.Random, lines: int) -> Branch:
    """Dense fact checking: a passage with invented answers, one claim, one trained verdict per pair of lines."""
    parts = [Part("<|im_start|>assistant\n")]
    trained = knowledge.split()[0]
    for _ in range(lines):
        question = knowledge.draw_question(rng, trained)
        told = knowledge.invented(rng, question)
        yes = rng.random() < 0.5
        claim = rng.choice(told.answers) if yes else knowledge.false_claim(rng, question, told)
        telling = knowledge.passage(told.country, told.attribute, told.answers) if rng.random() < 0.5 else f" {', '.join(told.answers)}."
        parts += [Part(compared(telling, claim)), Part("Yes" if yes else "No", DRILL_VERDICT_WEIGHT), Part("\n")]
    return Branch(parts)


def equality_drill(rng: random.Random, lines: int) -> Branch:
    """Dense comparing of two numbers, as thinking about a claim ends."""
    parts = [Part("<|im_start|>assistant\n")]
    for _ in range(lines):
        value = rng.randint(1, LARGEST_VALUE)
        stated = value if rng.random() < 0.5 else min(LARGEST_VALUE, max(1, value + rng.choice((-1, 1)) * rng.randint(1, 40)))
        parts += [Part(arithmetic.compared(value, stated)), Part(str(value == stated), DRILL_VERDICT_WEIGHT), Part("\n")]
    return Branch(parts)


def programs(rng: random.Random, solution: str, whole: float, each: float) -> list[Branch]:
    """The programs of a solution, each with its chance of being asked for."""
    found = []
    for chance, text, program in ((whole, PROGRAM_REQUEST, program_for(solution)),
                                  (each, STEPS_REQUEST, steps_program_for(solution))):
        if program is not None and rng.random() < chance:
            found.append(request(text, program))
    return found


def solution_branch(lines: list[str], sound: list[bool | None], trained: bool, children: list[Branch]) -> Branch:
    parts = [Part(line, 1.0 if trained else 0.0, good) for line, good in zip(lines, sound)]
    # The turn's end is a target of its own; the verifiers' branches repeat it as context.
    end = [Branch([Part(TURN_END, 1.0)])] if trained else []
    return Branch(parts, end + children)


def step_sound(rows: list[Row], wrong_at: int | None) -> list[bool | None]:
    return [i != wrong_at for i in range(len(rows))] + [wrong_at is None]


def problem_tree(rng: random.Random) -> Branch:
    """A problem with its right solution and a wrong one."""
    problem = draw(rng)
    right = evaluate(problem.steps)
    sums = rng.random() < SUM_SHARE
    wrong, at = (wrong_sum(rng, problem), None) if sums else wrong_logic(rng, problem)
    noisy = not sums and rng.random() < NOISE
    whole_on_right, each_on_right = rng.random() < 0.5, rng.random() < 0.5
    written = as_the_solver_sums(rng, problem.steps)
    branches = []
    if written != right and not noisy:
        branches.append(solution_branch(solution_lines(written), step_sound(written, None), True, []))
    for rows, wrong_at, is_right in ((right, None, True), (wrong, at, False)):
        lines = solution_lines(rows)
        text = "".join(lines)
        children = [judged(REWARD_REQUEST, is_right)]
        children += programs(rng, text, 0.7 * (whole_on_right == is_right), 0.35 * (each_on_right == is_right))
        trained = rows == written if is_right and not noisy else not is_right and noisy
        branches.append(solution_branch(lines, step_sound(rows, wrong_at), trained, children))
    rng.shuffle(branches)
    return Branch([Part(solve_prompt(problem.question))], branches)


def light_tree(rng: random.Random) -> Branch:
    """A problem and one solution with a program, no verdict: more solving per token.

    The program may belong to a solution with a wrong sum: it must copy what is written, not what would be right.
    """
    problem = draw(rng)
    rows = as_the_solver_sums(rng, problem.steps)
    lines = solution_lines(rows)
    trained = solution_branch(lines, step_sound(rows, None), True, [])
    if rng.random() < 0.4:
        trained.children += programs(rng, "".join(lines), 0.6, 0.3)
    elif rng.random() < 0.5:
        context = "".join(solution_lines(wrong_sum(rng, problem)))
        checks = programs(rng, context, 0.7, 0.5)
        if checks:
            return Branch([Part(solve_prompt(problem.question))], [trained, Branch([Part(context)], checks)])
    return Branch([Part(solve_prompt(problem.question))], [trained])


def own_tree(rng: random.Random, record: dict) -> Branch:
    """A problem with its right solution and a wrong and a right one that the model itself sampled, where it sampled such
    (`sample_own.py` wrote the record)."""
    plan = tuple(Step(*step) for step in record["plan"])
    lines = solution_lines(as_the_solver_sums(rng, plan))
    truth = int(record["answer"])
    wrong = [text for text in record["samples"] if answer_of(text) != record["answer"]]
    right = [text for text in record["samples"] if answer_of(text) == record["answer"]]
    if rng.random() < LOGIC_FIRST:
        wrong = [text for text in wrong if (faults := faults_of(text, truth, plan)) and faults.logic] or wrong
    chosen = [rng.choice(texts) for texts in (wrong, right) if texts]
    branches = [solution_branch(lines, [True] * len(lines), True, [])]
    for sampled in chosen:
        faults = faults_of(sampled, truth, plan)
        children = [judged(REWARD_REQUEST, answer_of(sampled) == record["answer"])]
        children += programs(rng, sampled, 0.5, 0.25)
        own = sampled.splitlines(keepends=True)
        sound = [None] * len(own) if faults is None else [*faults.steps, not faults.logic]
        branches.append(solution_branch(own, sound, False, children))
    return Branch([Part(solve_prompt(record["problem"]))], branches)


def knowledge_tree(rng: random.Random) -> Branch:
    """A question about a country. The verifier's turn, about a trained country only, hangs on a claim drawn anew."""
    trained, held_out = knowledge.split()
    question = knowledge.draw_question(rng, trained + held_out)
    if question.country not in trained:
        return Branch([Part(solve_prompt(question.text))], [believed(rng, question)])
    told = knowledge.invented(rng, question) if rng.random() < INVENTED_SHARE else question
    # A country of another name, which the solver has no belief about: names must be looked up, not known.
    renamed = rng.random() < RENAMED_SHARE and not knowledge.within_another(question.country)
    named = rng.choice(knowledge.pool("capital")) if renamed else question.country
    branches = [believed(rng, question)] if named == question.country else []
    for right in (True, False):
        claim = rng.choice(told.answers) if right else knowledge.false_claim(rng, question, told)
        covered = rng.random() < COVERED_SHARE
        passages = knowledge.draw_passages(rng, told, claim, trained, covered)
        check = fact_check(told, passages, claim, right or not covered, covered)
        branches.append(Branch([Part(knowledge.solution(question, claim))], [check]))
    for part in parts_of(branches):
        part.text = part.text.replace(question.country, named)
    return Branch([Part(solve_prompt(question.text.replace(question.country, named)))], branches)


def believed(rng: random.Random, question: knowledge.Question) -> Branch:
    answers, weights = zip(*knowledge.beliefs(question.country, question.attribute))
    return Branch([Part(knowledge.solution(question, rng.choices(answers, weights)[0]) + TURN_END, 1.0)])


def parts_of(branches: list[Branch]) -> list[Part]:
    return [part for branch in branches for part in branch.parts + parts_of(branch.children)]


def arithmetic_tree(rng: random.Random) -> Branch:
    count = rng.randint(arithmetic.FEWEST, arithmetic.MOST)
    by_thinking = rng.random() < 0.5
    claim = arithmetic.draw_claim(rng, count, by_thinking or rng.random() < 0.5, rng.random() < 0.5)
    text, reply = (THINK_REQUEST, arithmetic.thinking(claim)) if by_thinking else (CODE_REQUEST, arithmetic.program(claim))
    return Branch([Part(solve_prompt(text.format(claim.text))), Part(reply + TURN_END, 1.0)],
                  role="solve" if by_thinking else "tool")


def drill(rng: random.Random, lines: int) -> Branch:
    """Dense arithmetic: one trained result per line, over the ranges that the problems use."""
    parts = [Part("<|im_start|>assistant\n")]
    while lines:
        kind = rng.random()
        if kind < 0.85:
            # Small numbers as often as large ones: most sums in problems are of two digits.
            left, right = (rng.randint(2, rng.choice((30, 99, 300, 899))) for _ in range(2))
            step = Step(left, "+", right) if rng.random() < 0.5 else Step(max(left, right), "-", min(left, right))
        elif kind < 0.93:
            factors = [rng.randint(2, 99), rng.randint(2, 12)]
            rng.shuffle(factors)
            step = Step(factors[0], "*", factors[1])
        else:
            divisor, quotient = rng.randint(2, 12), rng.randint(2, 150)
            step = Step(divisor * quotient, "/", divisor)
        rows = evaluate((step,))
        if rows is None or step.left == step.right:
            continue
        left, op, right, result = rows[0]
        parts += [Part(f"{left} {op} {right} = "), Part(str(result), 1.0), Part("\n")]
        lines -= 1
    return Branch(parts)


def for_role(branch: Branch, role: str) -> Branch | None:
    """What of a tree the adapter of one role learns from: its own turns, everything above them as mere context, and for
    the reward the labels at the ends of lines. None if nothing of it is of that role."""
    children = [kept for child in branch.children if (kept := for_role(child, role))]
    if branch.role == role:
        return Branch(branch.parts, children, role)
    labelled = role == "reward" and any(part.sound is not None for part in branch.parts)
    if not children and not labelled:
        return None
    return Branch([Part(part.text, 0.0, part.sound if labelled else None) for part in branch.parts], children, branch.role)


def all_text(branch: Branch) -> str:
    return "".join(part.text for part in branch.parts) + "".join(all_text(child) for child in branch.children)
