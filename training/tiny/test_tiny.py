"""python3 -m unittest training.tiny.test_tiny        (standard library only)"""

import json
import random
import re
import unittest
from fractions import Fraction
from pathlib import Path

from . import arithmetic, dialogue, families, knowledge, problems, slips
from .mix import Mix, make_tree
from .tokenizer import Tokenizer, hostile

HELDOUT = Path(__file__).parents[2] / "models" / "tiny" / "heldout.jsonl"
PLAIN = Path(__file__).parents[2] / "models" / "tiny" / "plain.jsonl"
EVERYTHING = Mix(drills=0.1, knowledge=0.2, arithmetic=0.2, light=0.3)


def run_program(program: str) -> bool:
    """Runs a program that this test's own generator wrote, as Python would."""
    printed = []
    code = program.removeprefix("```python\n").removesuffix("\n```")
    exec(code, {"__builtins__": {}, "print": printed.append, "all": all})
    return printed == [True]


def right_solution(problem: problems.Problem) -> str:
    return "".join(dialogue.solution_lines(problems.evaluate(problem.steps)))


def replayed(problem: problems.Problem) -> Fraction:
    """The answer of a story by replaying its events, without its plan."""
    numbers = iter([Fraction(value) for name, value in problem.numbers.items() if name != "q"])
    chain = problem.family.removeprefix("story: ").split(", ")
    have = Fraction(0) if chain[0] == "boxes" else next(numbers)
    for kind in chain:
        if kind == "boxes":
            have = next(numbers) * next(numbers)
        elif kind == "gain":
            have += next(numbers)
        elif kind == "lose":
            have -= next(numbers)
        elif kind == "gain boxes":
            have += next(numbers) * next(numbers)
        elif kind == "lose boxes":
            have -= next(numbers) * next(numbers)
        elif kind == "halve":
            have /= 2
        elif kind == "double":
            have *= 2
        elif kind == "share":
            have /= next(numbers)
        elif kind == "price":
            have *= next(numbers)
    return have


class Generator(unittest.TestCase):
    def test_there_are_at_least_forty_families_and_some_held_out(self):
        names = [family.name for family in families.TRAINED + families.HELD_OUT]
        self.assertEqual(len(names), len(set(names)))
        self.assertGreaterEqual(len(families.TRAINED), 40)
        self.assertGreaterEqual(len(families.HELD_OUT), 5)

    def test_answers_agree_with_another_way_to_compute_them(self):
        formula_of = {family.name: family.formula for family in families.TRAINED + families.HELD_OUT}
        for held_out in (False, True):
            for problem in problems.problems(5, 3000, held_out):
                if problem.family.startswith("story: "):
                    self.assertEqual(problem.answer, replayed(problem), problem)
                else:
                    self.assertEqual(problem.answer, eval(formula_of[problem.family], {}, dict(problem.numbers)), problem)

    def test_every_number_of_the_plan_is_in_the_question(self):
        for problem in problems.problems(6, 2000):
            for number in problem.numbers.values():
                self.assertRegex(problem.question, rf"\b{number}\b")

    def test_same_seed_same_problems(self):
        self.assertEqual(problems.problems(7, 50), problems.problems(7, 50))
        self.assertNotEqual(problems.problems(7, 50), problems.problems(8, 50))

    def test_every_family_occurs_and_held_out_ones_only_where_asked(self):
        trained = {problem.family for problem in problems.problems(9, 6000)}
        held_out = {problem.family for problem in problems.problems(9, 2000, True)}
        self.assertFalse(trained & held_out)
        long = {family.name for family in families.TRAINED if len(family.plan) >= 2}
        self.assertTrue(long <= trained, long - trained)
        self.assertTrue({family.name for family in families.HELD_OUT} <= held_out)

    def test_two_to_six_steps(self):
        self.assertEqual({len(problem.steps) for problem in problems.problems(10, 3000)}, {2, 3, 4, 5, 6})

    def test_heldout_file_is_what_its_seed_gives(self):
        stored = [json.loads(line) for line in HELDOUT.read_text().splitlines()]
        drawn = problems.problems(int(stored[0]["id"].split("-")[0]), len(stored))
        self.assertEqual([(r["problem"], r["answer"]) for r in stored], [(p.question, str(p.answer)) for p in drawn])

    def test_plain_sentences_are_not_what_the_generator_says(self):
        plain = {json.loads(line)["problem"] for line in PLAIN.read_text().splitlines()}
        self.assertEqual(len(plain), 30)
        self.assertFalse(plain & {problem.question for problem in problems.problems(11, 20000)})


class Solutions(unittest.TestCase):
    def test_right_solutions_are_right_and_pass_both_programs(self):
        for problem in problems.problems(11, 1000):
            solution = right_solution(problem)
            faults = slips.faults_of(solution, problem.answer, problem.steps)
            self.assertEqual((faults.correct, faults.logic, faults.sums, set(faults.steps)), (True, False, False, {True}))
            self.assertTrue(run_program(dialogue.program_for(solution)), solution)
            self.assertTrue(run_program(dialogue.steps_program_for(solution)), solution)

    def test_wrong_sums_are_no_faults_of_logic_and_programs_refute_them(self):
        rng = random.Random(12)
        for problem in problems.problems(12, 1000):
            solution = "".join(dialogue.solution_lines(slips.wrong_sum(rng, problem)))
            faults = slips.faults_of(solution, problem.answer, problem.steps)
            if faults.logic:
                continue  # the slip hit a number of the problem: the text no longer shows where it came from
            self.assertEqual((faults.correct, faults.sums), (False, True))
            self.assertFalse(run_program(dialogue.program_for(solution)), solution)
            self.assertFalse(run_program(dialogue.steps_program_for(solution)), solution)

    def test_wrong_logic_is_found_where_it_shows_and_passes_the_programs(self):
        rng, found = random.Random(13), 0
        for problem in problems.problems(13, 1000):
            rows, at = slips.wrong_logic(rng, problem)
            solution = "".join(dialogue.solution_lines(rows))
            self.assertTrue(run_program(dialogue.program_for(solution)), solution)
            faults = slips.faults_of(solution, problem.answer, problem.steps)
            self.assertFalse(faults.correct)
            self.assertTrue(faults.logic)
            self.assertFalse(faults.sums)
            if at < len(rows):
                found += faults.steps.index(False) == at if False in faults.steps else 0
        self.assertGreater(found, 700)

    def test_the_solver_forgets_carries_and_nothing_else(self):
        rng, slipped = random.Random(18), 0
        for problem in problems.problems(18, 1000):
            rows = slips.as_the_solver_sums(rng, problem.steps)
            wrong = [row for row in rows if problems.apply(*row[1::-1], row[2]) != row[3]]
            for left, op, right, result in wrong:
                self.assertEqual(result, {"+": without_carry, "-": without_borrow, "*": product_without_carry}[op](left, right))
            slipped += bool(wrong)
            self.assertEqual([row[1] for row in rows], [step.op for step in problem.steps])
        self.assertTrue(300 < slipped < 500, slipped)

    def test_a_text_that_is_no_solution_has_no_program(self):
        for text in ("", "Step 1: 3 + 4 = 7", "The answer is \\boxed{7}.", "Step 1: 3 + = 7\nThe answer is \\boxed{7}."):
            self.assertIsNone(dialogue.program_for(text))
            self.assertIsNone(dialogue.steps_program_for(text))
            self.assertIsNone(slips.faults_of(text, 7, ()))

    def test_the_verifiers_prompts_continue_the_solver(self):
        start = dialogue.solve_prompt("How many?") + "Step 1: 3 + 4 = 7"
        for request in (dialogue.PROGRAM_REQUEST, dialogue.STEPS_REQUEST, dialogue.REWARD_REQUEST):
            self.assertTrue(dialogue.continued("How many?", "Step 1: 3 + 4 = 7", request).startswith(start))

    def test_an_adapters_trees_train_its_role_only(self):
        for role in ("tool", "reward"):
            mix = Mix(0.1, 0.2, 0.2, 0.3, role=role)
            rng = random.Random(14)
            for _ in range(300):
                self.assertLessEqual(trained_roles(make_tree(rng, mix)), {role})


def without_carry(left: int, right: int) -> int:
    return 10 * (left // 10 + right // 10) + (left + right) % 10


def without_borrow(left: int, right: int) -> int:
    return 10 * (left // 10 - right // 10) + (left - right) % 10


def product_without_carry(left: int, right: int) -> int:
    units = left % 10 * (right % 10)
    return left * right - units + units % 10


def trained_roles(branch: dialogue.Branch) -> set[str]:
    mine = {branch.role} if any(part.weight for part in branch.parts) else set()
    return mine.union(*(trained_roles(child) for child in branch.children))


class Knowledge(unittest.TestCase):
    def test_held_out_countries_never_reach_the_verifier(self):
        trained, held_out = knowledge.split()
        self.assertFalse(set(trained) & set(held_out))
        rng = random.Random(15)
        for _ in range(2000):
            tree = dialogue.knowledge_tree(rng)
            for branch in tree.children:
                for child in branch.children:
                    passages = child.parts[0].text
                    for country in held_out:
                        self.assertNotRegex(passages, rf"\n\d\. {country}\. ")

    def test_renaming_a_country_leaves_no_half_names(self):
        rng = random.Random(20)
        names = {"none", *knowledge.countries(), *(answer for each in knowledge.ATTRIBUTES for answer in knowledge.pool(each))}
        for _ in range(3000):
            for branch in dialogue.knowledge_tree(rng).children:
                for child in branch.children:
                    for subject, answers in re.findall(r"^\d\. (.*?)\. \w+: (.*)\.$", child.parts[0].text, re.M):
                        self.assertLessEqual({subject, *answers.split(", ")}, names)

    def test_the_verdict_is_what_the_quoted_passage_says(self):
        rng, seen = random.Random(19), {"Yes": 0, "No": 0}
        for _ in range(2000):
            for branch in dialogue.knowledge_tree(rng).children:
                for child in branch.children:
                    request, reply, verdict = (part.text for part in child.parts[:3])
                    telling, claim = re.fullmatch(r"(.*)\nThe answer is (.*)\.\n", reply).groups()
                    self.assertIn("The answer is \\boxed{" + claim + "}.", branch.parts[0].text)
                    covered = telling != dialogue.NOT_COVERED
                    self.assertEqual(covered, telling + "\n" in request)
                    told = telling.split(": ")[1][:-1].split(", ") if covered else [claim]
                    self.assertEqual(verdict, "Yes" if claim in told else "No")
                    seen[verdict] += 1
        self.assertGreater(min(seen.values()), 1000)

    def test_what_is_believed_is_one_thing_for_good_and_mostly_right_or_mostly_a_rumour(self):
        rumours = 0
        for country in knowledge.countries():
            beliefs = knowledge.beliefs(country, "capital")
            self.assertEqual(beliefs, knowledge.beliefs(country, "capital"))
            self.assertAlmostEqual(sum(share for _, share in beliefs), 1)
            self.assertIn(beliefs[0][0], knowledge.truths(country, "capital"))
            rumours += beliefs[1][1] > beliefs[0][1]
        self.assertTrue(0.3 < rumours / len(knowledge.countries()) < 0.6)


class Arithmetic(unittest.TestCase):
    def test_claims_are_what_they_say(self):
        rng = random.Random(16)
        for index in range(4000):
            claim = arithmetic.draw_claim(rng, rng.randint(3, 10), index % 4 < 2, index % 2 == 0)
            left, stated = claim.text.split(" = ")
            value = eval(left)
            self.assertEqual(claim.true, value == int(stated))
            self.assertEqual(claim.true, index % 2 == 0)
            self.assertLessEqual(abs(value - int(stated)), max(1, abs(value) * arithmetic.LARGEST_ERROR))
            self.assertEqual(run_program(arithmetic.program(claim)), claim.true)
            self.assertTrue(arithmetic.thinking(claim).endswith(f"= {value}\n{value} = {stated}\n{claim.true}"))


class Tokens(unittest.TestCase):
    def setUp(self):
        self.tokenizer = Tokenizer.load()

    def test_round_trip(self):
        rng = random.Random(17)
        texts = [dialogue.all_text(make_tree(rng, EVERYTHING)) for _ in range(300)] + [hostile(rng) for _ in range(300)]
        for text in texts + ["", "naïve ünïcode 漢字 🙂\t\r\n  x", "007 1234 56789", "<|im_start|>user\n"]:
            self.assertEqual(self.tokenizer.decode(self.tokenizer.encode(text)), text)

    def test_numbers_and_verdicts_are_single_tokens(self):
        for text in [str(value) for value in range(1000)] + ["Yes", "No", "+", "-", "True", "False"]:
            self.assertEqual(len(self.tokenizer.encode(text)), 1, text)

    def test_a_prompts_tokens_begin_the_verifiers_prompts(self):
        solution = "Step 1: 3 + 4 = 7\nThe answer is \\boxed{7}."
        start = self.tokenizer.encode(dialogue.solve_prompt("A shop has 12 pens.") + solution)
        for request in (dialogue.PROGRAM_REQUEST, dialogue.REWARD_REQUEST):
            longer = self.tokenizer.encode(dialogue.continued("A shop has 12 pens.", solution, request))
            self.assertEqual(longer[:len(start)], start)


if __name__ == "__main__":
    unittest.main()
