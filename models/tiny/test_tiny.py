"""python3 -m unittest models.tiny.test_tiny        (standard library only)"""

import json
import random
import unittest
from pathlib import Path

from . import dialogue, problems
from .tokenizer import Tokenizer

HELDOUT = Path(__file__).with_name("heldout.jsonl")


def run_program(program: str) -> bool:
    """Runs a program that this test's own generator wrote, as Python would."""
    printed = []
    code = program.removeprefix("```python\n").removesuffix("\n```")
    exec(code, {"__builtins__": {}, "print": printed.append})
    return printed == [True]


class Generator(unittest.TestCase):
    def test_answers_agree_with_the_closed_formula(self):
        formula_of = {family.name: family.formula for family in problems.FAMILIES}
        for problem in problems.problems(5, 3000):
            self.assertEqual(problem.answer, eval(formula_of[problem.family], {}, dict(problem.numbers)))

    def test_every_number_of_the_plan_is_in_the_question(self):
        for problem in problems.problems(6, 1000):
            for number in problem.numbers.values():
                self.assertRegex(problem.question, rf"\b{number}\b")

    def test_same_seed_same_problems(self):
        self.assertEqual(problems.problems(7, 50), problems.problems(7, 50))
        self.assertNotEqual(problems.problems(7, 50), problems.problems(8, 50))

    def test_every_family_and_wording_occurs(self):
        drawn = problems.problems(9, 2000)
        self.assertEqual({p.family for p in drawn}, {family.name for family in problems.FAMILIES})

    def test_heldout_file_is_what_its_seed_gives(self):
        stored = [json.loads(line) for line in HELDOUT.read_text().splitlines()]
        drawn = problems.problems(problems.HELDOUT_SEED_FROM, 200)
        self.assertEqual([(r["problem"], r["answer"]) for r in stored], [(p.question, str(p.answer)) for p in drawn])


class Solutions(unittest.TestCase):
    def right(self, problem: problems.Problem) -> str:
        return "".join(dialogue.solution_lines(problems.evaluate(problem.steps)))

    def test_right_solutions_pass_their_program(self):
        for problem in problems.problems(11, 1000):
            solution = self.right(problem)
            self.assertEqual(dialogue.answer_of(solution), str(problem.answer))
            self.assertTrue(run_program(dialogue.program_for(solution)), solution)

    def test_wrong_solutions_are_wrong_and_programs_refute_wrong_sums_only(self):
        rng = random.Random(12)
        refuted = 0
        for problem in problems.problems(12, 1000):
            rows, sound = dialogue.wrong_rows(rng, problem)
            solution = "".join(dialogue.solution_lines(rows))
            self.assertNotEqual(dialogue.answer_of(solution), str(problem.answer))
            sums_right = all(problems.apply(op, left, right) == result for left, op, right, result in rows)
            passed = run_program(dialogue.program_for(solution))
            self.assertEqual(passed, sums_right, solution)
            refuted += not passed
        self.assertGreater(refuted, 100)

    def test_a_text_that_is_no_solution_has_no_program(self):
        for text in ("", "Step 1: 3 + 4 = 7", "The answer is \\boxed{7}.", "Step 1: 3 + = 7\nThe answer is \\boxed{7}."):
            self.assertIsNone(dialogue.program_for(text))

    def test_the_verifiers_prompts_continue_the_solver(self):
        start = dialogue.solve_prompt("How many?") + "Step 1: 3 + 4 = 7"
        for prompt in (dialogue.program_prompt, dialogue.reward_prompt):
            self.assertTrue(prompt("How many?", "Step 1: 3 + 4 = 7").startswith(start))


class Tokens(unittest.TestCase):
    def setUp(self):
        self.tokenizer = Tokenizer.load()

    def test_round_trip(self):
        rng = random.Random(13)
        texts = [dialogue.all_text(dialogue.synthetic_tree(rng)) for _ in range(300)]
        for text in texts + ["", "naïve ünïcode 漢字 🙂\t\r\n  x", "007 1234 56789", "<|im_start|>user\n"]:
            self.assertEqual(self.tokenizer.decode(self.tokenizer.encode(text)), text)

    def test_numbers_and_verdicts_are_single_tokens(self):
        for text in [str(value) for value in range(1000)] + ["Yes", "No"]:
            self.assertEqual(len(self.tokenizer.encode(text)), 1, text)

    def test_a_prompts_tokens_begin_the_verifiers_prompts(self):
        solution = "Step 1: 3 + 4 = 7\nThe answer is \\boxed{7}."
        start = self.tokenizer.encode(dialogue.solve_prompt("A shop has 12 pens.") + solution)
        longer = self.tokenizer.encode(dialogue.reward_prompt("A shop has 12 pens.", solution))
        self.assertEqual(longer[:len(start)], start)


if __name__ == "__main__":
    unittest.main()
