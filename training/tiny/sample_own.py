"""Samples the model's own solutions of fresh training problems, as data for the next stage of training.

    python3 -m training.tiny.sample_own --model RUN_FOLDER/model.pt --out own.jsonl --problems 4000 --samples 4
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from .dialogue import solve_prompt
from .problems import HELDOUT_SEED_FROM, problems
from .sampling import load, sample
from .slips import answer_of, faults_of
from .tokenizer import Tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--problems", type=int, default=4000)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    if options.seed >= HELDOUT_SEED_FROM:
        parser.error("seeds from 1000000 on are held out")
    model, tokenizer = load(options.model), Tokenizer.load()
    asked = problems(options.seed, options.problems)
    prompts = [solve_prompt(problem.question) for problem in asked for _ in range(options.samples)]
    texts = sample(model, tokenizer, prompts, options.temperature, 128, options.seed)
    right = logic = 0
    with options.out.open("w") as out:
        for index, problem in enumerate(asked):
            own = texts[index * options.samples:(index + 1) * options.samples]
            right += sum(answer_of(text) == str(problem.answer) for text in own)
            faults = [faults_of(text, problem.answer, problem.steps) for text in own]
            logic += sum(found is not None and found.logic for found in faults)
            out.write(json.dumps({
                "problem": problem.question,
                "answer": str(problem.answer),
                "plan": [[step.left, step.op, step.right] for step in problem.steps],
                "samples": list(dict.fromkeys(own)),
            }) + "\n")
    print(f"{len(texts)} solutions: {right / len(texts):.3f} right, {logic / len(texts):.3f} with an error of logic")


if __name__ == "__main__":
    main()
