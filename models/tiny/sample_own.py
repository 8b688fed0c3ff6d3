"""Samples the model's own solutions of fresh training problems, as data for the second stage.

    python3 -m models.tiny.sample_own --model RUN_FOLDER/model.pt --out own.jsonl --problems 3000 --samples 3
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from .dialogue import answer_of, solution_lines, solve_prompt
from .problems import HELDOUT_SEED_FROM, evaluate, problems
from .sampling import load, sample
from .tokenizer import Tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--problems", type=int, default=3000)
    parser.add_argument("--samples", type=int, default=3)
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    if options.seed >= HELDOUT_SEED_FROM:
        parser.error("seeds from 1000000 on are held out")
    model, tokenizer = load(options.model), Tokenizer.load()
    asked = problems(options.seed, options.problems)
    prompts = [solve_prompt(problem.question) for problem in asked for _ in range(options.samples)]
    texts = sample(model, tokenizer, prompts, options.temperature, 96, options.seed)
    right = 0
    with options.out.open("w") as out:
        for index, problem in enumerate(asked):
            own = texts[index * options.samples:(index + 1) * options.samples]
            right += sum(answer_of(text) == str(problem.answer) for text in own)
            out.write(json.dumps({
                "problem": problem.question,
                "answer": str(problem.answer),
                "solution": "".join(solution_lines(evaluate(problem.steps))),
                "samples": own,
            }) + "\n")
    print(f"{len(texts)} solutions, {right / len(texts):.3f} right")


if __name__ == "__main__":
    main()
